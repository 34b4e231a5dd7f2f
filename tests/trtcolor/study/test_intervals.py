"""Intervals: Wilson's against SciPy's, the bootstrap's against what must hold of it."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from trtcolor.study.intervals import bootstrap_median, wilson

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=15)


@given(st.integers(1, 2000), st.data())
def test_wilson_is_scipys(total: int, data: st.DataObject) -> None:
    yes = data.draw(st.integers(0, total))
    expected = binomtest(yes, total).proportion_ci(0.95, method="wilson")
    low, high = wilson(yes, total)
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= low <= yes / total <= high <= 1


@pytest.mark.parametrize(("yes", "total"), [(0, 0), (3, 2), (-1, 2)])
def test_a_share_of_nothing_has_no_interval(yes: int, total: int) -> None:
    with pytest.raises(ValueError, match="a share of at least one was needed"):
        wilson(yes, total)


@given(SHARES)
def test_a_bootstrapped_median_lies_among_the_values(values: list[float]) -> None:
    low, high = bootstrap_median(values)
    assert min(values) <= low <= high <= max(values)
    assert low <= median(values) <= high


@given(SHARES, st.randoms())
def test_it_is_the_same_whoever_comes_first(values: list[float], chance: object) -> None:
    mixed = list(values)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert bootstrap_median(mixed) == bootstrap_median(values)


def test_users_who_agree_leave_no_doubt() -> None:
    assert bootstrap_median([0.8] * 10) == (0.8, 0.8)


def test_the_interval_covers_the_median_of_those_whom_users_are_drawn_from() -> None:
    chance = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        low, high = bootstrap_median(chance.beta(9, 1, 25).tolist())
        covered += low <= 0.9258747 <= high  # the median of beta(9, 1), 0.5 ** (1 / 9)
    assert covered >= 50


def test_one_user_has_no_bootstrap() -> None:
    with pytest.raises(ValueError, match="at least two"):
        bootstrap_median([0.5])

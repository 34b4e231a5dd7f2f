"""A planted slow-down is caught, two runs of the same thing are silent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from benched import ORT, noisy, report, row

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.compare import DRAWS, _medians, compare
from trtcolor.bench.report import BenchReport, BenchRow

INT8 = Candidate("onnxruntime", "int8")


def timed(
    median: float, *, seed: int, noise: float = 0.03, machine: float = 1.0, turns: int = 10
) -> BenchReport:
    """A benchmark of one row on a machine that is slower by a factor."""
    seconds, lengths = noisy(median * machine, noise=noise, seed=seed, turns=turns)
    floor, _ = noisy(0.01 * machine, noise=noise, seed=seed + 1000, turns=turns)
    return report(row(seconds, turns=lengths, floor=floor))


def verdicts(old: BenchReport, new: BenchReport) -> list[str]:
    return [change.verdict for change in compare(old, new).changes]


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03, 0.1])
def test_two_runs_of_the_same_thing_are_silent(noise: float) -> None:
    for seed in range(40):
        old = timed(0.1, seed=seed, noise=noise)
        new = timed(0.1, seed=seed + 500, noise=noise)
        assert verdicts(old, new) == ["same"]


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
def test_a_planted_slow_down_is_caught(noise: float) -> None:
    for seed in range(40):
        old = timed(0.1, seed=seed, noise=noise)
        new = timed(0.13, seed=seed + 500, noise=noise)
        comparison = compare(old, new)
        assert [change.verdict for change in comparison.changes] == ["slower"]
        assert comparison.regressions
        assert verdicts(new, old) == ["faster"]


def test_on_a_noisy_machine_a_doubled_time_is_still_caught() -> None:
    for seed in range(20):
        old = timed(0.1, seed=seed, noise=0.15)
        assert verdicts(old, timed(0.2, seed=seed + 500, noise=0.15)) == ["slower"]


def test_a_machine_that_is_slower_as_a_whole_is_no_regression() -> None:
    old, new = timed(0.1, seed=0), timed(0.1, seed=1, machine=1.6)
    comparison = compare(old, new)
    assert [change.verdict for change in comparison.changes] == ["same"]
    assert comparison.changes[0].ratio == pytest.approx(1, abs=0.05)


def test_a_slow_down_is_not_hidden_by_a_faster_machine() -> None:
    assert verdicts(timed(0.1, seed=0), timed(0.14, seed=1, machine=0.7)) == ["slower"]


def test_three_slow_turns_of_ten_are_no_regression() -> None:
    old = report(row((0.1,) * 10))
    assert verdicts(old, report(row((*(0.1,) * 7, *(0.3,) * 3)))) == ["same"]


def test_a_change_within_the_tolerance_is_none() -> None:
    old, new = report(row((0.1,) * 10)), report(row((0.104,) * 10))
    assert verdicts(old, new) == ["same"]
    (change,) = compare(old, new, tolerance=0.02).changes
    assert change.verdict == "slower"


def test_what_stopped_working_is_a_regression_and_what_started_is_not() -> None:
    works, broken = report(row((0.1,) * 5)), report(BenchRow(ORT, (224, 224), error="broken"))
    assert verdicts(works, broken) == ["failed"]
    assert compare(works, broken).regressions
    assert verdicts(broken, works) == ["mended"]
    assert not compare(broken, works).regressions
    assert verdicts(broken, broken) == ["same"]


def test_rows_of_one_file_alone_are_listed_and_no_regression() -> None:
    shared = row((0.1,) * 5)
    old = report(shared, row((0.1,) * 5, size=(512, 512)))
    new = report(shared, row((0.1,) * 5, candidate=INT8))
    comparison = compare(old, new)
    assert [change.verdict for change in comparison.changes] == ["same", "only old", "only new"]
    assert not comparison.regressions


def test_files_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(ValueError, match="no backend, precision"):
        compare(report(row((0.1,))), report(row((0.1,), size=(512, 512))))


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(ValueError, match="a positive share"):
        compare(report(row((0.1,))), report(row((0.1,))), tolerance=tolerance)


def test_what_else_differs_is_told() -> None:
    old, new = report(row((0.1,))), report(row((0.1,)), model_sha256="f" * 64)
    new = report(
        row((0.1,)),
        model_sha256="f" * 64,
        machine={"processor": "another", "cores": 2, "gpus": []},
    )
    text = compare(old, new).text()
    assert "the models differ" in text
    assert "processor: a processor then, another now" in text


def test_one_value_a_row_is_compared_too() -> None:
    def single(seconds: Sequence[float]) -> BenchReport:
        return report(row(seconds))

    assert verdicts(single((0.1,)), single((0.1,))) == ["same"]
    assert verdicts(single((0.1,)), single((0.2,))) == ["slower"]


def test_drawn_medians_are_those_of_whole_turns_drawn_again_and_again() -> None:
    values, turns = [5.0, 1.0, 9.0, 2.0, 7.0, 4.0], [2, 1, 3]
    found = _medians(values, turns, np.random.default_rng(0))
    parts = np.split(np.array(values), np.cumsum(turns)[:-1])
    possible = {
        float(np.median(np.concatenate((parts[i], parts[j], parts[k]))))
        for i in range(3)
        for j in range(3)
        for k in range(3)
    }
    assert found.shape == (DRAWS,)
    assert set(found) == possible

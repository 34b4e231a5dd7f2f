"""Runs are shared out before the first of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trtcolor.bench.plan import (
    LEAST_RUNS,
    LEAST_TURNS,
    MOST_IN_TURN,
    Course,
    duration_text,
    estimate,
    in_turn,
    runs_within,
    uncounted,
)

COURSES = st.lists(
    st.builds(Course, st.floats(0, 100), st.floats(0.001, 100)), min_size=1, max_size=6
)


def test_all_runs_are_taken_where_the_budget_suffices() -> None:
    courses = [Course(2, 0.1), Course(2, 1.0)]
    assert runs_within(courses, 100, 1000) == [100, 100]


def test_the_longest_size_is_cut_first() -> None:
    courses = [Course(1, 0.1), Course(1, 0.4), Course(1, 1.5), Course(1, 6.0)]
    # 4 s for the starts, 200 s for 100 runs of the three short ones, the rest for the long one
    runs = runs_within(courses, 100, 504)
    assert runs[:3] == [100, 100, 100]
    assert runs[3] == (504 - 4 - 200) // 6


@given(COURSES, st.integers(1, 200), st.floats(1, 10_000))
def test_a_budget_is_kept_unless_the_least_runs_exceed_it(
    courses: list[Course], runs: int, budget: float
) -> None:
    found = runs_within(courses, runs, budget)
    least = min(runs, LEAST_RUNS)
    assert all(least <= count <= runs for count in found)
    if estimate(courses, [least] * len(courses)) <= budget:
        assert estimate(courses, found) <= budget * (1 + 1e-9)


def test_short_runs_share_a_turn_behind_one_that_is_not_counted() -> None:
    assert (in_turn(0.1, 100), uncounted(0.1)) == (2, 1)
    assert (in_turn(7.0, 100), uncounted(7.0)) == (1, 0)
    assert in_turn(1e-6, 100) == MOST_IN_TURN
    assert in_turn(0.0, 100) == MOST_IN_TURN


def test_few_runs_come_from_several_turns_all_the_same() -> None:
    for runs in (1, 3, 5, 10, 20):
        assert -(-runs // in_turn(0.001, runs)) >= min(runs, LEAST_TURNS)


def test_durations_are_told_in_minutes_from_one_on() -> None:
    assert [duration_text(s) for s in (0.2, 59.4, 60, 250)] == [
        "1 s",
        "59 s",
        "1 min 0 s",
        "4 min 10 s",
    ]

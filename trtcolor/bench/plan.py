"""How many runs fit into the time there is, decided before any of them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_RUNS = 3
"""Below this there is no median; taken even where the budget does not suffice."""
TURN_SECONDS = 0.25
"""Runs shorter than this are taken several to a turn, after one that is not counted: the process
was stopped and what it had in the caches is gone."""
MOST_IN_TURN = 10
LEAST_TURNS = 5


@dataclass(frozen=True)
class Course:
    """One size: what its candidates take.

    Attributes:
        start: seconds before the first turn: processes, first runs and warm-ups.
        turn: seconds of a run of every candidate, what is not counted included.
    """

    start: float
    turn: float


def runs_within(courses: Sequence[Course], runs: int, budget: float) -> list[int]:
    """How many runs each size gets.

    All get `runs` if the budget allows. If not, the longest ones are cut first: beyond `LEAST_RUNS`
    every size gets the same time for its turns, but no more than it needs.

    Args:
        courses: the sizes.
        runs: what was asked for, at least 1.
        budget: seconds for everything.

    Returns:
        Runs by size, from min(runs, `LEAST_RUNS`) to `runs`.
    """
    least = min(runs, LEAST_RUNS)
    found = [least] * len(courses)
    left = max(0.0, budget - estimate(courses, found))
    by_length = sorted(range(len(courses)), key=lambda i: courses[i].turn)
    for done, i in enumerate(by_length):  # what a short one does not need, the longer ones share
        turn, share = courses[i].turn, left / (len(courses) - done)
        more = min(runs - least, int(share / turn)) if turn > 0 else runs - least
        found[i] += more
        left -= more * turn
    return found


def estimate(courses: Sequence[Course], runs: Sequence[int]) -> float:
    """Seconds that these runs will take."""
    return sum(c.start + n * c.turn for c, n in zip(courses, runs, strict=True))


def in_turn(slowest: float, runs: int) -> int:
    """How many runs of each candidate a turn has.

    Args:
        slowest: seconds of a run of the slowest candidate.
        runs: how many values each is to give; they come from at least `LEAST_TURNS` turns if they
            are as many, so that a slow minute of the machine is seen as one.
    """
    fitting = round(TURN_SECONDS / slowest) if slowest > 0 else MOST_IN_TURN
    return max(1, min(fitting, MOST_IN_TURN, runs // LEAST_TURNS))


def uncounted(seconds: float) -> int:
    """How many runs a candidate makes at the start of a turn that are not counted."""
    return int(seconds < TURN_SECONDS)


def duration_text(seconds: float) -> str:
    """``"7 s"`` or ``"4 min 10 s"``."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"

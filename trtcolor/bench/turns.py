"""Candidates at one size take turns until each has given its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.plan import LEAST_RUNS, in_turn, uncounted
from trtcolor.bench.subject import STEPS
from trtcolor.errors import BackendError
from trtcolor.measure import Clock, Measurement


class Asked(Protocol):
    """What answers requests: a `trtcolor.bench.process.Worker`."""

    opened: dict[str, Any]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request, or raise BackendError."""
        ...


@dataclass
class Entrant:
    """A candidate while it is being measured: ``values`` has a list for each of `STEPS`.

    Attributes:
        worker: None after a failure.
        seconds: of a run, as the last ones were.
    """

    candidate: Candidate
    worker: Asked | None = None
    error: str | None = None
    values: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    turns: list[int] = field(default_factory=list)
    peak_memory: int | None = None
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Values so far."""
        return sum(self.turns)

    def turn(self, runs: int, warmup: int) -> None:
        """Take values; a failure is kept in ``error``."""
        if self.worker is None:
            return
        try:
            answer = self.worker.ask({"runs": runs, "warmup": warmup})
        except BackendError as error:
            self.worker, self.error = None, str(error)
            return
        self.peak_memory = answer["peak_memory"]
        if not runs:
            return
        for step, seconds in answer["steps"].items():
            self.values[step] += seconds
        self.turns.append(runs)
        self.seconds = min(answer["steps"]["total"])

    def steps(self) -> dict[str, Measurement]:
        """All values by step; none after a failure or without a turn."""
        if self.error is not None or not self.turns:
            return {}
        return {step: Measurement(step, tuple(found)) for step, found in self.values.items()}


def take_turns(
    entrants: Sequence[Entrant],
    floor: Callable[[], Sequence[float]],
    *,
    runs: int,
    deadline: float,
    clock: Clock,
) -> list[float]:
    """Give turns in rounds, every other round from the last one to the first.

    A slow minute of the machine so falls on all, and nobody always comes after the same other.

    Args:
        entrants: those that are open; their values are added to.
        floor: takes a few times of the machine's own task, once a round.
        runs: values wanted of each.
        deadline: reading of the clock after which no round begins once each has `LEAST_RUNS`.
        clock: seconds from any origin.

    Returns:
        All times of the floor.
    """
    times: list[float] = []
    least = min(runs, LEAST_RUNS)
    for entrant in entrants:  # one value each tells how many fit into a turn
        entrant.turn(1, uncounted(entrant.seconds))
    forward = False
    while racing := [e for e in entrants if e.worker is not None and e.count < runs]:
        if clock() >= deadline and all(e.count >= least for e in racing):
            break
        block = in_turn(max(e.seconds for e in racing), runs)
        for entrant in racing if forward else reversed(racing):
            entrant.turn(min(block, runs - entrant.count), uncounted(entrant.seconds))
        times += floor()
        forward = not forward
    return times or list(floor())

"""The candidates at one size: start their processes, let them take turns, write down rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from trtcolor.bench.candidates import (
    COMPILE_SECONDS,
    START_SECONDS,
    Candidate,
    may_open,
    speed,
)
from trtcolor.bench.cost import Cost, shares_low_level
from trtcolor.bench.plan import Course, in_turn, uncounted
from trtcolor.bench.process import Worker
from trtcolor.bench.report import BenchRow, FloorRate
from trtcolor.bench.settings import Settings
from trtcolor.bench.sizes import size_text
from trtcolor.bench.surroundings import available_memory, gpu_memory, surroundings
from trtcolor.bench.turns import Entrant, take_turns
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor.geometry import Size, plan_render
from trtcolor.measure import Clock, Measurement

FLOOR_RUNS = 3
FIRST_FLOOR_RUNS = 10
FIRST_RUN = 2.0
"""How much longer the first run is, in which graphs are loaded; for the estimate alone."""


class Race:
    """What stays the same from size to size, and the workers of one size at a time.

    Args:
        bundle: the model.
        candidates, settings: what is timed, and how.
        floor: the process with the machine's own tasks.
        say: is given a line for each row.
        clock: seconds from any origin.

    Attributes:
        picture: what the frames were made from, once a worker was opened.
        machine: as from `surroundings`, before anything was timed.
    """

    def __init__(
        self,
        bundle: Bundle,
        candidates: Sequence[Candidate],
        settings: Settings,
        floor: Worker,
        say: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._bundle, self._candidates, self._settings = bundle, candidates, settings
        self._floor, self._say, self._clock = floor, say, clock
        self._said: set[str] = set()
        self._floor_work = 0.0
        self.picture = ""
        self.machine = surroundings()

    def floor_rate(self, kind: str) -> FloorRate:
        """What the machine can do, before anything else has its turn."""
        answer = self._floor.ask({"kind": kind, "runs": FIRST_FLOOR_RUNS})
        if kind == "sgemm":
            self._floor_work = answer["work"]
        return FloorRate(kind, answer["work"], Measurement(answer["name"], answer["seconds"]))

    def course(self, cost: Cost | None, rate: float) -> Course:
        """What one size is expected to take; nothing where its cost is not known."""
        if cost is None or rate <= 0:
            return Course(0.0, 0.0)
        candidates = [candidate for candidate in self._candidates if may_open(candidate)]
        seconds = [cost.flops / (rate * speed(c)) for c in candidates]
        block = in_turn(max(seconds, default=0.0), self._settings.runs)
        again = FIRST_RUN + max(0, self._settings.warmup - 1)
        start = sum(
            START_SECONDS.get(candidate.backend, START_SECONDS[""])
            + (COMPILE_SECONDS if candidate.form == "compiled" else 0.0)
            + again * time_
            for candidate, time_ in zip(candidates, seconds, strict=True)
        )
        return Course(start, sum(t * (1 + uncounted(t) / block) for t in seconds))

    def rows(self, size: Size, cost: Cost | None, runs: int, deadline: float) -> list[BenchRow]:
        """All candidates at one size, as many at once as the memory holds."""
        free = available_memory()
        at_once = len(self._candidates)
        if cost is not None and free is not None:
            at_once = max(1, min(at_once, free // cost.memory))
        if at_once < len(self._candidates):
            self._say(f"{size_text(size)}: {at_once} at a time, as the memory holds no more")
        found: list[BenchRow] = []
        for first in range(0, len(self._candidates), at_once):
            group = self._candidates[first : first + at_once]
            left = deadline - self._clock()
            rest = len(self._candidates) - first
            until = self._clock() + left * len(group) / rest
            found += self._group(group, size, cost, runs, until)
        return found

    def _group(
        self,
        candidates: Sequence[Candidate],
        size: Size,
        cost: Cost | None,
        runs: int,
        deadline: float,
    ) -> list[BenchRow]:
        entrants = [Entrant(candidate) for candidate in candidates]
        with ExitStack() as stack:
            for entrant in entrants:
                self._open(entrant, size, stack)
            times = take_turns(
                [entrant for entrant in entrants if entrant.worker is not None],
                self._floor_turn,
                runs=runs,
                deadline=deadline,
                clock=self._clock,
            )
            rows = [self._row(entrant, size, cost, times) for entrant in entrants]
        for row in rows:
            self._tell(row)
        return rows

    def _open(self, entrant: Entrant, size: Size, stack: ExitStack) -> None:
        settings = self._settings
        job = {
            "kind": "engine",
            "candidate": asdict(entrant.candidate),
            "model": str(self._bundle.path),
            "size": size,
            "batch": settings.batch,
            "threads": settings.threads,
            "render": settings.render,
        }
        try:
            worker = stack.enter_context(Worker(job))
        except BackendError as error:
            entrant.error = str(error)
            return
        entrant.worker = worker
        self.picture = worker.opened["picture"]
        if settings.warmup > 1:
            entrant.turn(0, settings.warmup - 1)

    def _floor_turn(self) -> Sequence[float]:
        times: list[float] = self._floor.ask({"kind": "sgemm", "runs": FLOOR_RUNS})["seconds"]
        return times

    def _row(
        self, entrant: Entrant, size: Size, cost: Cost | None, floor: Sequence[float]
    ) -> BenchRow:
        common: dict[str, Any] = {
            "candidate": entrant.candidate,
            "size": size,
            "batch": self._settings.batch,
            "flops": None if cost is None else cost.flops,
        }
        worker = entrant.worker
        if not isinstance(worker, Worker):
            return BenchRow(**common, error=entrant.error)
        plan = plan_render(size, self._bundle.spec.size, self._settings.render)
        height, width = worker.opened["network"]
        return BenchRow(
            **common,
            steps=entrant.steps(),
            turns=tuple(entrant.turns),
            floor=Measurement("sgemm", tuple(floor)),
            floor_work=self._floor_work,
            device=worker.opened["device"],
            network=(height, width),
            shared=shares_low_level(self._bundle, plan),
            load_seconds=worker.opened["load_seconds"],
            first_seconds=worker.opened["first_seconds"],
            peak_memory=entrant.peak_memory,
            gpu_memory=None if not self.machine["gpus"] else gpu_memory(worker.process_id),
        )

    def _tell(self, row: BenchRow) -> None:
        if row.error is None:
            median = row.steps["predict"].median
            self._say(f"{size_text(row.size)} {row.candidate}: {median * 1000:.1f} ms")
        elif row.error not in self._said:
            self._said.add(row.error)
            self._say(f"{size_text(row.size)} {row.candidate} failed: {row.error}")

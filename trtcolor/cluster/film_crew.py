"""`Crew`: the workers that make a film's fragments, each in hand of one, until all are made.

    scan -> spans that are free -> actors -> fragments -> the work's folder

A fragment that begins with a shot is free at once; one in the middle of a shot becomes so when that
before it has come. A worker or machine that is lost takes with it the fragment that it had in hand,
which another one makes again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trtcolor.closing import Closing
from trtcolor.cluster.connection import Cluster, import_ray
from trtcolor.cluster.film_scan import Scanning
from trtcolor.cluster.film_worker import Delivery, FilmActor, Order
from trtcolor.cluster.share import Share
from trtcolor.cluster.watch import Watch
from trtcolor.errors import ClusterError
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.video.job import FilmJob
from trtcolor.video.spans import Span

TRIES = 3
"""Workers that a fragment may take with it; and times in a row that workers may end while they
begin, where those that were hired at once, as on a machine that is lost, have ended once."""

MOMENT = 0.05
"""Seconds to wait for a worker where the scan may give another one work meanwhile."""


@dataclass(frozen=True)
class _InHand:
    """What a worker is at.

    Attributes:
        actor: the worker.
        span: of the fragment.
        there: a reference to what it answers before it begins.
    """

    actor: Any
    span: Span
    there: Any


@dataclass(frozen=True)
class _Beginning:
    """A worker that opens the film and the model.

    Attributes:
        actor: the worker.
        failures: times in a row that workers had ended while they began, when it was hired.
    """

    actor: Any
    failures: int


class Crew(Closing):
    """Makes the fragments that are missing of a film.

    Args:
        cluster, share: where workers are, and how much of a machine each has.
        order: for each.
        job: the film.
        stages: takes the times of all workers.
        tell: called after every fragment.
    """

    def __init__(
        self,
        cluster: Cluster,
        share: Share,
        order: Order,
        job: FilmJob,
        *,
        stages: Stages,
        tell: Callable[[Progress], None],
    ) -> None:
        self._cluster, self._share, self._job = cluster, share, job
        self._stages, self._tell = stages, tell
        self._ray = import_ray()
        self._order = self._ray.put(order)
        self._actor = self._ray.remote(max_restarts=0, max_task_retries=0, **share.resources)(
            FilmActor
        )
        self._watch = Watch(cluster, share)
        self._free: deque[Span] = deque()
        self._waiting: dict[int, Span] = {}  # by the number of the fragment that each waits for
        self._lost: dict[int, int] = {}  # workers that ended at a fragment, by its number
        self._idle: list[Any] = []
        self._busy: dict[Any, _InHand] = {}
        self._beginning: dict[Any, _Beginning] = {}
        self._room = 0  # for workers
        self._failures = 0  # times in a row that workers ended while they began
        self._begun = self._done = sum(
            fragment.frames for fragment in (*job.work.fragments, *job.work.ahead.values())
        )
        self._start = time.monotonic()

    def work(self, scanning: Scanning) -> None:
        """Until all fragments are made.

        Raises:
            BaseException: with which the scan ended; the fragments before that are made.
            ClusterError: workers end wherever a fragment is tried, or no machine is left.
            TrtcolorError, OSError: as a worker raises it, or the disk is full.
        """
        while True:
            self._room = self._share.workers(self._cluster.nodes())
            self._take(scanning)
            if scanning.over and not (self._free or self._waiting or self._busy):
                break
            self._hire()
            while self._free and self._idle:
                actor, span = self._idle.pop(), self._free.popleft()
                there = actor.ready.remote()
                self._busy[actor.make.remote(span)] = _InHand(actor, span, there)
            self._hear(hurried=not scanning.over and len(self._busy) < self._room)
        if scanning.error is not None:
            raise scanning.error

    def close(self) -> None:
        """Dismiss all workers; a second call does nothing."""
        working = [held.actor for held in self._busy.values()]
        beginning = [hired.actor for hired in self._beginning.values()]
        for actor in (*self._idle, *working, *beginning):
            self._ray.kill(actor)
        self._idle, self._busy, self._beginning = [], {}, {}

    def _take(self, scanning: Scanning) -> None:
        """Spans from the scan, until there is work for as many workers as there is room for."""
        work = self._job.work
        nothing = not (self._busy or self._beginning or self._free)
        while not self._free or len(self._busy) + len(self._free) < self._room:
            span = scanning.take(MOMENT if nothing else 0.0)
            if span is None:
                return
            if work.has(span.number, span.first, len(span.marks)):
                continue
            before = span.number - 1
            if not span.waits:
                self._free.append(span)
            elif before in self._under_way():
                self._waiting[before] = span
            else:
                self._free.append(span.after(work.state(before)))

    def _under_way(self) -> set[int]:
        """Numbers of the fragments that are not made yet, of those that the scan gave."""
        spans = (*self._free, *self._waiting.values(), *(held.span for held in self._busy.values()))
        return {span.number for span in spans}

    def _hire(self) -> None:
        """As many workers as there is room and work for."""
        there = len(self._idle) + len(self._busy) + len(self._beginning)
        for _ in range(min(self._room, len(self._busy) + len(self._free)) - there):
            actor = self._actor.remote(self._order)
            self._beginning[actor.ready.remote()] = _Beginning(actor, self._failures)

    def _hear(self, *, hurried: bool) -> None:
        """What one of the workers says, if any does before it is time to look elsewhere."""
        references = [*self._busy, *self._beginning]
        if not references:
            if self._free:  # and no machine
                time.sleep(self._watch.seconds)
                self._watch.saw(False)
            return
        seconds = MOMENT if hurried else self._watch.seconds
        done, _ = self._ray.wait(references, timeout=seconds)
        self._watch.saw(bool(done) or hurried)
        for reference in done:
            if reference in self._beginning:
                self._greet(reference)
            else:
                self._receive(reference)

    def _greet(self, reference: Any) -> None:
        hired = self._beginning.pop(reference)
        try:
            refusal = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if hired.failures != self._failures:  # another one's of then has counted
                return
            self._failures += 1
            if self._failures == TRIES:
                raise ClusterError(
                    f"workers ended while they opened the film or the model, {TRIES} times in a "
                    f"row ({' '.join(str(error).split())}); machines that run it were needed; try "
                    "it on one without --ray"
                ) from None
            return
        if refusal is not None:
            raise refusal
        self._failures = 0
        self._idle.append(hired.actor)

    def _receive(self, reference: Any) -> None:
        held = self._busy.pop(reference)
        span = held.span
        try:
            outcome: Delivery | Exception = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if self._began(held):
                self._lose(span, error)
            else:
                self._free.appendleft(span)
            return
        self._idle.append(held.actor)
        if isinstance(outcome, Exception):
            raise outcome
        self._job.work.take(outcome.made)
        self._stages.add(outcome.stages, outcome.cpu_seconds)
        if (next_one := self._waiting.pop(span.number, None)) is not None:
            self._free.appendleft(next_one.after(self._job.work.state(span.number)))
        self._done += len(span.marks)
        seconds = time.monotonic() - self._start
        self._tell(Progress(self._done, self._begun, self._job.film.expected, seconds))

    def _began(self, held: _InHand) -> bool:
        """Whether a worker that ended was still there when it was given its fragment."""
        try:
            self._ray.get(held.there)
        except self._ray.exceptions.RayError:
            return False
        return True

    def _lose(self, span: Span, error: Exception) -> None:
        """A worker ended with a fragment in hand: another one makes it."""
        lost = self._lost[span.number] = self._lost.get(span.number, 0) + 1
        frames = f"the {len(span.marks)} frames from {span.first}"
        if lost == TRIES:
            raise ClusterError(
                f"{TRIES} workers ended at {frames} of {self._job.file.name!r} "
                f"({' '.join(str(error).split())}); workers with more memory were needed; give "
                "each more cores (here: --threads), or lower --fragment, and go on with --resume"
            )
        self._job.say(f"a worker was lost; {frames} are made again")
        self._free.appendleft(span)

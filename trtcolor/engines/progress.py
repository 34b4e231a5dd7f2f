"""How far a build is: TensorRT's nested phases as one fraction, and that as a bar."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

Report = Callable[[float, str], None]
"""Called with the fraction done, 0..1 and never falling, and the name of the phase; what it raises
stops the build and reaches whoever asked for it. It is called from another thread."""

_RESOLUTION = 1000


@dataclass
class Phase:
    """One phase under way: a step of it is done when all phases within that step are."""

    steps: int
    done: int = 0
    children: dict[str, Phase] = field(default_factory=dict)

    def fraction(self) -> float:
        """0..1, the step under way counted by the phase in it that is furthest."""
        within = max((child.fraction() for child in self.children.values()), default=0.0)
        return min((self.done + within) / self.steps, 1.0) if self.steps > 0 else 0.0


class Phases:
    """What an ``IProgressMonitor`` is told, summed up; not safe to share between threads.

    TensorRT does not say in which step of its parent a phase lies, nor how long a step takes: a
    phase is taken to lie in the step under way, and the fraction is one of steps, not of time.
    """

    def __init__(self) -> None:
        self._all: dict[str, Phase] = {}
        self._roots: dict[str, Phase] = {}
        self._fraction = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of so many steps begins, within another or at the top."""
        phase = Phase(steps)
        self._all[name] = phase
        siblings = self._all[parent].children if parent in self._all else self._roots
        siblings[name] = phase

    def step(self, name: str, index: int) -> None:
        """Step `index` of a phase, from 0, is done."""
        if name in self._all:
            phase = self._all[name]
            phase.done = max(phase.done, index + 1)
            phase.children.clear()

    def finish(self, name: str) -> None:
        """A phase has ended, at its last step or before it."""
        if name in self._all:
            phase = self._all.pop(name)
            phase.steps = phase.done = 1
            phase.children.clear()

    @property
    def fraction(self) -> float:
        """Of the first phase at the top, 0..1; never less than it was when last asked."""
        first = next(iter(self._roots.values()), None)
        self._fraction = max(self._fraction, first.fraction() if first else 0.0)
        return self._fraction


def progress_monitor(api: Any, report: Report | None) -> Any:
    """An ``IProgressMonitor`` that reports, with what is needed to cancel a build.

    Its method ``cancel()`` stops the build at the next step, as does an exception out of `report`,
    which is kept in the attribute ``failure`` (else None).

    Args:
        api: from `trtcolor.backends._tensorrt.import_tensorrt`.
        report: called after each step and each phase; None: nothing is reported.
    """

    class Monitor(api.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            api.IProgressMonitor.__init__(self)
            self.failure: BaseException | None = None
            self._cancelled = False
            self._phases = Phases()
            self._lock = threading.Lock()  # TensorRT may call from several threads

        def cancel(self) -> None:
            self._cancelled = True

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            with self._lock:
                self._phases.start(name, parent, steps)

        def step_complete(self, name: str, index: int) -> bool:
            with self._lock:
                self._phases.step(name, index)
                self._tell(name)
            return not self._cancelled

        def phase_finish(self, name: str) -> None:
            with self._lock:
                self._phases.finish(name)
                self._tell(name)

        def _tell(self, name: str) -> None:
            if report is None or self._cancelled:
                return
            try:
                report(self._phases.fraction, name)
            except BaseException as error:  # TensorRT would print and forget it
                self.failure = error
                self._cancelled = True

    return Monitor()


@contextmanager
def bar(label: str, stream: TextIO | None = None) -> Iterator[Report]:
    """A `Report` that draws a bar on the terminal; without a terminal only the label is written.

    Args:
        label: before the bar.
        stream: to write to; None is standard error.
    """
    import click

    drawn = 0
    with click.progressbar(
        length=_RESOLUTION, label=label, file=stream or sys.stderr, show_eta=False
    ) as line:

        def report(fraction: float, _: str) -> None:
            nonlocal drawn
            wanted = int(fraction * _RESOLUTION)
            if wanted > drawn:
                line.update(wanted - drawn)
                drawn = wanted

        yield report

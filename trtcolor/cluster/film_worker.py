"""What a worker of a cluster does with a film: it opens both once, then makes fragments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trtcolor.cluster.program import Program, check_program
from trtcolor.cluster.worker import Model
from trtcolor.colorizer import Colorizer
from trtcolor.errors import ClusterError, TrtcolorError
from trtcolor.stages import Stage, Stages
from trtcolor.video.encoding import Encoding
from trtcolor.video.film import colour_by, model_identity
from trtcolor.video.fragments import Made
from trtcolor.video.job import FilmFile
from trtcolor.video.making import FragmentMaker
from trtcolor.video.settings import FilmSettings, identity_of
from trtcolor.video.spans import Span


@dataclass(frozen=True)
class Order:
    """What all workers of a film are told. It pickles.

    Attributes:
        program: which trtcolor this run is by.
        model: to colour with.
        file: the film, by an absolute path.
        encoding, settings: how it is coded and coloured.
        identity: of film, model and settings, as in the manifest of the work.
    """

    program: Program
    model: Model
    file: FilmFile
    encoding: Encoding
    settings: FilmSettings
    identity: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Delivery:
    """A fragment, and what it took. It pickles.

    Attributes:
        made: it.
        stages: what each stage took.
        cpu_seconds: of the worker's process.
    """

    made: Made
    stages: Mapping[str, Stage]
    cpu_seconds: float


class FilmWorker:
    """Makes fragments on a machine of a cluster.

    Args:
        order: of the run.
        machine: this one, for errors.

    Raises:
        ClusterError: this machine has another trtcolor or film, or would make other fragments.
        TrtcolorError: the film or the model does not open.
        OSError: the film cannot be read.
    """

    def __init__(self, order: Order, machine: str) -> None:
        check_program(order.program, machine)
        colorizer = order.model.opened()
        try:
            _check_same(order, colorizer, machine)
            self._stages = Stages()
            self._maker = FragmentMaker(
                order.file,
                order.encoding,
                order.settings,
                colour_by(colorizer, order.settings, self._stages),
                stages=self._stages,
            )
        except BaseException:
            colorizer.close()
            raise
        self._cpu = time.process_time()

    def make(self, span: Span) -> Delivery:
        """Make a fragment; errors are those of `FragmentMaker.make`."""
        made = self._maker.make(span)
        now = time.process_time()
        cpu, self._cpu = now - self._cpu, now
        return Delivery(made, self._stages.taken(), cpu)


class FilmActor:
    """A `FilmWorker` as Ray runs it. What goes wrong there is a result."""

    def __init__(self, order: Order, machine: str | None = None) -> None:
        from trtcolor.cluster.stream import machine_here

        self._worker: FilmWorker | Exception
        try:
            self._worker = FilmWorker(order, machine or machine_here())
        except (TrtcolorError, ValueError, OSError) as error:
            self._worker = error

    def ready(self) -> Exception | None:
        """Why it cannot work; None: it can."""
        return self._worker if isinstance(self._worker, Exception) else None

    def make(self, span: Span) -> Delivery | Exception:
        """A fragment, or why there is none."""
        if isinstance(self._worker, Exception):
            return self._worker
        try:
            return self._worker.make(span)
        except (TrtcolorError, ValueError, OSError) as error:
            return error


def _check_same(order: Order, colorizer: Colorizer, machine: str) -> None:
    wanted = order.identity
    here = {
        "source": order.file.identity(),
        "model": model_identity(colorizer),
        "settings": identity_of(order.settings, order.encoding),
    }
    for what, entries in here.items():
        for name, value in entries.items():
            if value != wanted[what].get(name):
                raise ClusterError(
                    f"machine {machine} has {what} {name} {value!r} and this run has "
                    f"{wanted[what].get(name)!r}; the same on all machines was needed; look at "
                    "that machine (for the backend, name one that all have: --backend)"
                )

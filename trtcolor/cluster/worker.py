"""What a worker of a cluster does: it opens the model once, then makes what it is handed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from trtcolor.archive.budget import Budget
from trtcolor.archive.desk import Desk
from trtcolor.archive.job import STAGES
from trtcolor.archive.local import AHEAD
from trtcolor.archive.making import Existing, Made, Maker, Task
from trtcolor.archive.provenance import Provenance
from trtcolor.archive.settings import PictureSettings
from trtcolor.cluster.program import Program, check_program
from trtcolor.cluster.share import Share
from trtcolor.cluster.shipping import Shipped
from trtcolor.colorizer import Colorizer
from trtcolor.errors import ClusterError
from trtcolor.memory import available_memory
from trtcolor.stages import Stage, Stages
from trtcolor.threads import usable_cores


@dataclass(frozen=True)
class Model:
    """A model, and how each worker opens it. It pickles.

    Attributes:
        shipped: its bundle.
        options: of `Colorizer`.
    """

    shipped: Shipped
    options: Mapping[str, Any]

    def opened(self) -> Colorizer:
        """On this machine, from a copy of the bundle that is written there.

        Raises:
            ClusterError: it cannot be written.
            TrtcolorError: as `Colorizer` does.
        """
        return Colorizer(self.shipped.unpacked(), **self.options)


@dataclass(frozen=True)
class Job:
    """What all workers of a run are told. It pickles.

    Attributes:
        id: of the run; no other has it.
        program: which trtcolor this run is by.
        model: to colour with.
        share: what each worker holds of its machine.
        settings, provenance: of all outputs.
        desk, existing: as for `Maker`.
    """

    id: str
    program: Program
    model: Model
    share: Share
    settings: PictureSettings
    provenance: Provenance
    desk: Desk
    existing: Existing


@dataclass(frozen=True)
class Batch:
    """What became of some tasks. It pickles.

    Attributes:
        made: of each task.
        stages: what each stage took.
        cpu_seconds: of the worker's process.
    """

    made: Sequence[Made]
    stages: Mapping[str, Stage]
    cpu_seconds: float


class Worker:
    """Makes parts of outputs on a machine of a cluster. Threads may share it.

    The threads are as many as its share has cores and `AHEAD` more, for all batches together: while
    the last pictures of one batch are being made, the first of the next one are too.

    Args:
        job: of the run.
        machine: this one, for errors.

    Raises:
        ClusterError: this machine has another trtcolor, or other outputs would come of it.
        TrtcolorError: it does not see the output folder, or the model does not open.
    """

    def __init__(self, job: Job, machine: str) -> None:
        check_program(job.program, machine)
        job.desk.check()
        colorizer = job.model.opened()
        here = Provenance.of(colorizer, job.settings)
        if here != job.provenance:
            colorizer.close()
            raise ClusterError(
                f"machine {machine} would colour with {dict(here.settings)} and this run does with "
                f"{dict(job.provenance.settings)}; the same on all machines was needed; name a "
                "backend that all have (here: --backend)"
            )
        self._stages = Stages(STAGES)
        share = job.share.cores / max(usable_cores(), job.share.cores)
        self._maker = Maker(
            colorizer,
            job.settings,
            job.desk,
            job.existing,
            stages=self._stages,
            budget=Budget(int(available_memory() * share) // 2),
        )
        self._pool = ThreadPoolExecutor(job.share.cores + AHEAD, "trtcolor picture")
        self._lock, self._cpu = threading.Lock(), time.process_time()

    def make(self, tasks: Sequence[Task]) -> Batch:
        """Make some tasks side by side.

        Raises:
            OSError: the disk is full or read-only.
        """
        made = list(self._pool.map(self._maker.make, tasks))
        with self._lock:
            now = time.process_time()
            cpu, self._cpu = now - self._cpu, now
        return Batch(made, self._stages.taken(), cpu)

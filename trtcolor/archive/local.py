"""`Threads`: pictures made side by side by threads of this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing

from trtcolor.archive.budget import Budget
from trtcolor.archive.desk import Desk
from trtcolor.archive.job import NETWORK, READ, STAGES, WRITE, gate_of
from trtcolor.archive.making import Existing, Made, Maker, Task
from trtcolor.archive.pool import unordered
from trtcolor.archive.provenance import Provenance
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer
from trtcolor.memory import available_memory
from trtcolor.stages import Stages
from trtcolor.threads import usable_cores

AHEAD = 1
"""Threads more than cores: some wait for the disk."""


class Threads:
    """`trtcolor.archive.run.Workers` of this process.

    Args:
        colorizer: an open one.
        settings: how.
        pictures: how many there are at most.
        workers: pictures at a time; None: `AHEAD` more than there are cores.
        memory: bytes for the pixels of all pictures that are being made; one that takes more is
            made alone. None: half of what the machine has available.

    Attributes:
        settings, provenance: of the outputs.
        stages: what each stage takes.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        settings: PictureSettings,
        *,
        pictures: int,
        workers: int | None = None,
        memory: int | None = None,
    ) -> None:
        self._colorizer, self._memory = colorizer, memory
        self._workers = min(workers or usable_cores() + AHEAD, max(pictures, 1))
        self.settings = settings
        self.provenance = Provenance.of(colorizer, settings)
        at_once = self._workers
        self.stages = Stages(
            STAGES,
            workers={READ: at_once, NETWORK: 1 if gate_of(colorizer) else at_once, WRITE: at_once},
            unit="picture",
        )

    def made(
        self, tasks: Iterable[Task], desk: Desk, existing: Existing
    ) -> Generator[Sequence[Made], None, None]:
        """What becomes of each task, as soon as it is known."""
        memory = available_memory() // 2 if self._memory is None else self._memory
        maker = Maker(
            self._colorizer,
            self.settings,
            desk,
            existing,
            stages=self.stages,
            budget=Budget(memory),
        )
        with closing(unordered(maker.make, tasks, self._workers)) as results:
            for result in results:
                yield (result,)

"""`Actors`: pictures made by the workers of a cluster, each picture once.

    tasks -> blocks -> Ray Data's actors -> what came is settled; what did not, is made alone

A worker or machine that is lost takes with it the blocks that it had in hand. Their pictures are
made again when the rest is done; one that ends its process every time fails, and the others do not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from trtcolor.archive.desk import Desk
from trtcolor.archive.job import NETWORK, READ, STAGES, WRITE
from trtcolor.archive.local import AHEAD
from trtcolor.archive.making import Existing, Made, Task
from trtcolor.archive.settings import PictureSettings
from trtcolor.cluster.alone import made_alone
from trtcolor.cluster.connection import Cluster, Node
from trtcolor.cluster.description import described
from trtcolor.cluster.machines import check_machines
from trtcolor.cluster.program import program_here
from trtcolor.cluster.share import Share
from trtcolor.cluster.stream import AT_ONCE, streamed
from trtcolor.cluster.worker import Batch, Job, Model
from trtcolor.stages import Stages
from trtcolor.stores.address import Address

BLOCK = 16
"""Pictures that a worker is handed at a time, and loses at a time."""
ROUNDS = 3
"""Of blocks; what is left of them, or is not worth new actors, is made picture by picture."""
CAMPAIGN = 100_000
"""Pictures that Ray is told of at a time: their names are in its memory."""


class Actors:
    """`trtcolor.archive.run.Workers` of a cluster.

    Args:
        cluster: connected.
        share: what each worker holds of its machine.
        model: to colour with.
        settings: how; its style is replaced by that of `style`.
        root: the folder of all pictures, which each machine must see, or prefix of a store.
        style: pixels of a picture whose global features all others get; None: each its own.
        tell: is told in a sentence what a user should know: which backend ``auto`` took, that
            workers were lost.

    Attributes:
        settings, provenance: of the outputs.
        stages: what each stage takes, of all workers together.

    Raises:
        ClusterError: no worker opens the model, for want of a machine or of trtcolor there.
        TrtcolorError, ValueError: as a worker's `Colorizer` raises it.
    """

    def __init__(
        self,
        cluster: Cluster,
        share: Share,
        model: Model,
        settings: PictureSettings,
        *,
        root: Path | Address,
        style: NDArray[Any] | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._cluster, self._share, self._model = cluster, share, model
        self._root, self._tell = root, tell
        check_machines(cluster, self._nodes(), paths=[root] if isinstance(root, Path) else ())
        first = described(cluster, share, model, settings, style, tell)
        self.settings, self.provenance = first.settings, first.provenance
        if first.backend_reason is not None:
            tell(f"backend {first.backend}: {first.backend_reason}")
        workers = share.workers(cluster.nodes())
        at_once = workers * (share.cores + AHEAD)
        self.stages = Stages(
            STAGES,
            workers={READ: at_once, NETWORK: workers if share.gpus else at_once, WRITE: at_once},
            cores=workers * share.cores,
            unit="picture",
        )

    def made(
        self, tasks: Iterable[Task], desk: Desk, existing: Existing
    ) -> Generator[Sequence[Made], None, None]:
        """What becomes of each task, a block at a time; see `trtcolor.archive.run.Workers`."""
        check_machines(self._cluster, self._nodes(), desk=desk)
        job = Job(
            id=secrets.token_hex(8),
            program=program_here(),
            model=self._model,
            share=self._share,
            settings=self.settings,
            provenance=self.provenance,
            desk=desk,
            existing=existing,
        )
        coming = iter(tasks)
        while some := list(islice(coming, CAMPAIGN)):
            yield from self._campaign(job, {task.output.as_posix(): task for task in some})

    def _campaign(self, job: Job, left: dict[str, Task]) -> Iterator[Sequence[Made]]:
        """All of some tasks; each is taken out of `left` when it comes, and comes once."""
        for _ in range(ROUNDS):
            tasks, size = list(left.values()), self._block(len(left))
            blocks = [tasks[begin : begin + size] for begin in range(0, len(tasks), size)]
            with closing(streamed(self._cluster, self._share, job, blocks)) as batches:
                yield from self._new(batches, left)
            if not left:
                return
            self._tell(
                f"{len(left)} pictures did not come back from workers that were lost; they are "
                "made again"
            )
            if len(left) <= BLOCK * AT_ONCE * self._share.workers(self._nodes()):
                break
        with closing(made_alone(self._cluster, self._share, job, list(left.values()))) as batches:
            yield from self._new(batches, left)

    def _new(self, batches: Iterable[Batch], left: dict[str, Task]) -> Iterator[Sequence[Made]]:
        for batch in batches:
            self.stages.add(batch.stages, batch.cpu_seconds)
            yield [
                made
                for made in batch.made
                if made.record.output is not None and left.pop(made.record.output, None) is not None
            ]

    def _block(self, pictures: int) -> int:
        """Pictures of a block: few where there are few, and enough to keep a worker's threads."""
        threads = self._share.cores + AHEAD
        workers = max(1, self._share.workers(self._nodes()))
        least = -(-threads // AT_ONCE)
        return max(least, min(max(BLOCK, threads), pictures // (workers * AT_ONCE * 4)))

    def _nodes(self) -> list[Node]:
        return [node for node in self._cluster.nodes() if self._share.fits(node)]

"""How much of a machine one worker holds, and how many workers a cluster has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtcolor.backends.available import CUDA, TENSORRT
from trtcolor.cluster.connection import Cluster, Node
from trtcolor.errors import ClusterError

MOST_CORES = 4
"""Of a worker without a GPU, where nobody says otherwise."""


@dataclass(frozen=True)
class Share:
    """What one worker holds of a machine.

    Attributes:
        cores: logical processors; the worker uses as many threads.
        gpus: 1: it has a GPU for itself; 0: none.
    """

    cores: int
    gpus: int = 0

    @property
    def resources(self) -> dict[str, Any]:
        """As Ray's ``remote`` and ``map_batches`` take it."""
        return {"num_cpus": self.cores, "num_gpus": self.gpus}

    def fits(self, node: Node) -> int:
        """How many of these a machine has room for."""
        by_cores = node.cores // self.cores
        return min(by_cores, node.gpus // self.gpus) if self.gpus else by_cores

    def workers(self, nodes: Sequence[Node]) -> int:
        """How many of these there is room for."""
        return sum(self.fits(node) for node in nodes)


def share_of(cluster: Cluster, *, cores: int | None = None, gpu: bool | None = False) -> Share:
    """What each worker is to hold of its machine.

    Args:
        cores: of a worker; None: with a GPU, the cores of a machine divided by its GPUs, else the
            number up to `MOST_CORES` that leaves the fewest cores of the cluster idle.
        gpu: whether each needs a GPU; None: if any machine has one.

    Raises:
        ClusterError: no machine has as much.
    """
    nodes = cluster.nodes()
    if gpu is None:
        gpu = any(node.gpus for node in nodes)
    able = [node for node in nodes if node.gpus] if gpu else list(nodes)
    if cores is None and able:
        if gpu:
            cores = max(1, min(node.cores // node.gpus for node in able))
        else:
            cores = min(range(MOST_CORES, 0, -1), key=lambda few: _idle(able, few))
    share = Share(cores or 1, int(gpu))
    if not share.workers(nodes):
        has = ", ".join(f"{node.name}: {node.cores} and {node.gpus}" for node in nodes) or "none"
        raise ClusterError(
            f"no machine of the cluster at {cluster.address} has {share.cores} cores"
            f"{' and a GPU' if gpu else ''} (cores and GPUs of each: {has}); one was needed; "
            "start it there with `ray start`, or ask for less (here: --threads, --backend)"
        )
    return share


def _idle(nodes: Sequence[Node], cores: int) -> int:
    return sum(node.cores % cores for node in nodes)


def needs_gpu(backend: str | None, engine: Path | None = None) -> bool | None:
    """Whether a worker needs a GPU of its own.

    Args:
        backend: of a `Colorizer`.
        engine: folder of an engine, in its place.

    Returns:
        None: ``auto`` takes one where there is one.

    Raises:
        EngineError: there is no engine in that folder.
    """
    if engine is not None:
        from trtcolor.engines.entry import open_entry

        backend = open_entry(engine).sidecar.identity.config.backend
    return None if backend == "auto" else backend in (*TENSORRT, *CUDA)

"""A real Ray cluster of several nodes on this machine, each a set of processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MEMORY = 100 << 20
"""Of each node's object store, in bytes; the least that Ray takes is 75 MiB."""


class Nodes:
    """The cluster: a head without cores, where the driver runs, and nodes that work.

    Attributes:
        address: ``HOST:PORT`` of the head.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._workers: list[Any] = []
        self.address: str = cluster.address

    def add(self, cores: int = 1) -> str:
        """Start a node; its id."""
        node = self._cluster.add_node(num_cpus=cores, object_store_memory=MEMORY)
        self._workers.append(node)
        return str(node.node_id)

    def kill(self, node_id: str) -> None:
        """SIGKILL to every process of a node, its workers too, at once."""
        (node,) = (node for node in self._workers if node.node_id == node_id)
        own = [info.process.pid for infos in node.all_processes.values() for info in infos]
        for pid in _with_descendants(own):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)
        self._workers.remove(node)

    def ids(self) -> list[str]:
        return [str(node.node_id) for node in self._workers]


def _with_descendants(pids: list[int]) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = list(pids)
    for one in found:  # which grows
        found += [pid for pid, parent in pairs if parent == one and pid not in found]
    return found


@contextmanager
def ray_cluster(*cores: int) -> Iterator[Nodes]:
    """A head, and a node with so many cores for each number."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        nodes = Nodes(cluster)
        for number in cores:
            nodes.add(number)
        yield nodes
    finally:
        cluster.shutdown()

"""A real Ray cluster of several nodes on this machine, each a set of processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

MEMORY = 100 << 20
"""Of each node's object store, in bytes; the least that Ray takes is 75 MiB."""
QUICK = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}
"""A dead node is known to be so after 2 seconds; Ray's own settings take 15."""
KILLS = """
import os, signal, sys, time

WAIT = os.path.join(os.path.dirname(__file__), "wait")

def hook(event, arguments):
    if event != "open":
        return
    if str(arguments[0]).endswith("killer.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    while str(arguments[0]).endswith("slow.png") and os.path.exists(WAIT):
        time.sleep(0.05)

sys.addaudithook(hook)
"""


class Nodes:
    """The cluster: a head without cores, where the driver runs, and nodes that work.

    Attributes:
        address: ``HOST:PORT`` of the head.
        wait: while this file is there, nodes do not get on with a ``slow.png``.
    """

    def __init__(self, cluster: Any, folder: Path, environment: dict[str, str]) -> None:
        own = {"PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
        self._cluster, self._environment = cluster, environment | own
        self.wait = folder / "wait"
        self._working: list[Any] = []
        self.address: str = cluster.address

    def add(self, cores: int = 1) -> str:
        """Start a node; its id."""
        with mock.patch.dict(os.environ, self._environment):
            node = self._cluster.add_node(num_cpus=cores, object_store_memory=MEMORY)
        self._working.append(node)
        return str(node.node_id)

    def kill(self, node_id: str) -> None:
        """SIGKILL to every process of a node, its workers too, at once."""
        (node,) = (node for node in self._working if node.node_id == node_id)
        for pid in self.processes(node_id):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)
        self._working.remove(node)

    def processes(self, node_id: str) -> list[int]:
        """Numbers of all processes of a node."""
        (node,) = (node for node in self._working if node.node_id == node_id)
        own = [info.process.pid for infos in node.all_processes.values() for info in infos]
        return _with_descendants(own)

    def ids(self) -> list[str]:
        """Of the nodes that work."""
        return [str(node.node_id) for node in self._working]


def _with_descendants(pids: list[int]) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = list(pids)
    for one in found:  # which grows
        found += [pid for pid, parent in pairs if parent == one and pid not in found]
    return found


@contextmanager
def ray_cluster(
    *cores: int, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[Nodes]:
    """A head, and a node with so many cores for each number.

    Processes of the latter are killed by opening a file whose name ends in ``killer.png``.

    Args:
        folder: for what makes them so, and for their cache.
        environment: of the nodes, beside that of this process.
    """
    (folder / "sitecustomize.py").write_text(KILLS, encoding="utf-8")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head | {"_system_config": QUICK})
    try:
        nodes = Nodes(cluster, folder, environment or {})
        for number in cores:
            nodes.add(number)
        yield nodes
    finally:
        cluster.shutdown()

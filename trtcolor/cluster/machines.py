"""Each machine is looked at before the work: the same trtcolor, the same folders."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trtcolor.archive.desk import Desk
from trtcolor.cluster.connection import Cluster, Node, import_ray
from trtcolor.cluster.program import program_here
from trtcolor.errors import ClusterError

SECONDS_TO_LOOK = 120.0
"""A machine's first worker starts within seconds, where its disk is not a slow network's."""


def check_machines(
    cluster: Cluster,
    nodes: Sequence[Node],
    *,
    paths: Iterable[Path] = (),
    desk: Desk | None = None,
) -> None:
    """Refuse a machine that has another trtcolor, or does not see the same files.

    Args:
        nodes: those that are going to work.
        paths: absolute, of files or folders that each must see.
        desk: of the output folder that each must see as this process does; None: there is none.

    Raises:
        ClusterError: the first machine that has not what was needed; one that dies meanwhile is
            none, unless all do.
    """
    faults = list(_faults(cluster, nodes, [os.path.abspath(path) for path in paths], desk))
    for fault in faults:
        if fault is not None:
            raise ClusterError(fault)
    if not faults:
        raise ClusterError(
            f"no machine of the cluster at {cluster.address} is alive; one with cores was needed; "
            "start it there with `ray start`"
        )


def _faults(
    cluster: Cluster, nodes: Sequence[Node], paths: Sequence[str], desk: Desk | None
) -> Iterator[str | None]:
    """What is wrong on each machine that answers; None: nothing."""
    ray = import_ray()
    strategies = import_ray("ray.util.scheduling_strategies")
    wanted = pickle.dumps((program_here(), desk))
    look = ray.remote(num_cpus=0, max_retries=0)(_look())
    asked: dict[Any, Node] = {
        look.options(
            scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote(wanted, paths, node.name): node
        for node in nodes
    }
    done, waiting = ray.wait(list(asked), num_returns=len(asked), timeout=SECONDS_TO_LOOK)
    for reference in waiting:
        yield (
            f"machine {asked[reference].name} of the cluster at {cluster.address} did not answer "
            f"within {SECONDS_TO_LOOK:.0f} s; one that works was needed; look at it with ray status"
        )
    for reference in done:
        try:
            yield ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            yield (
                f"machine {asked[reference].name} cannot be looked at "
                f"({' '.join(str(error.cause).split())}); one with trtcolor was needed; install it "
                "there"
            )
        except ray.exceptions.RayError:  # it has died
            continue


def _look() -> Callable[..., str | None]:
    """A function that travels whole: a machine without trtcolor can run it too."""

    def look(wanted: bytes, paths: Sequence[str], machine: str) -> str | None:
        import os
        import pickle

        try:
            from trtcolor.cluster.program import check_program
            from trtcolor.errors import TrtcolorError
        except ImportError as error:
            return (
                f"machine {machine} does not import trtcolor ({error}); the same on all machines "
                "was needed; install it there, with the extra ray"
            )
        for path in paths:
            if not os.path.lexists(path):
                return (
                    f"machine {machine} does not see {path}; a folder that all machines of the "
                    "cluster share was needed; mount it there under the same path"
                )
        try:
            program, desk = pickle.loads(wanted)
            check_program(program, machine)
            if desk is not None:
                desk.check()
        except TrtcolorError as error:
            text = str(error)
            return text if machine in text else f"on machine {machine}: {text}"
        return None

    return look

"""`Watch`: sees that no machine is left, where Ray would wait for ever for others to join."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from trtcolor.cluster.connection import Cluster, import_ray
from trtcolor.cluster.share import Share
from trtcolor.errors import ClusterError

PATIENCE = 60.0
"""Seconds that a run waits for a machine, once none is left."""


class Watch:
    """Looks at the machines while nothing comes.

    Attributes:
        seconds: to wait for something, each time.
    """

    seconds = 2.0

    def __init__(self, cluster: Cluster, share: Share) -> None:
        self._cluster, self._share = cluster, share
        self._seen = time.monotonic()

    def wait(self, reference: Any, tell: Callable[[float], None] = lambda seconds: None) -> None:
        """Until what a task gives is there, or the task has failed.

        Args:
            tell: is told how many seconds it has waited so far, each time that it looks.

        Raises:
            ClusterError: as `saw`.
        """
        waited = 0.0
        while not import_ray().wait([reference], timeout=self.seconds)[0]:
            self.saw(False)
            waited += self.seconds
            tell(waited)

    def saw(self, something: bool) -> None:
        """Be told, after each wait, whether something came.

        Raises:
            ClusterError: nothing came for `PATIENCE` seconds in which there was no machine.
        """
        if something or self._share.workers(self._cluster.nodes()):
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            raise ClusterError(
                f"no machine with room for a worker is left in the cluster at "
                f"{self._cluster.address}, for {PATIENCE:.0f} s now; one was needed; start it with "
                "`ray start`, and begin again"
            )

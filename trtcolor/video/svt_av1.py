"""What SVT-AV1 does to its process beside encoding, and how it is kept from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def restrained() -> Iterator[None]:
    """While an encoder is opened, which may be SVT-AV1.

    It tells of itself on standard error. And where it may, as root may in a container, it gives the
    thread that opens it and its own threads a realtime priority (``SCHED_FIFO`` 99): whatever else
    runs on the machine waits for them, and so may a thread of this process that holds what the
    others wait for. Afterwards these have the calling thread's policy of before again.
    """
    os.environ.setdefault("SVT_LOG", "1")
    if sys.platform != "linux":
        yield
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    before = _threads()
    try:
        yield
    finally:
        for thread in _threads() - before | {0}:  # 0: the calling one
            with suppress(OSError):  # it has ended
                if os.sched_getscheduler(thread) != policy:
                    os.sched_setscheduler(thread, policy, parameter)


def _threads() -> set[int]:
    """The kernel's numbers of this process's threads."""
    return {int(entry.name) for entry in Path("/proc/self/task").iterdir()}

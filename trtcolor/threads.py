"""How many threads: what this process may use, and what a caller asked for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

MAX_THREADS = 1024
"""ONNX Runtime starts them all at once; 100,000 take it minutes."""


def usable_cores() -> int:
    """Logical processors that this process may use, which a container may limit."""
    return len(_allowed())


def physical_cores(allowed: Iterable[int] | None = None, root: Path = Path("/")) -> int | None:
    """Cores behind the processors that this process may use; None where the system is silent.

    Two processors of one core share its arithmetic units: a matrix product takes no less time on
    both.

    Args:
        allowed: numbers of the processors; None: those of this process.
        root: where ``sys`` lies.
    """
    cores = set()
    for number in _allowed() if allowed is None else allowed:
        topology = root / f"sys/devices/system/cpu/cpu{number}/topology"
        try:
            names = ("physical_package_id", "core_id")
            cores.add(tuple((topology / name).read_text(encoding="ascii") for name in names))
        except OSError:  # not Linux, or a container that hides it
            return None
    return len(cores)


def checked_threads(threads: int | None) -> int | None:
    """The same value if it is None or an integer from 1 to `MAX_THREADS`.

    Raises:
        ValueError: it is something else.
    """
    if threads is not None and (
        isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS
    ):
        raise ValueError(
            f"threads is {threads!r}; a positive integer up to {MAX_THREADS} was needed, or None "
            "for one a core; pass one of these"
        )
    return threads


def _allowed() -> Collection[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)

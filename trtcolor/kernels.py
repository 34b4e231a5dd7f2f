"""The compiled kernels: loading them, and how many threads they use."""

from __future__ import annotations

from operator import index

from trtcolor.arrays import shown
from trtcolor.threads import usable_cores

try:
    from trtcolor import _color
except ImportError as error:
    raise ImportError(
        "trtcolor's compiled module trtcolor._color is not there or does not load "
        f"({error}); build it with: pip install -e ."
    ) from error

__all__ = ["_color", "get_threads", "set_threads", "thread_count"]

_MOST = 2**31 - 1  # what a C int holds; the pool starts no more threads than it has work for


_threads = usable_cores()


def set_threads(threads: int) -> None:
    """Set how many threads a call uses at most where it says ``threads=None``.

    At first this is the number of processors that the process may use. The calling thread is one
    of them, and does small pictures (under 100 000 pixels) alone. The result is the same for every
    number.

    Raises TypeError if that is no whole number, ValueError if it is below 1.
    """
    global _threads
    _threads = _whole(threads)


def get_threads() -> int:
    """The number that `set_threads` sets."""
    return _threads


def thread_count(threads: int | None) -> int:
    """What a function was given as ``threads=``, checked; the default for None."""
    return _threads if threads is None else _whole(threads)


def _whole(threads: int) -> int:
    try:
        if isinstance(threads, bool):
            raise TypeError
        count = index(threads)
    except TypeError:
        raise TypeError(
            f"threads is {shown(threads)}, but must be a whole number; pass 1 or more"
        ) from None
    if count < 1:
        raise ValueError(f"threads is {count}, but must be at least 1; pass 1 or more")
    return min(count, _MOST)

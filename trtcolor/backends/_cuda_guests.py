"""Memory of other libraries, theirs again only when the work on it is done."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from trtcolor.backends._cuda_calls import using
from trtcolor.backends._cuda_streams import Event, Stream
from trtcolor.errors import BackendError

_waiting: deque[tuple[list[Event], Callable[[], None]]] = deque()
"""Given up, but streams still work on it; a deque, as finalizers can take no lock."""


class Guest:
    """Holds memory of another library.

    With its last holder it is given back, though not before those streams have done what they were
    given that it is `used_by`; those that are closed by then must have been synchronised. That is
    looked at when another guest comes or goes.

    Args:
        device: index of the GPU.
        give_back: called once; it may be called in any thread.
    """

    def __init__(self, device: int, give_back: Callable[[], None]) -> None:
        settle()
        self._streams: dict[int, Stream] = {}
        self._release = weakref.finalize(self, _part, device, give_back, self._streams)
        self._release.atexit = False

    def used_by(self, stream: Stream) -> None:
        """Say that a stream works on it; the stream must outlive the guest."""
        self._streams.setdefault(stream.handle, stream)


def settle(*, wait: bool = False) -> None:
    """Give back what no stream works on any more; or wait for the streams, and give back all."""
    for _ in range(len(_waiting)):
        with suppress(IndexError):  # another thread may have it
            marks, give_back = _waiting.popleft()
            if wait or all(_done(mark) for mark in marks):
                for mark in marks if wait else ():
                    with suppress(BackendError):
                        mark.synchronize()
                give_back()
            else:
                _waiting.append((marks, give_back))


def _part(device: int, give_back: Callable[[], None], streams: dict[int, Stream]) -> None:
    marks: list[Event] = []
    with suppress(BackendError), using(device):
        marks = [Event().record(stream) for stream in streams.values() if not stream.closed]
    _waiting.append((marks, give_back))
    settle()


def _done(mark: Event) -> bool:
    try:
        return mark.done()
    except BackendError:  # nothing works on it any more
        return True

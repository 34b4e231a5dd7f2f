"""Device memory that goes back to a pool with its last holder, in the order of streams."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trtcolor.backends._cuda_calls import call, import_runtime, release, using
from trtcolor.backends._cuda_streams import LEGACY, PER_THREAD, Event, Stream
from trtcolor.errors import BackendError, OutOfDeviceMemoryError

PATIENCE = 100
"""A block that this many takes did not want is freed."""
SMALL, LARGE = 512, 1 << 20
"""Sizes are rounded up to a multiple of the first, from the second on of a sixteenth of it."""


class Block:
    """Device memory of a `Pool`, at `address`, of `size` bytes or a little more.

    With its last holder it goes back, and its next holder's stream waits for what those streams do
    that it was taken for or `used_by`. If one of these is closed by then it is freed.
    """

    def __init__(self, pool: Pool, address: int, size: int, room: int, stream: Stream) -> None:
        self.address = address
        self.size = size
        self._streams = {_number(stream): stream}
        self._release = weakref.finalize(self, pool._give_back, address, room, self._streams)
        self._release.atexit = False

    def used_by(self, stream: Stream) -> None:
        """Say that another stream works on it; the stream must outlive the block."""
        self._streams.setdefault(_number(stream), stream)

    def close(self) -> None:
        """Give it back now; a second call does nothing."""
        self._release()


@dataclass(eq=False)
class _Spare:
    address: int
    room: int
    marks: dict[int, Event]  # by stream
    since: int

    def waits(self, stream: Stream) -> list[Event]:
        """What that stream must wait for before it works on the memory."""
        own = _number(stream)
        same = own != PER_THREAD  # that is another stream in each thread
        return [
            mark
            for number, mark in self.marks.items()
            if not (same and number == own) and not mark.done()
        ]


class Pool:
    """Blocks of one GPU's memory; once warm, a take allocates nothing. Threads may share it.

    Args:
        device: index of the GPU.
    """

    def __init__(self, device: int = 0) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._spares: list[_Spare] = []
        self._returned: deque[_Spare] = deque()  # by finalizers, which can take no lock
        self._takes = 0
        self._closed = False
        spares, returned = self._spares, self._returned
        weakref.finalize(self, _free_all, import_runtime(), spares, returned).atexit = False

    def take(self, size: int, stream: Stream) -> Block:
        """At least `size` bytes for work in a stream; what is in them is anything.

        Raises:
            OutOfDeviceMemoryError: the GPU has not that much, spare blocks given up.
            BackendError: the GPU failed, or the pool is closed.
        """
        if size == 0:
            return Block(self, 0, 0, 0, stream)
        with self._lock:
            if self._closed:
                raise BackendError(
                    "memory was to be taken from a closed pool; an open one was needed; make a new "
                    "Colorizer"
                )
            self._takes += 1
            self._gather()
            spare = self._fitting(_rounded(size), stream)
            if spare is not None:
                for mark in spare.waits(stream):
                    stream.wait(mark)
                return Block(self, spare.address, size, spare.room, stream)
            return Block(self, self._allocate(_rounded(size)), size, _rounded(size), stream)

    def trim(self) -> None:
        """Free what nobody holds; it waits for the GPU."""
        with self._lock:
            self._gather()
            self._free(self._spares[:])

    def close(self) -> None:
        """Free what nobody holds, and the rest with its holders; a later `take` raises."""
        with self._lock:
            self._closed = True
            self._gather()
            self._free(self._spares[:])

    def _gather(self) -> None:
        with suppress(IndexError):
            while True:
                spare = self._returned.popleft()
                spare.since = self._takes
                self._spares.append(spare)

    def _fitting(self, room: int, stream: Stream) -> _Spare | None:
        fitting = [spare for spare in self._spares if room <= spare.room <= 2 * room]
        if not fitting:
            return None
        best = min(fitting, key=lambda spare: (bool(spare.waits(stream)), spare.room, spare.since))
        self._spares.remove(best)
        return best

    def _allocate(self, room: int) -> int:
        self._free([s for s in self._spares if self._takes - s.since > PATIENCE])
        with using(self.device):
            try:
                return int(call("cudaMalloc", room))
            except OutOfDeviceMemoryError:
                if not self._spares:
                    raise
                self._free(self._spares[:])
                return int(call("cudaMalloc", room))

    def _free(self, spares: list[_Spare]) -> None:
        for spare in spares:
            self._spares.remove(spare)
            release(import_runtime(), "cudaFree", spare.address)

    def _give_back(self, address: int, room: int, streams: dict[int, Stream]) -> None:
        """Called by finalizers: in any thread, and in the midst of anything."""
        if not address:
            return
        runtime = import_runtime()
        if any(stream.closed for stream in streams.values()):  # there no mark can be set any more
            release(runtime, "cudaFree", address)  # which waits for all of the GPU
            return
        try:
            with using(self.device):
                marks = {number: Event().record(stream) for number, stream in streams.items()}
        except BackendError:  # cudaFree waits for all of the GPU, or went with it
            release(runtime, "cudaFree", address)
            return
        self._returned.append(_Spare(address, room, marks, self._takes))
        if self._closed:
            _free_all(runtime, [], self._returned)


def _free_all(runtime: Any, spares: list[_Spare], returned: deque[_Spare]) -> None:
    with suppress(IndexError):  # another thread may free them too
        while True:
            release(runtime, "cudaFree", returned.popleft().address)
    while spares:
        release(runtime, "cudaFree", spares.pop().address)


def _number(stream: Stream) -> int:
    return stream.handle or LEGACY


def _rounded(size: int) -> int:
    step = SMALL if size < LARGE else 1 << (size.bit_length() - 5)
    return -(-size // step) * step

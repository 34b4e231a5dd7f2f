"""Buffers for runs on arrays of the host: page-locked on its side, so that copies overlap work."""

from __future__ import annotations

import math
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Shape
from trtcolor.errors import BackendError


@dataclass(frozen=True)
class Streams:
    """In which the runs of a runner go: the copies of one overlap the work of another."""

    upload: _cuda.Stream
    compute: _cuda.Stream
    download: _cuda.Stream

    @classmethod
    def new(cls) -> Streams:
        return cls(_cuda.Stream(), _cuda.Stream(), _cuda.Stream())

    def settle(self) -> None:
        """Wait for all that is in them, whatever came of it."""
        for stream in (self.upload, self.compute, self.download):
            with suppress(BackendError):
                stream.synchronize()

    def close(self) -> None:
        """Give them back, empty."""
        for stream in (self.upload, self.compute, self.download):
            with suppress(BackendError):
                stream.close()


class Slot:
    """All buffers of one run. They grow to the largest shape, then nothing is allocated any more.

    Args:
        types: dtype of each input and output by name.
    """

    def __init__(self, types: Mapping[str, np.dtype[Any]]) -> None:
        self._types = types
        self._host = {name: _cuda.PinnedBuffer() for name in types}
        self._device = {name: _cuda.Buffer() for name in types}
        self._uploaded, self._computed, self._done = _cuda.Event(), _cuda.Event(), _cuda.Event()

    def upload(self, arrays: Mapping[str, NDArray[Any]], streams: Streams) -> None:
        """Copy the inputs, and let the work begin behind that."""
        self._done.synchronize()  # of whoever had the slot and did not wait
        for name, array in arrays.items():
            host = self._host[name].array(array.shape, self._types[name])
            np.copyto(host, array, casting="same_kind")
            address = self._device[name].reserve(host.nbytes)
            _cuda.copy_async(address, host.ctypes.data, host.nbytes, streams.upload)
        self._uploaded.record(streams.upload)
        streams.compute.wait(self._uploaded)

    def reserve(self, shapes: Mapping[str, Shape]) -> None:
        """Make room for outputs."""
        for name, shape in shapes.items():
            self._device[name].reserve(math.prod(shape) * self._types[name].itemsize)

    def addresses(self, names: Sequence[str]) -> tuple[int, ...]:
        """In device memory, of what was uploaded or reserved."""
        return tuple(self._device[name].address for name in names)

    def download(
        self, names: Sequence[str], shapes: Mapping[str, Shape], streams: Streams
    ) -> list[NDArray[Any]]:
        """Copy outputs behind the work; the arrays are the slot's and hold them after `wait`."""
        self._computed.record(streams.compute)
        streams.download.wait(self._computed)
        views = []
        for name in names:
            view = self._host[name].array(shapes[name], self._types[name])
            source = self._device[name].address
            _cuda.copy_async(view.ctypes.data, source, view.nbytes, streams.download)
            views.append(view)
        self._done.record(streams.download)
        return views

    def wait(self) -> None:
        """Until the run is over.

        Raises:
            BackendError: it failed.
        """
        self._done.synchronize()

    def close(self) -> None:
        """Give its memory back; nothing that uses it is under way."""
        for pinned in self._host.values():
            pinned.close()
        for buffer in self._device.values():
            buffer.close()
        for event in (self._uploaded, self._computed, self._done):
            event.close()


class Slots:
    """The slots of one engine: as many as there were runs at a time whose results nobody took."""

    def __init__(self, types: Mapping[str, np.dtype[Any]]) -> None:
        self._types = types
        # A deque needs no lock, which a garbage collection while it is held could ask for again.
        self._free: deque[Slot] = deque()
        self._closed = False

    def take(self) -> Slot:
        """The slot that was given back first, or a new one."""
        try:
            return self._free.popleft()
        except IndexError:
            return Slot(self._types)

    def give_back(self, slot: Slot) -> None:
        self._free.append(slot)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Free those that nobody has; the others are freed when they are given back."""
        self._closed = True
        while self._free:
            with suppress(IndexError):  # another thread was quicker
                self._free.popleft().close()


class Begun:
    """A run under way: a `trtcolor.backends.base.Pending`."""

    def __init__(self, slots: Slots, slot: Slot, views: list[NDArray[Any]]) -> None:
        self._slot = slot
        self._views: list[NDArray[Any]] | None = views
        self._give_back = weakref.finalize(self, slots.give_back, slot)
        self._give_back.atexit = False
        self._lock = threading.Lock()

    def result(self) -> list[NDArray[np.float32]]:
        """Wait for the run and return its outputs; see `trtcolor.backends.base.Pending.result`."""
        with self._lock:
            if self._views is None:
                raise BackendError(
                    "the result of a run was asked for a second time; once was needed; keep it"
                )
            views, self._views = self._views, None
            try:
                self._slot.wait()
                return [view.copy() for view in views]
            finally:
                self._give_back()

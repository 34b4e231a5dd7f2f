"""Memory of the GPU and page-locked memory of the host, and copies between all memory."""

from __future__ import annotations

import ctypes
import math
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtcolor.backends._cuda_calls import call, import_runtime, release
from trtcolor.backends._cuda_streams import Stream


class Buffer:
    """Device memory that grows to the largest size asked for and is kept."""

    def __init__(self) -> None:
        self.address = 0
        self.size = 0
        self._release: Any = None

    def reserve(self, size: int) -> int:
        """The address of at least `size` bytes; what was in it is lost where it grows.

        Raises:
            OutOfDeviceMemoryError: the GPU has not that much; the buffer is then empty.
            BackendError: the GPU failed.
        """
        if size > self.size:
            self.close()
            self.address = int(call("cudaMalloc", size))
            self.size = size
            self._release = weakref.finalize(
                self, release, import_runtime(), "cudaFree", self.address
            )
            self._release.atexit = False
        return self.address

    def upload(self, array: NDArray[Any], stream: Stream) -> None:
        """Put a contiguous array in; it must live until the stream is synchronised."""
        copy_async(self.reserve(array.nbytes), array.ctypes.data, array.nbytes, stream)

    def download(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], stream: Stream
    ) -> NDArray[Any]:
        """A new array that is filled once the stream is synchronised."""
        array: NDArray[Any] = np.empty(shape, dtype)
        copy_async(array.ctypes.data, self.address, array.nbytes, stream)
        return array

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        if self._release is not None:
            self._release()
        self.address, self.size, self._release = 0, 0, None


class PinnedBuffer:
    """Page-locked host memory, which the GPU copies while the host works; it grows and is kept.

    Arrays in it keep their memory alive, also after the buffer grew or was closed.
    """

    def __init__(self) -> None:
        self.size = 0
        self._memory: Any = None

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """The beginning of the buffer as an array of that shape; the same memory at each call.

        Raises:
            OutOfDeviceMemoryError: the host has not that much memory that can be locked.
            BackendError: the GPU failed.
        """
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        if size > self.size:
            self.close()
            self._memory, self.size = _pinned(size), size
        if size == 0:
            return np.empty(shape, dtype)
        flat: NDArray[Any] = np.frombuffer(self._memory, dtype, math.prod(shape))
        return flat.reshape(shape)

    def close(self) -> None:
        """Give it back with its last array; a second call does nothing."""
        self._memory, self.size = None, 0


def copy_async(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy bytes between any two addresses, of the host or the GPU, in the order of a stream.

    Both must live until the stream has done it. Of the host's memory only a `PinnedBuffer`'s is
    copied while the host works on.

    Raises:
        BackendError: the GPU failed.
    """
    if size:
        kind = import_runtime().cudaMemcpyKind.cudaMemcpyDefault  # addresses tell where they are
        call("cudaMemcpyAsync", target, source, size, kind, stream.handle)


def _pinned(size: int) -> Any:
    runtime = import_runtime()
    address = int(call("cudaHostAlloc", size, runtime.cudaHostAllocPortable))
    memory = (ctypes.c_char * size).from_address(address)
    weakref.finalize(memory, release, runtime, "cudaFreeHost", address).atexit = False
    return memory

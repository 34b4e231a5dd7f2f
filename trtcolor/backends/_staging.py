"""Copies between arrays of the host and addresses of a GPU, by way of page-locked memory.

Only from and to page-locked memory does the GPU copy while the host and the other streams work.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends._cuda import Event, PinnedBuffer, Stream, copy_async

MOST = 64
"""Pages that are kept; beyond, those that lie idle are given up, the oldest first."""
LEAST = 4096
"""Bytes of the smallest page."""


class Staging:
    """Page-locked buffers, each lent for one copy at a time. Threads may share it.

    Once there are enough of them no copy allocates page-locked memory, which waits for the GPU.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: list[_Page] = []
        self._returned: deque[_Page] = deque()  # by finalizers, which can take no lock

    def upload(self, array: NDArray[Any], address: int, stream: Stream) -> None:
        """Copy an array of any strides to a place on the GPU, in the order of a stream.

        The array is read before this returns.

        Raises:
            BackendError: the GPU failed, or there is no memory that can be locked.
        """
        page = self._take(array.nbytes)
        page.buffer.array(array.shape, array.dtype)[...] = array
        copy_async(address, page.address, array.nbytes, stream)
        page.done.record(stream)
        self._returned.append(page)

    def download(
        self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], stream: Stream
    ) -> Download:
        """Copy a place on the GPU to the host, in the order of a stream.

        Raises:
            BackendError: as from `upload`.
        """
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        page = self._take(size)
        array = page.buffer.array(shape, dtype)
        copy_async(page.address, address, size, stream)
        page.done.record(stream)
        return Download(page, array, self._returned)

    def close(self) -> None:
        """Give all pages back that are not lent; what streams still copy must have ended."""
        with self._lock:
            self._returned.clear()
            self._pages.clear()

    def _take(self, size: int) -> _Page:
        with self._lock:
            while self._returned:
                self._pages.append(self._returned.popleft())
            fitting = [
                page
                for page in self._pages
                if size <= page.buffer.size <= max(4 * size, LEAST) and page.done.done()
            ]
            if fitting:
                page = min(fitting, key=lambda page: page.buffer.size)
                self._pages.remove(page)
                return page
            if len(self._pages) >= MOST:
                idle = [page for page in self._pages if page.done.done()]
                for page in idle[: len(self._pages) - MOST + 1]:
                    self._pages.remove(page)
        return _Page(max(size, LEAST))


class Download:
    """An array that is on its way to the host. One that is dropped gives its page back."""

    def __init__(self, page: _Page, array: NDArray[Any], pages: deque[_Page]) -> None:
        self._page, self._array = page, array
        self._give_back = weakref.finalize(self, pages.append, page)
        self._give_back.atexit = False

    def result(self) -> NDArray[Any]:
        """Wait for it and return it, an array of its own; to be called once.

        Raises:
            BackendError: the GPU failed.
        """
        self._page.done.synchronize()
        copy = self._array.copy()
        self._give_back()
        return copy


class _Page:
    """One buffer, and the mark behind its last copy."""

    def __init__(self, size: int) -> None:
        self.buffer = PinnedBuffer()
        self.address = int(self.buffer.array((size,), np.uint8).ctypes.data)
        self.done = Event()

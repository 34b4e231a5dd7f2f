"""Streams, events and graphs of CUDA: in which order the GPU works."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trtcolor.backends._cuda_calls import call, failure, import_runtime, release
from trtcolor.errors import BackendError

LEGACY = 1
"""The handle of the legacy default stream, which 0 means as well (``cudaStreamLegacy``)."""
PER_THREAD = 2
"""The handle of each thread's own default stream (``cudaStreamPerThread``)."""


class Stream:
    """A CUDA stream; `handle` is its number.

    One of its own does not wait for the legacy default stream, nor that for it.

    Args:
        handle: of somebody else's stream, which stays theirs and must outlive this; None makes one
            on the calling thread's GPU.
        owner: whose handle that is, kept for as long as this.

    Raises:
        BackendError: none could be made.
    """

    def __init__(self, handle: int | None = None, owner: object = None) -> None:
        self.borrowed = handle is not None
        self._owner = owner
        if handle is not None:
            self.handle = handle
            return
        runtime = import_runtime()
        made = call("cudaStreamCreateWithFlags", runtime.cudaStreamNonBlocking)
        self.handle = int(made)
        self._release = _releasing(self, runtime, "cudaStreamDestroy", self.handle)

    @classmethod
    def of(cls, value: Any) -> Stream:
        """Borrow a stream of another library.

        Args:
            value: its number, or a stream of PyTorch, CuPy, pycuda or cuda.core; a `Stream` is
                given back as it is, None is the legacy default stream.

        Raises:
            TypeError: it is none of these.
        """
        if isinstance(value, Stream):
            return value
        if value is None:
            return cls(LEGACY)
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(value)
        if hasattr(value, "__cuda_stream__"):
            protocol = value.__cuda_stream__
            _, handle = protocol() if callable(protocol) else protocol
            return cls(int(handle), value)
        for name in ("cuda_stream", "ptr", "handle"):  # PyTorch, CuPy, pycuda
            if isinstance(handle := getattr(value, name, None), int):
                return cls(handle, value)
        raise TypeError(
            f"stream is a {type(value).__name__}, but must be the number of a CUDA stream or a "
            "stream of PyTorch, CuPy, pycuda or cuda.core; pass one of these"
        )

    def wait(self, event: Event) -> None:
        """Let what is put in from now on begin after what the event has recorded; returns at once.

        Raises:
            BackendError: the GPU failed.
        """
        call("cudaStreamWaitEvent", self.handle, event.handle, 0)

    def synchronize(self) -> None:
        """Wait for all that was put in; errors of earlier calls come out here."""
        call("cudaStreamSynchronize", self.handle)

    def close(self) -> None:
        """Give it back once its work is done, unless it is borrowed; it does not wait for that.

        A second call does nothing, and the stream must not be used after the first.
        """
        if not self.borrowed:
            self._release()

    @property
    def closed(self) -> bool:
        """Whether it is given back; of a borrowed one only its owner knows."""
        return not self.borrowed and not self._release.alive


class Event:
    """A mark in a stream, made on the calling thread's GPU; it measures no time.

    Raises:
        BackendError: none could be made.
    """

    def __init__(self) -> None:
        runtime = import_runtime()
        made = call("cudaEventCreateWithFlags", runtime.cudaEventDisableTiming)
        self.handle = int(made)
        self._release = _releasing(self, runtime, "cudaEventDestroy", self.handle)

    def record(self, stream: Stream) -> Event:
        """Mark what the stream was given so far; gives itself."""
        call("cudaEventRecord", self.handle, stream.handle)
        return self

    def synchronize(self) -> None:
        """Wait for what was marked."""
        call("cudaEventSynchronize", self.handle)

    def done(self) -> bool:
        """Whether what was marked is done; nothing marked is.

        Raises:
            BackendError: the GPU failed meanwhile.
        """
        runtime = import_runtime()
        (error,) = runtime.cudaEventQuery(self.handle)
        if error == runtime.cudaError_t.cudaErrorNotReady:
            return False
        if error != runtime.cudaError_t.cudaSuccess:
            raise failure("cudaEventQuery", (self.handle,), error)
        return True

    def close(self) -> None:
        """Give it back, which streams that wait for it do not mind; a second call does nothing."""
        self._release()


class Graph:
    """What a stream was once given, to be given again by one call; made by `capture`."""

    def __init__(self, runtime: Any, handle: int) -> None:
        self._handle = handle
        self._release = _releasing(self, runtime, "cudaGraphExecDestroy", handle)

    @classmethod
    def capture(cls, stream: Stream, work: Callable[[], object]) -> Graph:
        """Note what `work` puts into the stream, in place of doing it.

        `work` runs once, in this thread; it must neither allocate on the GPU nor wait for it.
        Addresses are noted, not what lies there. Other threads go on as they like.

        Raises:
            BackendError: something in `work` cannot be captured; nothing of it was done.
            Exception: what `work` raises.
        """
        runtime = import_runtime()
        mode = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        with _no_garbage_collected():
            call("cudaStreamBeginCapture", stream.handle, mode)
            try:
                work()
            except BaseException:
                error, graph = runtime.cudaStreamEndCapture(stream.handle)  # it works again
                if error == runtime.cudaError_t.cudaSuccess:
                    release(runtime, "cudaGraphDestroy", graph)
                runtime.cudaGetLastError()
                raise
            graph = call("cudaStreamEndCapture", stream.handle)
        if not int(graph):
            raise BackendError(
                "cudaStreamEndCapture gave no graph; work that can be captured was needed; run it "
                "without a CUDA graph"
            )
        try:
            return cls(runtime, int(call("cudaGraphInstantiate", graph, 0)))
        finally:
            release(runtime, "cudaGraphDestroy", graph)

    def launch(self, stream: Stream) -> None:
        """Put all of it into a stream.

        Raises:
            BackendError: the GPU failed, or the graph is closed.
        """
        call("cudaGraphLaunch", self._handle, stream.handle)

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        self._release()
        self._handle = 0


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """What is collected may free GPU memory, and that in a capture's thread spoils the capture."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _releasing(owner: object, runtime: Any, function: str, handle: int) -> Any:
    """What gives a handle back with its owner; at the end of the process the driver does."""
    finalizer = weakref.finalize(owner, release, runtime, function, handle)
    finalizer.atexit = False
    return finalizer

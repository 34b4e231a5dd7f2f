"""Streams, events and graphs of the stand-in for CUDA (recording_cuda.py)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from recording_enums import OK, Result, cudaError_t, cudaStreamCaptureMode

_INVALID = cudaError_t.cudaErrorInvalidValue
_NO_HANDLE = cudaError_t.cudaErrorInvalidResourceHandle
_NOT_IN_CAPTURE = cudaError_t.cudaErrorStreamCaptureUnsupported


class _Stream:
    """What it was given and has not done; numbers of places in it are those of all it ever got."""

    def __init__(self, device: int, blocking: bool) -> None:
        self.device = device
        self.blocking = blocking
        self.work: list[Callable[[], None]] = []
        self.done = 0
        self.capture: list[Callable[[], None]] | None = None
        self.broken = False

    @property
    def end(self) -> int:
        return self.done + len(self.work)

    def run(self, end: int) -> None:
        while self.done < end:
            work = self.work.pop(0)
            self.done += 1
            work()


class Streams:
    """What a stream is given is done at once, or when somebody waits for it (`deferred`).

    Attributes:
        misused: streams of which somebody asked something after they were destroyed, which CUDA
            does not survive.
    """

    def __init__(self, deferred: bool) -> None:
        self.deferred = deferred
        self._lock = threading.RLock()
        self._thread = threading.local()
        self._handles = itertools.count(0x1000, 0x10)
        self.misused: list[int] = []
        self._destroyed: set[int] = set()
        self._streams = {1: _Stream(0, True), 2: _Stream(0, True)}
        self._events: dict[int, tuple[_Stream, int] | None] = {}
        self._graphs: dict[int, list[Callable[[], None]]] = {}

    def enqueue(self, stream: Any, work: Callable[[], object]) -> None:
        """Put work into a stream, as a kernel or an engine does; in a capture it is noted."""
        with self._lock:
            self._put(int(stream), lambda: work() and None)

    @property
    def _device(self) -> int:
        return getattr(self._thread, "device", 0)

    @property
    def handles(self) -> int:
        """How many streams, events and graphs are held."""
        return len(self._streams) - 2 + len(self._events) + len(self._graphs)

    def cudaStreamCreateWithFlags(self, flags: int) -> Result:
        handle = next(self._handles)
        self._streams[handle] = _Stream(self._device, blocking=flags == 0)
        return OK, handle

    def cudaStreamDestroy(self, stream: Any) -> Result:
        gone = self._streams.pop(int(stream), None)
        if gone is None:
            return (_NO_HANDLE,)
        gone.run(gone.end)
        self._destroyed.add(int(stream))
        return (OK,)

    def cudaStreamSynchronize(self, stream: Any) -> Result:
        known = self._stream(stream)
        if known is None:
            return (_NO_HANDLE,)
        if known.capture is not None:
            return self._break(_NOT_IN_CAPTURE)
        known.run(known.end)
        return (OK,)

    def cudaStreamWaitEvent(self, stream: Any, event: Any, flags: int) -> Result:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (_NO_HANDLE,)
        if mark is None:
            return (OK,)
        marked, end = mark
        return self._put(int(stream), lambda: marked.run(end))

    def cudaEventCreateWithFlags(self, flags: int) -> Result:
        handle = next(self._handles)
        self._events[handle] = None
        return OK, handle

    def cudaEventRecord(self, event: Any, stream: Any) -> Result:
        known = self._stream(stream)
        if known is None or int(event) not in self._events:
            return (_NO_HANDLE,)
        if known.capture is None:
            self._join_default(int(stream), known)
            self._events[int(event)] = known, known.end
        return (OK,)

    def cudaEventQuery(self, event: Any) -> Result:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (_NO_HANDLE,)
        return (OK if mark is None or mark[0].done >= mark[1] else cudaError_t.cudaErrorNotReady,)

    def cudaEventSynchronize(self, event: Any) -> Result:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (_NO_HANDLE,)
        if mark is not None:
            mark[0].run(mark[1])
        return (OK,)

    def cudaEventDestroy(self, event: Any) -> Result:
        missing = self._events.pop(int(event), ...) is ...
        return (_NO_HANDLE if missing else OK,)

    def cudaStreamBeginCapture(self, stream: Any, mode: cudaStreamCaptureMode) -> Result:
        known = self._stream(stream)
        if known is None or int(stream) in (0, 1):
            return (_NOT_IN_CAPTURE,)
        known.capture, known.broken = [], False
        self._thread.capture = known
        return (OK,)

    def cudaStreamEndCapture(self, stream: Any) -> Result:
        known = self._stream(stream)
        if known is None or known.capture is None:
            return (_INVALID,)
        work, known.capture, self._thread.capture = known.capture, None, None
        if known.broken:
            return (cudaError_t.cudaErrorStreamCaptureInvalidated,)
        handle = next(self._handles)
        self._graphs[handle] = work
        return OK, handle

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> Result:
        handle = next(self._handles)
        self._graphs[handle] = self._graphs[int(graph)]
        return OK, handle

    def cudaGraphLaunch(self, graph: Any, stream: Any) -> Result:
        work = self._graphs.get(int(graph))
        if work is None:
            return (_INVALID,)
        return self._put(int(stream), lambda: [step() for step in work] and None)

    def cudaGraphExecDestroy(self, graph: Any) -> Result:
        return (OK if self._graphs.pop(int(graph), None) is not None else _INVALID,)

    def cudaGraphDestroy(self, graph: Any) -> Result:
        return (OK if self._graphs.pop(int(graph), None) is not None else _INVALID,)

    def _stream(self, handle: Any) -> _Stream | None:
        if int(handle) in self._destroyed:
            self.misused.append(int(handle))
        return self._streams.get(int(handle) or 1)

    def _put(self, handle: int, work: Callable[[], None]) -> Result:
        stream = self._stream(handle)
        if stream is None:
            return (_NO_HANDLE,)
        if stream.capture is not None:
            stream.capture.append(work)
            return (OK,)
        self._join_default(handle, stream)
        stream.work.append(work)
        if not self.deferred:
            stream.run(stream.end)
        return (OK,)

    def _join_default(self, handle: int, stream: _Stream) -> None:
        """The legacy default stream and the blocking ones wait for each other."""
        legacy = self._streams[1]
        others = [legacy] if stream is not legacy else list(self._streams.values())
        if stream.blocking:
            for other in others:
                if other is not stream and other.blocking and other.end > other.done:
                    stream.work.append(lambda other=other, end=other.end: other.run(end))

    def _capturing(self) -> bool:
        return getattr(self._thread, "capture", None) is not None

    def _break(self, error: cudaError_t) -> Result:
        self._thread.capture.broken = True
        return (error,)

    def _finish(self) -> None:
        for stream in list(self._streams.values()):
            stream.run(stream.end)

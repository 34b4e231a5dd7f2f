"""A stand-in for `cuda.bindings.runtime`: what trtcolor calls of it, over the host's memory.

It notes every call in order, and copies really copy: an address of the device is one of the host.
What a stream is given is done at once, or with ``deferred=True`` only when somebody waits for it,
as late as CUDA allows, so that a wait which is missing shows as wrong bytes. Calls can be made to
fail, and memory is bounded.
"""

from __future__ import annotations

import ctypes
import enum
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trtcolor.backends import _cuda_calls
from trtcolor.backends.driver import Gpu

GPU = Gpu("Stand-in", "9.0", 1 << 30, "0.0")
POISON = 0xDD
"""What memory is full of before and after it is somebody's."""

cudaError_t = enum.IntEnum(
    "cudaError_t",
    {
        "cudaSuccess": 0,
        "cudaErrorInvalidValue": 1,
        "cudaErrorMemoryAllocation": 2,
        "cudaErrorNoDevice": 100,
        "cudaErrorInvalidDevice": 101,
        "cudaErrorECCUncorrectable": 214,
        "cudaErrorInvalidResourceHandle": 400,
        "cudaErrorNotReady": 600,
        "cudaErrorIllegalAddress": 700,
        "cudaErrorLaunchFailure": 719,
        "cudaErrorStreamCaptureUnsupported": 900,
        "cudaErrorStreamCaptureInvalidated": 901,
        "cudaErrorUnknown": 999,
    },
)
cudaMemcpyKind = enum.IntEnum("cudaMemcpyKind", {"cudaMemcpyDefault": 4})
cudaStreamCaptureMode = enum.IntEnum(
    "cudaStreamCaptureMode", {"cudaStreamCaptureModeThreadLocal": 1}
)
cudaMemoryType = enum.IntEnum(
    "cudaMemoryType",
    {
        "cudaMemoryTypeUnregistered": 0,
        "cudaMemoryTypeHost": 1,
        "cudaMemoryTypeDevice": 2,
        "cudaMemoryTypeManaged": 3,
    },
)
OK = cudaError_t.cudaSuccess


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


class RecordingRuntime:
    """Takes the place of the module `cuda.bindings.runtime`.

    Attributes:
        calls: (function, arguments) in order; `names` are the functions alone.
        free: bytes that are left on each device.
        pinned: bytes of page-locked memory that are held.
    """

    cudaError_t = cudaError_t
    cudaMemcpyKind = cudaMemcpyKind
    cudaStreamCaptureMode = cudaStreamCaptureMode
    cudaMemoryType = cudaMemoryType
    cudaStreamNonBlocking = 1
    cudaEventDisableTiming = 2
    cudaHostAllocPortable = 1

    def __init__(self, *, deferred: bool = False, memory: int = 1 << 30, devices: int = 1) -> None:
        self.deferred = deferred
        self.memory = memory
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.free = [memory] * devices
        self.pinned = 0
        self._lock = threading.RLock()
        self._thread = threading.local()
        self._handles = itertools.count(0x1000, 0x10)
        self._streams = {1: _Stream(0, True), 2: _Stream(0, True)}
        self._events: dict[int, tuple[_Stream, int] | None] = {}
        self._graphs: dict[int, list[Callable[[], None]]] = {}
        self._memory: dict[int, tuple[np.ndarray[Any, Any], int, int | None]] = {}
        self._dead: list[np.ndarray[Any, Any]] = []  # kept, so that what reads them reads POISON
        self._plans: list[tuple[str | None, int, cudaError_t]] = []
        self._lost: cudaError_t | None = None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def count(self) -> Counter[str]:
        """How often each function was called."""
        return Counter(self.names)

    @property
    def live(self) -> int:
        """How many blocks of device memory are held."""
        return sum(device is not None for _, _, device in self._memory.values())

    def fail(
        self, function: str | None = None, *, after: int = 0, error: str = "cudaErrorUnknown"
    ) -> None:
        """Let a call give an error: the first of that function, or of any, after so many of it.

        An error of `trtcolor.backends._cuda_calls.LOST` is given by all later calls too.
        """
        self._plans.append((function, after, cudaError_t[error]))

    def enqueue(self, stream: Any, work: Callable[[], object]) -> None:
        """Put work into a stream, as a kernel or an engine does; in a capture it is noted."""
        with self._lock:
            self._put(int(stream), lambda: work() and None)

    # what `cuda.bindings.runtime` has: a tuple of an error and what comes with it

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if not (name.startswith("cuda") and callable(value) and not isinstance(value, type)):
            return value

        def noted(*arguments: Any) -> tuple[Any, ...]:
            with self._lock:
                self.calls.append((name, arguments))
                error = self._due(name)
                result = (error, None) if error is not None else value(*arguments)
            quiet = _RESULTS.get(name, 0)
            return (result[0], *([None] * quiet)) if result[0] != OK else result

        return noted

    def cudaGetErrorString(self, error: cudaError_t) -> tuple[Any, ...]:
        return OK, f"stand-in for {error.name}".encode()

    def cudaGetLastError(self) -> tuple[Any, ...]:
        return (OK,)

    def cudaRuntimeGetVersion(self) -> tuple[Any, ...]:
        return OK, 13000

    def cudaGetDeviceCount(self) -> tuple[Any, ...]:
        return OK, len(self.free)

    def cudaGetDevice(self) -> tuple[Any, ...]:
        return OK, self._device

    def cudaSetDevice(self, device: int) -> tuple[Any, ...]:
        if not 0 <= device < len(self.free):
            return (cudaError_t.cudaErrorInvalidDevice,)
        self._thread.device = device
        return (OK,)

    def cudaMemGetInfo(self) -> tuple[Any, ...]:
        return OK, self.free[self._device], self.memory

    def cudaMalloc(self, size: int) -> tuple[Any, ...]:
        if self._capturing():
            return self._break(cudaError_t.cudaErrorStreamCaptureUnsupported)
        if size > self.free[self._device]:
            return (cudaError_t.cudaErrorMemoryAllocation,)
        self.free[self._device] -= size
        return OK, self._allocate(size, self._device)

    def cudaFree(self, address: int) -> tuple[Any, ...]:
        if self._capturing():
            return self._break(cudaError_t.cudaErrorStreamCaptureUnsupported)
        self._finish()
        size, device = self._forget(address)
        if device is None:
            return (cudaError_t.cudaErrorInvalidValue,)
        self.free[device] += size
        return (OK,)

    def cudaHostAlloc(self, size: int, flags: int) -> tuple[Any, ...]:
        self.pinned += size
        return OK, self._allocate(size, None)

    def cudaFreeHost(self, address: int) -> tuple[Any, ...]:
        self._finish()
        size, _ = self._forget(address)
        self.pinned -= size
        return (OK,)

    def cudaPointerGetAttributes(self, address: int) -> tuple[Any, ...]:
        for start, (array, _, device) in self._memory.items():
            if start <= address < start + max(array.size, 1):
                kind = "cudaMemoryTypeHost" if device is None else "cudaMemoryTypeDevice"
                return OK, SimpleNamespace(
                    type=cudaMemoryType[kind], device=device or 0, devicePointer=address
                )
        unknown = cudaMemoryType.cudaMemoryTypeUnregistered
        return OK, SimpleNamespace(type=unknown, device=-2, devicePointer=0)

    def cudaMemcpyAsync(
        self, target: int, source: int, size: int, kind: cudaMemcpyKind, stream: Any
    ) -> tuple[Any, ...]:
        return self._put(int(stream), lambda: _move(target, source, size))

    def cudaMemcpy2DAsync(
        self,
        target: int,
        target_pitch: int,
        source: int,
        source_pitch: int,
        width: int,
        height: int,
        kind: cudaMemcpyKind,
        stream: Any,
    ) -> tuple[Any, ...]:
        if min(target_pitch, source_pitch) < width:
            return (cudaError_t.cudaErrorInvalidValue,)

        def copy() -> None:
            for row in range(height):
                _move(target + row * target_pitch, source + row * source_pitch, width)

        return self._put(int(stream), copy)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Any, ...]:
        handle = next(self._handles)
        self._streams[handle] = _Stream(self._device, blocking=flags == 0)
        return OK, handle

    def cudaStreamDestroy(self, stream: Any) -> tuple[Any, ...]:
        gone = self._streams.pop(int(stream), None)
        if gone is None:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        gone.run(gone.end)
        return (OK,)

    def cudaStreamSynchronize(self, stream: Any) -> tuple[Any, ...]:
        known = self._stream(stream)
        if known is None:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        if known.capture is not None:
            return self._break(cudaError_t.cudaErrorStreamCaptureUnsupported)
        known.run(known.end)
        return (OK,)

    def cudaStreamWaitEvent(self, stream: Any, event: Any, flags: int) -> tuple[Any, ...]:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        if mark is None:
            return (OK,)
        marked, end = mark
        return self._put(int(stream), lambda: marked.run(end))

    def cudaEventCreateWithFlags(self, flags: int) -> tuple[Any, ...]:
        handle = next(self._handles)
        self._events[handle] = None
        return OK, handle

    def cudaEventRecord(self, event: Any, stream: Any) -> tuple[Any, ...]:
        known = self._stream(stream)
        if known is None or int(event) not in self._events:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        if known.capture is None:
            self._join_default(int(stream), known)
            self._events[int(event)] = known, known.end
        return (OK,)

    def cudaEventQuery(self, event: Any) -> tuple[Any, ...]:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        return (OK if mark is None or mark[0].done >= mark[1] else cudaError_t.cudaErrorNotReady,)

    def cudaEventSynchronize(self, event: Any) -> tuple[Any, ...]:
        mark = self._events.get(int(event), ...)
        if mark is ...:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        if mark is not None:
            mark[0].run(mark[1])
        return (OK,)

    def cudaEventDestroy(self, event: Any) -> tuple[Any, ...]:
        missing = self._events.pop(int(event), ...) is ...
        return (cudaError_t.cudaErrorInvalidResourceHandle if missing else OK,)

    def cudaStreamBeginCapture(self, stream: Any, mode: cudaStreamCaptureMode) -> tuple[Any, ...]:
        known = self._stream(stream)
        if known is None or int(stream) in (0, 1):
            return (cudaError_t.cudaErrorStreamCaptureUnsupported,)
        known.capture, known.broken = [], False
        self._thread.capture = known
        return (OK,)

    def cudaStreamEndCapture(self, stream: Any) -> tuple[Any, ...]:
        known = self._stream(stream)
        if known is None or known.capture is None:
            return (cudaError_t.cudaErrorInvalidValue,)
        work, known.capture, self._thread.capture = known.capture, None, None
        if known.broken:
            return (cudaError_t.cudaErrorStreamCaptureInvalidated,)
        handle = next(self._handles)
        self._graphs[handle] = work
        return OK, handle

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> tuple[Any, ...]:
        handle = next(self._handles)
        self._graphs[handle] = self._graphs[int(graph)]
        return OK, handle

    def cudaGraphLaunch(self, graph: Any, stream: Any) -> tuple[Any, ...]:
        work = self._graphs.get(int(graph))
        if work is None:
            return (cudaError_t.cudaErrorInvalidValue,)
        return self._put(int(stream), lambda: [step() for step in work] and None)

    def cudaGraphExecDestroy(self, graph: Any) -> tuple[Any, ...]:
        return (OK if self._graphs.pop(int(graph), None) is not None else _INVALID,)

    def cudaGraphDestroy(self, graph: Any) -> tuple[Any, ...]:
        return (OK if self._graphs.pop(int(graph), None) is not None else _INVALID,)

    # how it does that

    @property
    def _device(self) -> int:
        return getattr(self._thread, "device", 0)

    def _due(self, name: str) -> cudaError_t | None:
        if name in ("cudaGetErrorString", "cudaGetLastError"):
            return None
        if self._lost is not None:
            return self._lost
        for index, (function, after, error) in enumerate(self._plans):
            if function not in (None, name):
                continue
            if after:
                self._plans[index] = function, after - 1, error
                continue
            del self._plans[index]
            if error.name in _cuda_calls.LOST:
                self._lost = error
            return error
        return None

    def _stream(self, handle: Any) -> _Stream | None:
        return self._streams.get(int(handle) or 1)

    def _put(self, handle: int, work: Callable[[], None]) -> tuple[Any, ...]:
        stream = self._stream(handle)
        if stream is None:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
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

    def _break(self, error: cudaError_t) -> tuple[Any, ...]:
        self._thread.capture.broken = True
        return (error,)

    def _finish(self) -> None:
        for stream in list(self._streams.values()):
            stream.run(stream.end)

    def _allocate(self, size: int, device: int | None) -> int:
        array = np.full(size + 256, POISON, np.uint8)
        start = -array.ctypes.data % 256
        address = array.ctypes.data + start
        self._memory[address] = array[start : start + size], size, device
        return address

    def _forget(self, address: int) -> tuple[int, int | None]:
        if address not in self._memory:
            return 0, None
        array, size, device = self._memory.pop(address)
        array[...] = POISON
        self._dead.append(array)
        return size, device


_INVALID = cudaError_t.cudaErrorInvalidValue
_RESULTS = {
    "cudaGetDeviceCount": 1,
    "cudaGetDevice": 1,
    "cudaMemGetInfo": 2,
    "cudaMalloc": 1,
    "cudaHostAlloc": 1,
    "cudaPointerGetAttributes": 1,
    "cudaStreamCreateWithFlags": 1,
    "cudaEventCreateWithFlags": 1,
    "cudaStreamEndCapture": 1,
    "cudaGraphInstantiate": 1,
    "cudaGetErrorString": 1,
    "cudaRuntimeGetVersion": 1,
}
"""How many values come with the error; where it is no success, each is None."""


@contextmanager
def recorded(
    *, deferred: bool = False, memory: int = 1 << 30, devices: int = 1
) -> Iterator[RecordingRuntime]:
    """The stand-in in the place of CUDA, for a while."""
    runtime = RecordingRuntime(deferred=deferred, memory=memory, devices=devices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "cuda.bindings.runtime", runtime)
        patch.setattr(_cuda_calls, "gpus", lambda: [GPU] * devices)
        _cuda_calls.import_runtime.cache_clear()
        try:
            yield runtime
        finally:
            _cuda_calls.import_runtime.cache_clear()


@pytest.fixture
def recording_cuda() -> Iterator[RecordingRuntime]:
    """The stand-in, in which work is done as it is given."""
    with recorded() as runtime:
        yield runtime


@pytest.fixture
def deferred_cuda() -> Iterator[RecordingRuntime]:
    """The stand-in, in which work is done no sooner than somebody waits for it."""
    with recorded(deferred=True) as runtime:
        yield runtime


def _move(target: int, source: int, size: int) -> None:
    ctypes.memmove(target, source, size)


def device_bytes(address: int, size: int) -> np.ndarray[Any, Any]:
    """What lies at an address, as it is now."""
    return np.frombuffer(ctypes.string_at(address, size), np.uint8)

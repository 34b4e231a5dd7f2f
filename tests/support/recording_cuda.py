"""A stand-in for `cuda.bindings.runtime`: what trtcolor calls of it, over the host's memory.

It notes every call in order, and copies really copy: an address of the device is one of the host.
What a stream is given is done at once, or with ``deferred=True`` only when somebody waits for it,
as late as CUDA allows, so that a wait which is missing shows as wrong bytes. Calls can be made to
fail, and memory is bounded.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import recording_enums
from recording_enums import OK, Result, cudaError_t
from recording_memory import POISON, Memory, device_bytes

from trtcolor.backends import _cuda_calls
from trtcolor.backends.driver import Gpu

__all__ = [
    "GPU",
    "POISON",
    "RecordingRuntime",
    "deferred_cuda",
    "device_bytes",
    "recorded",
    "recording_cuda",
]
GPU = Gpu("Stand-in", "9.0", 1 << 30, "0.0")


class RecordingRuntime(Memory):
    """Takes the place of the module `cuda.bindings.runtime`.

    Attributes:
        calls: (function, arguments) in order; `names` are the functions alone.
        foreign: addresses that are to belong to another context than the primary one.
    """

    cudaError_t = cudaError_t
    cudaMemcpyKind = recording_enums.cudaMemcpyKind
    cudaStreamCaptureMode = recording_enums.cudaStreamCaptureMode
    cudaMemoryType = recording_enums.cudaMemoryType
    cudaStreamNonBlocking = 1
    cudaEventDisableTiming = 2
    cudaHostAllocPortable = 1

    def __init__(self, *, deferred: bool = False, memory: int = 1 << 30, devices: int = 1) -> None:
        super().__init__(deferred, memory, devices)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.foreign: set[int] = set()
        self._plans: list[tuple[str | None, int, cudaError_t]] = []
        self._lost: cudaError_t | None = None

    @property
    def names(self) -> list[str]:
        """The functions that were called, in order."""
        return [name for name, _ in self.calls]

    def count(self) -> Counter[str]:
        """How often each function was called."""
        return Counter(self.names)

    def fail(
        self, function: str | None = None, *, after: int = 0, error: str = "cudaErrorUnknown"
    ) -> None:
        """Let a call give an error: the first of that function, or of any, after so many of it.

        An error of `trtcolor.backends._cuda_calls.LOST` is given by all later calls too.
        """
        self._plans.append((function, after, cudaError_t[error]))

    # what `cuda.bindings.runtime` has: a tuple of an error and what comes with it

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if not (name.startswith("cuda") and callable(value) and not isinstance(value, type)):
            return value

        def noted(*arguments: Any) -> Result:
            with self._lock:
                self.calls.append((name, arguments))
                error = self._due(name)
                result = (error, None) if error is not None else value(*arguments)
            quiet = _RESULTS.get(name, 0)
            return (result[0], *([None] * quiet)) if result[0] != OK else result

        return noted

    def cudaGetErrorString(self, error: Any) -> Result:
        return OK, f"stand-in for {error.name}".encode()

    def cudaGetLastError(self) -> Result:
        return (OK,)

    def cudaRuntimeGetVersion(self) -> Result:
        return OK, 13000

    def cudaGetDeviceCount(self) -> Result:
        return OK, len(self.free)

    def cudaGetDevice(self) -> Result:
        return OK, self._device

    def cudaSetDevice(self, device: int) -> Result:
        if not 0 <= device < len(self.free):
            return (cudaError_t.cudaErrorInvalidDevice,)
        self._thread.device = device
        return (OK,)

    # how it does that

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

    @property
    def driver(self) -> SimpleNamespace:
        """What takes the place of `cuda.bindings.driver`: whose context an address is of."""
        primary, other = 0xA, 0xB
        return SimpleNamespace(
            CUresult=SimpleNamespace(CUDA_SUCCESS=0),
            CUpointer_attribute=SimpleNamespace(CU_POINTER_ATTRIBUTE_CONTEXT=1),
            cuPointerGetAttribute=lambda attribute, address: (
                0,
                other if address in self.foreign else primary,
            ),
            cuDevicePrimaryCtxRetain=lambda device: (0, primary),
            cuDevicePrimaryCtxRelease=lambda device: (0,),
        )


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
    """The stand-in in the place of CUDA, for a while; it fails where streams were misused."""
    runtime = RecordingRuntime(deferred=deferred, memory=memory, devices=devices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cuda.bindings.runtime", runtime)
        patch.setitem(sys.modules, "cuda.bindings.driver", runtime.driver)
        patch.setattr(_cuda_calls, "gpus", lambda: [GPU] * devices)
        _cuda_calls.import_runtime.cache_clear()
        try:
            yield runtime
            gc.collect()  # finalizers use streams too
            assert not runtime.misused, "a stream was used after it was destroyed"
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

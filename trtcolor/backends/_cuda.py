"""The little of CUDA that a runner needs, by NVIDIA's cuda-bindings; the only user of CUDA here.

The runtime API works in the device's primary context, as torch and ONNX Runtime do: no context is
made here. What a call returns as an error is a BackendError that names the call.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.driver import Gpu, gpus
from trtcolor.errors import BackendError


def probe(index: int = 0) -> Gpu:
    """Ask the driver for a GPU.

    Args:
        index: among those that the process sees (``CUDA_VISIBLE_DEVICES``).

    Raises:
        BackendError: why there is none: cuda-bindings is not installed, there is no driver or one
            that is too old, or fewer GPUs.
    """
    runtime = import_runtime()
    error, count = runtime.cudaGetDeviceCount()
    if error != runtime.cudaError_t.cudaSuccess:
        raise BackendError(
            f"no NVIDIA GPU answers ({_reason(runtime, error)}); a GPU with a driver for CUDA "
            f"{runtime_version()} was needed; install NVIDIA's driver or take another backend"
        )
    if not 0 <= index < count:
        raise BackendError(
            f"GPU {index} was asked for and {count} answer; an index below that was needed; "
            "look at CUDA_VISIBLE_DEVICES"
        )
    return gpus()[index]


@cache
def import_runtime() -> Any:
    """``cuda.bindings.runtime``; it imports without a driver.

    Raises:
        BackendError: it is not installed.
    """
    try:
        return import_module("cuda.bindings.runtime")
    except (ImportError, OSError) as error:
        raise BackendError(
            f"CUDA for Python does not import ({error}); cuda-bindings 12.6 or later was needed; "
            "run: pip install cuda-bindings"
        ) from None


def runtime_version() -> str:
    """The CUDA version that cuda-bindings was built for, e.g. ``13.5``."""
    return _version(call("cudaRuntimeGetVersion"))


def call(function: str, *arguments: Any) -> Any:
    """Call a function of the CUDA runtime.

    Returns:
        What it gives besides the error: nothing, one value, or a tuple.

    Raises:
        BackendError: it gave an error.
    """
    runtime = import_runtime()
    error, *values = getattr(runtime, function)(*arguments)
    if error != runtime.cudaError_t.cudaSuccess:
        raise BackendError(
            f"{function} failed ({_reason(runtime, error)}); a working GPU with enough free memory "
            "was needed; try a smaller picture, or look at nvidia-smi"
        )
    return values[0] if len(values) == 1 else tuple(values) or None


class Stream:
    """A CUDA stream of its own; `handle` is its number."""

    def __init__(self) -> None:
        self.handle = int(call("cudaStreamCreate"))

    def synchronize(self) -> None:
        """Wait for all that was put in; errors of earlier calls come out here."""
        call("cudaStreamSynchronize", self.handle)

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        if self.handle:
            call("cudaStreamDestroy", self.handle)
            self.handle = 0


class Buffer:
    """Device memory that grows to the largest size asked for and is kept."""

    def __init__(self) -> None:
        self.address = 0
        self.size = 0

    def reserve(self, size: int) -> int:
        """The address of at least `size` bytes; what was in it is lost where it grows."""
        if size > self.size:
            self.close()
            self.address = int(call("cudaMalloc", size))
            self.size = size
        return self.address

    def upload(self, array: NDArray[Any], stream: Stream) -> None:
        """Put a contiguous array in; it must live until the stream is synchronised."""
        kind = import_runtime().cudaMemcpyKind.cudaMemcpyHostToDevice
        address = self.reserve(array.nbytes)
        call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, kind, stream.handle)

    def download(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], stream: Stream
    ) -> NDArray[Any]:
        """A new array that is filled once the stream is synchronised."""
        array: NDArray[Any] = np.empty(shape, dtype)
        kind = import_runtime().cudaMemcpyKind.cudaMemcpyDeviceToHost
        call("cudaMemcpyAsync", array.ctypes.data, self.address, array.nbytes, kind, stream.handle)
        return array

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        if self.address:
            call("cudaFree", self.address)
            self.address = self.size = 0


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _reason(runtime: Any, error: Any) -> str:
    _, text = runtime.cudaGetErrorString(error)
    name = getattr(error, "name", str(error))
    return f"{name}: {text.decode(errors='replace')}" if text else name

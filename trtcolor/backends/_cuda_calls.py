"""Calls of the CUDA runtime by NVIDIA's cuda-bindings, and what their errors mean.

The runtime API works in the device's primary context, as torch and ONNX Runtime do: no context is
made here. What a call returns as an error is a BackendError that names the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

from trtcolor.backends.driver import Gpu, gpus
from trtcolor.errors import BackendError, DeviceLostError, OutOfDeviceMemoryError

LOST = frozenset(
    f"cudaError{name}"
    for name in (
        # after these every later call of the process fails too, NVIDIA says
        "Contained",
        "IllegalAddress",
        "LaunchTimeout",
        "HardwareStackError",
        "IllegalInstruction",
        "MisalignedAddress",
        "InvalidAddressSpace",
        "InvalidPc",
        "LaunchFailure",
        "TensorMemoryLeak",
        "ExternalDevice",
        # and these are of a GPU, a link or a server of GPUs that failed
        "Assert",
        "ContextIsDestroyed",
        "ECCUncorrectable",
        "NvlinkUncorrectable",
        "MpsClientTerminated",
        "Unknown",
    )
)
"""Errors that only a new process gets over."""


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
        OutOfDeviceMemoryError: the GPU's memory did not suffice.
        DeviceLostError: the GPU is gone or has failed for good.
        BackendError: it gave another error.
    """
    runtime = import_runtime()
    error, *values = getattr(runtime, function)(*arguments)
    if error != runtime.cudaError_t.cudaSuccess:
        raise failure(function, arguments, error)
    return values[0] if len(values) == 1 else tuple(values) or None


def release(runtime: Any, function: str, handle: int) -> None:
    """Give a handle back where nothing can be raised; what fails here went with the GPU.

    `runtime` is the one that gave the handle.
    """
    with suppress(Exception):
        getattr(runtime, function)(handle)


def use(device: int) -> None:
    """Make a GPU that of the calling thread, by its index.

    Raises:
        BackendError: there is no such GPU, or it failed.
    """
    call("cudaSetDevice", device)


@contextmanager
def using(device: int) -> Iterator[None]:
    """As `use`, for a while: the thread's own GPU is its own again afterwards.

    Raises:
        BackendError: as from `use`.
    """
    before = call("cudaGetDevice")
    use(device)  # also where it is that one: another context of it may be current
    try:
        yield
    finally:
        if before != device:
            release(import_runtime(), "cudaSetDevice", before)


def device_memory() -> tuple[int, int]:
    """Free and total bytes of the calling thread's GPU.

    Raises:
        BackendError: it does not tell.
    """
    free, total = call("cudaMemGetInfo")
    return int(free), int(total)


def is_primary(address: int, device: int) -> bool:
    """Whether memory belongs to a GPU's primary context; True where the driver does not say."""
    try:
        driver = import_module("cuda.bindings.driver")
        attribute = driver.CUpointer_attribute.CU_POINTER_ATTRIBUTE_CONTEXT
        error, owner = driver.cuPointerGetAttribute(attribute, address)
        if error != driver.CUresult.CUDA_SUCCESS or not int(owner):  # of a pool of the driver's
            return True
        error, primary = driver.cuDevicePrimaryCtxRetain(device)
        if error != driver.CUresult.CUDA_SUCCESS:
            return True
        driver.cuDevicePrimaryCtxRelease(device)
        return int(owner) == int(primary)
    except Exception:  # no driver raises one of NVIDIA's own
        return True


def failure(function: str, arguments: tuple[Any, ...], error: Any) -> BackendError:
    """What to raise where a function of the runtime gave an error."""
    runtime = import_runtime()
    name, reason = _name(error), _reason(runtime, error)
    runtime.cudaGetLastError()  # else the thread's next caller of CUDA, torch say, finds it there
    if name in LOST:
        return DeviceLostError(
            f"the GPU has failed for good ({function}: {reason}); one that works was needed; start "
            "the program again, and look at nvidia-smi and the kernel's messages (Xid)"
        )
    if name != "cudaErrorMemoryAllocation":
        return BackendError(
            f"{function} failed ({reason}); a working GPU with enough free memory was needed; try "
            "a smaller picture, or look at nvidia-smi"
        )
    if function == "cudaHostAlloc":
        return OutOfDeviceMemoryError(
            f"{function} failed ({reason}): {_mebibytes(arguments[0])} of page-locked memory were "
            "needed; close other programs, or try a smaller picture"
        )
    asked = f", {_mebibytes(arguments[0])} asked for" if function == "cudaMalloc" else ""
    return OutOfDeviceMemoryError(
        f"{function} failed ({reason}{asked}{_free_memory(runtime)}); more free memory on the GPU "
        "was needed; try a smaller picture or fewer at a time, or look at nvidia-smi"
    )


def _free_memory(runtime: Any) -> str:
    error, *values = runtime.cudaMemGetInfo()
    if error != runtime.cudaError_t.cudaSuccess:
        return ""
    free, total = values
    return f", {_mebibytes(free)} of {_mebibytes(total)} free"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _name(error: Any) -> str:
    return str(getattr(error, "name", error))


def _reason(runtime: Any, error: Any) -> str:
    _, text = runtime.cudaGetErrorString(error)
    return f"{_name(error)}: {text.decode(errors='replace')}" if text else _name(error)

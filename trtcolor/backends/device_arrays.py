"""Arrays on the GPU, ours given to other libraries and theirs taken, without leaving it.

By DLPack (https://dmlc.github.io/dlpack, and the Python array API standard's ``__dlpack__``) or the
CUDA Array Interface, version 3 (https://numba.readthedocs.io, CUDA Array Interface).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trtcolor.backends import _cuda, _dlpack
from trtcolor.backends._array_interface import take_interface
from trtcolor.backends._cuda_guests import Guest
from trtcolor.backends._cuda_strided import copy_rows, is_contiguous, row_copies
from trtcolor.backends._device_array import DeviceArray

__all__ = ["DeviceArray", "device_array", "host_array", "is_on_gpu"]

_ON_GPU = (_dlpack.CUDA, _dlpack.CUDA_MANAGED)
_ON_HOST = (_dlpack.CPU, _dlpack.CUDA_HOST)


def is_on_gpu(value: Any) -> bool:
    """Whether a value is an array in the memory of an NVIDIA GPU, as far as it tells."""
    if isinstance(value, np.ndarray):
        return False
    if hasattr(value, "__dlpack_device__"):
        return _dlpack.device_pair(value.__dlpack_device__())[0] in _ON_GPU
    return hasattr(value, "__cuda_array_interface__")


def device_array(
    value: Any,
    stream: _cuda.Stream,
    device: int = 0,
    *,
    pool: _cuda.Pool | None = None,
    name: str = "array",
) -> DeviceArray:
    """An array of any library on the GPU, for work in a stream.

    It is used in place where its samples lie in C order; otherwise it is copied on the GPU. The
    stream waits for what fills it; what is there is not overwritten or freed by its library before
    the stream has done its work, unless that is told to.

    Args:
        value: a `DeviceArray`, or what has ``__dlpack__`` or ``__cuda_array_interface__``.
        stream: of that GPU.
        device: index of the GPU.
        pool: where the memory of a copy comes from; None allocates it.
        name: of the value, for messages.

    Raises:
        TypeError: it is no such array, or of a dtype that NumPy has not.
        ValueError: it is on another device, has a mask, lies too scattered, or cannot be had.
        OutOfDeviceMemoryError: no memory for a copy.
        BackendError: the GPU failed.
    """
    if isinstance(value, DeviceArray):
        _check_device(name, value.device, device)
        value.wait(stream)
        return value
    if hasattr(value, "__dlpack_device__"):
        kind, index = _dlpack.device_pair(value.__dlpack_device__())
        if kind not in _ON_GPU:
            raise ValueError(
                f"{name} is on DLPack device {(kind, index)}, but must be on GPU {device}; move it "
                "there"
            )
        _check_device(name, index, device)
        with _cuda.using(device):
            taken = _exported(name, value, stream.handle or _cuda.LEGACY)
    elif hasattr(value, "__cuda_array_interface__"):
        taken = take_interface(name, value, stream, device)
    else:
        raise TypeError(
            f"{name} is a {type(value).__name__}, but must be an array on a GPU; pass one with "
            "__dlpack__ or __cuda_array_interface__"
        )
    guest = Guest(device, taken.release)
    guest.used_by(stream)
    if taken.dtype is None:
        raise TypeError(
            f"{name} is of dtype {taken.type_name}, but must be of one that NumPy has; convert it "
            "first"
        )
    return _in_order(taken, taken.dtype, guest, stream, device, pool)


def host_array(value: Any, name: str = "array") -> Any:
    """An array of another library in the host's memory, as NumPy's in the same memory.

    Args:
        value: what has ``__dlpack__``, e.g. a PyTorch tensor; anything else comes back as it is.
        name: of the value, for messages.

    Raises:
        ValueError: it is on another device, or its library or NumPy refuses.
    """
    if isinstance(value, np.ndarray | np.generic) or not hasattr(value, "__dlpack_device__"):
        return value
    device = _dlpack.device_pair(value.__dlpack_device__())
    if device[0] not in _ON_HOST:
        raise ValueError(
            f"{name} is on DLPack device {device}, but must be in the host's memory; copy it there"
        )
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(name, value, error) from None


def _exported(name: str, value: Any, stream: int) -> _dlpack.Taken:
    try:
        try:
            capsule = value.__dlpack__(stream=stream, max_version=_dlpack.VERSION)
        except TypeError:  # a library from before DLPack 1
            capsule = value.__dlpack__(stream=stream)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(name, value, error) from None
    return _dlpack.take(capsule)


def _in_order(
    taken: _dlpack.Taken,
    dtype: np.dtype[Any],
    guest: Guest,
    stream: _cuda.Stream,
    device: int,
    pool: _cuda.Pool | None,
) -> DeviceArray:
    address, readonly = taken.address, taken.readonly
    owner: tuple[object, ...] = (guest,)
    with _cuda.using(device):
        if not is_contiguous(taken.shape, taken.strides, dtype.itemsize):
            copies = row_copies(taken.shape, taken.strides, dtype.itemsize)
            size = math.prod(taken.shape) * dtype.itemsize
            block = _take(size, stream, device, pool)
            copy_rows(block.address, address, copies, stream)
            address, owner, readonly = block.address, (guest, block), False
        ready = _cuda.Event().record(stream)
    return DeviceArray(address, taken.shape, dtype, device, ready, owner, readonly=readonly)


def _take(size: int, stream: _cuda.Stream, device: int, pool: _cuda.Pool | None) -> _cuda.Block:
    if pool is not None:
        return pool.take(size, stream)
    own = _cuda.Pool(device)
    try:
        return own.take(size, stream)
    finally:
        own.close()  # its block is freed with its holder


def _check_device(name: str, found: int, device: int) -> None:
    if found != device:
        raise ValueError(
            f"{name} is on GPU {found}, but must be on GPU {device}; move it there, or start "
            f"the program with CUDA_VISIBLE_DEVICES={found}"
        )


def _unreadable(name: str, value: Any, error: Exception) -> ValueError:
    kind = f"{type(value).__module__}.{type(value).__name__}"
    return ValueError(
        f"{name} is a {kind} that cannot be read ({' '.join(str(error).split())}); a plain array "
        "was needed; copy it to one"
    )

"""Arrays on the GPU, ours given to other libraries and theirs taken, without leaving it.

By DLPack (https://dmlc.github.io/dlpack, and the Python array API standard's ``__dlpack__``) or the
CUDA Array Interface, version 3 (https://numba.readthedocs.io, CUDA Array Interface).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtcolor.backends import _cuda, _dlpack
from trtcolor.backends._array_interface import take_interface
from trtcolor.backends._cuda_guests import Guest
from trtcolor.backends._cuda_strided import copy_rows, is_contiguous, row_copies

_ON_GPU = (_dlpack.CUDA, _dlpack.CUDA_MANAGED)
_ON_HOST = (_dlpack.CPU, _dlpack.CUDA_HOST)


class DeviceArray:
    """An array in C order in a GPU's memory, which PyTorch, CuPy and others take in place.

    Attributes:
        address: of its first sample.
        shape: sides.
        dtype: NumPy's.
        device: index of the GPU.
        ready: marks the end of the work that fills it; None where nothing does.
        owner: keeps the memory; a `Block` or `Guest`, or such in a tuple, hears of every stream
            that uses it.
        readonly: whether it must not be written to.
    """

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        device: int,
        ready: _cuda.Event | None = None,
        owner: object = None,
        *,
        readonly: bool = False,
    ) -> None:
        self.address = address
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.device = device
        self.ready = ready
        self.owner = owner
        self.readonly = readonly

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many samples it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype}, device={self.device})"

    def wait(self, stream: _cuda.Stream) -> None:
        """Let a stream work on it from here on: it waits until the array is filled.

        Raises:
            BackendError: the GPU failed.
        """
        if self.ready is not None:
            stream.wait(self.ready)
        self.used_by(stream)

    def used_by(self, stream: _cuda.Stream) -> None:
        """Say that a stream works on it: the memory is nobody else's before that is done."""
        owners = self.owner if isinstance(self.owner, tuple) else (self.owner,)
        for owner in owners:
            if isinstance(owner, _cuda.Block | Guest):
                owner.used_by(stream)

    def numpy(self) -> NDArray[Any]:
        """A copy in the host's memory; it waits until the array is filled.

        Raises:
            BackendError: the GPU failed.
        """
        with _cuda.using(self.device):
            stream = _cuda.Stream()
            array: NDArray[Any] = np.empty(self.shape, self.dtype)
            self.wait(stream)
            _cuda.copy_async(array.ctypes.data, self.address, self.nbytes, stream)
            stream.synchronize()
        return array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Version 3; where it is still being filled, the legacy default stream waits for that."""
        stream = None
        if self.size:
            legacy = _cuda.Stream(_cuda.LEGACY)
            self.used_by(legacy)
            if self.ready is not None and not self.ready.done():
                legacy.wait(self.ready)
                stream = _cuda.LEGACY
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address if self.size else 0, self.readonly),
            "strides": None,
            "stream": stream,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        """DLPack's number of CUDA, and the GPU's index."""
        return _dlpack.CUDA, self.device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule; see the Python array API standard.

        Args:
            stream: the consumer's, which then waits until the array is filled: None or 1 the legacy
                default stream, 2 the thread's own default stream, above that a handle, -1 none.
            max_version: the newest DLPack that the consumer knows; from 1 the capsule has one.
            dl_device: this GPU, or ``(1, 0)`` for a copy in the host's memory.
            copy: True for memory of its own, False for never.

        Raises:
            ValueError: stream is 0 or below -1, or given with the host as the device.
            BufferError: another device, the host without a copy, or read-only without a version.
            BackendError: the GPU failed.
        """
        versioned = max_version is not None and max_version[0] >= 1
        target = self.__dlpack_device__() if dl_device is None else _plain(dl_device)
        if target == (_dlpack.CPU, 0):
            return self._on_host(stream, versioned, copy)
        if target != self.__dlpack_device__():
            raise BufferError(
                f"an array on GPU {self.device} was asked for on DLPack device {target}; that GPU "
                "or the host, (1, 0), was needed; ask for one of these and copy it further"
            )
        consumer = _consumer(stream)
        if consumer is not None:
            self.wait(consumer)
        elif self.size:
            self.used_by(_cuda.Stream(_cuda.LEGACY))
        source = self._copied(consumer) if copy else self
        return _dlpack.give(
            source.address,
            self.shape,
            self.dtype,
            target,
            source,
            versioned=versioned,
            readonly=self.readonly and not copy,
            copied=bool(copy),
        )

    def _on_host(self, stream: int | None, versioned: bool, copy: bool | None) -> Any:
        if stream is not None:
            raise ValueError(
                f"stream is {stream}, but the host has none; pass None, the copy is complete then"
            )
        if copy is False:
            raise BufferError(
                f"an array on GPU {self.device} was asked for on the host without a copy; copy=True"
                " or None was needed; pass one of these"
            )
        array = self.numpy()
        device = _dlpack.CPU, 0
        return _dlpack.give(
            array.ctypes.data,
            self.shape,
            self.dtype,
            device,
            array,
            versioned=versioned,
            copied=True,
        )

    def _copied(self, consumer: _cuda.Stream | None) -> DeviceArray:
        with _cuda.using(self.device):
            buffer = _cuda.Buffer()
            buffer.reserve(self.nbytes)
            stream = consumer or _cuda.Stream()
            if consumer is None:
                self.wait(stream)
            _cuda.copy_async(buffer.address, self.address, self.nbytes, stream)
            if consumer is None:
                stream.synchronize()
        return DeviceArray(buffer.address, self.shape, self.dtype, self.device, owner=buffer)


def is_on_gpu(value: Any) -> bool:
    """Whether a value is an array in the memory of an NVIDIA GPU, as far as it tells."""
    if isinstance(value, np.ndarray):
        return False
    if hasattr(value, "__dlpack_device__"):
        return _plain(value.__dlpack_device__())[0] in _ON_GPU
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
        kind, index = _plain(value.__dlpack_device__())
        if kind not in _ON_GPU:
            raise ValueError(
                f"{name} is on DLPack device {(kind, index)}, but must be on GPU {device}; move it "
                "there"
            )
        _check_device(name, index, device)
        taken = _exported(name, value, stream.handle or _cuda.LEGACY, {"max_version": (1, 0)})
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
    device = _plain(value.__dlpack_device__())
    if device[0] not in _ON_HOST:
        raise ValueError(
            f"{name} is on DLPack device {device}, but must be in the host's memory; copy it there"
        )
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(name, value, error) from None


def _exported(name: str, value: Any, stream: int, more: dict[str, Any]) -> _dlpack.Taken:
    try:
        try:
            capsule = value.__dlpack__(stream=stream, **more)
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


def _consumer(stream: int | None) -> _cuda.Stream | None:
    if stream is None:
        return _cuda.Stream(_cuda.LEGACY)
    if isinstance(stream, bool) or not isinstance(stream, int):
        raise TypeError(
            f"stream is a {type(stream).__name__}, but must be an int or None; pass the stream's "
            "number"
        )
    if stream == 0 or stream < -1:
        raise ValueError(
            f"stream is {stream}, but must be 1, the legacy default stream, 2, the thread's own, a "
            "handle above, or -1; pass one of these"
        )
    return None if stream == -1 else _cuda.Stream(stream)


def _plain(device: Any) -> tuple[int, int]:
    kind, index = device
    return int(kind), int(index)


def _check_device(name: str, found: int, device: int) -> None:
    if found != device:
        raise ValueError(
            f"{name} is on GPU {found}, but must be on GPU {device}; move it there, or make a "
            f"Colorizer with device={found}"
        )


def _unreadable(name: str, value: Any, error: Exception) -> ValueError:
    kind = f"{type(value).__module__}.{type(value).__name__}"
    return ValueError(
        f"{name} is a {kind} that cannot be read ({' '.join(str(error).split())}); a plain array "
        "was needed; copy it to one"
    )

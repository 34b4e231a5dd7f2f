"""An array of ours on the GPU, which other libraries take in place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtcolor.backends import _cuda, _dlpack
from trtcolor.backends._cuda_guests import Guest


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

    def wait(self, stream: Any = None) -> None:
        """Let a stream work on it from here on: it waits until the array is filled.

        DLPack and the CUDA Array Interface do that by themselves; this is for who takes `address`.

        Args:
            stream: as `Stream.of` takes it: a number, a stream of PyTorch, CuPy or pycuda, or None
                for the legacy default stream.

        Raises:
            TypeError: that is no stream.
            BackendError: the GPU failed.
        """
        stream = _cuda.Stream.of(stream)
        with _cuda.using(self.device):  # whose default stream it may be
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
        array: NDArray[Any] = np.empty(self.shape, self.dtype)
        with self._filled() as stream:
            _cuda.copy_async(array.ctypes.data, self.address, self.nbytes, stream)
        return array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Version 3; where it is still being filled, the legacy default stream waits for that."""
        stream = None
        if self.size:
            if self.ready is not None and not self.ready.done():
                self.wait()
                stream = _cuda.LEGACY
            self.used_by(_cuda.Stream(_cuda.LEGACY))
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
                default stream, 2 the thread's own default stream, above that a handle, -1 none. It
                must not be destroyed before the array's memory has gone back.
            max_version: the newest DLPack that the consumer knows; from 1 the capsule has one.
            dl_device: this GPU, or ``(1, 0)`` for a copy in the host's memory.
            copy: True for memory of its own, False for never.

        Raises:
            ValueError: stream is 0 or below -1, or given with the host as the device.
            BufferError: another device, the host without a copy, or read-only without a version.
            BackendError: the GPU failed.
        """
        versioned = max_version is not None and max_version[0] >= 1
        target = self.__dlpack_device__() if dl_device is None else _dlpack.device_pair(dl_device)
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
        buffer = _cuda.Buffer()
        with _cuda.using(self.device):
            buffer.reserve(self.nbytes)
            with self._filled() if consumer is None else nullcontext(consumer) as stream:
                _cuda.copy_async(buffer.address, self.address, self.nbytes, stream)
        return DeviceArray(buffer.address, self.shape, self.dtype, self.device, owner=buffer)

    @contextmanager
    def _filled(self) -> Iterator[_cuda.Stream]:
        """A stream in which it is filled; what is put in is done behind the block."""
        with _cuda.using(self.device):
            stream = _cuda.Stream()
            try:
                if self.ready is not None:
                    stream.wait(self.ready)
                yield stream
                stream.synchronize()
            finally:
                stream.close()


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

"""The CUDA Array Interface of other libraries' arrays, read."""

from __future__ import annotations

from typing import Any

import numpy as np

from trtcolor.backends import _cuda, _dlpack
from trtcolor.backends._cuda_calls import is_primary
from trtcolor.backends._cuda_strided import contiguous_strides


def take_interface(name: str, value: Any, stream: _cuda.Stream, device: int) -> _dlpack.Taken:
    """What ``__cuda_array_interface__`` says, in the words of DLPack; the stream waits for it.

    Versions up to 3. What says of no stream, as pycuda's arrays, may still be being filled by the
    legacy default stream, which is waited for.

    Raises:
        TypeError: of a dtype in swapped bytes, or what is said is not of the interface.
        ValueError: it has a mask, names stream 0, or is on another GPU or in another context.
        BackendError: the GPU failed.
    """
    said = value.__cuda_array_interface__
    try:
        shape = tuple(int(side) for side in said["shape"])
        dtype = np.dtype(said["typestr"])
        address, readonly = said["data"]
        strides = said.get("strides")
        producer = said.get("stream")
    except (KeyError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name} has a __cuda_array_interface__ that does not fit version 3 "
            f"({type(error).__name__}: {error}); shape, typestr and data were needed; pass a plain "
            "array"
        ) from None
    if said.get("mask") is not None:
        raise ValueError(f"{name} has a mask, but must have none; fill what is masked first")
    if not dtype.isnative:
        raise TypeError(f"{name} is of dtype {dtype}, but must be native; convert it first")
    size = int(np.prod(shape, dtype=np.int64))
    if size:
        _check_memory(name, address, device)
        _wait(name, producer, stream, device)
    return _dlpack.Taken(
        address=int(address or 0),
        shape=shape,
        strides=contiguous_strides(shape, dtype.itemsize) if strides is None else tuple(strides),
        dtype=dtype if dtype.kind in "biuf" else None,
        type_name=str(dtype),
        device=(_dlpack.CUDA, device),
        readonly=bool(readonly),
        copied=False,
        release=_Keep(value),
    )


class _Keep:
    """Holds a value until it is called."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self) -> None:
        self._value = None


def _check_memory(name: str, address: int, device: int) -> None:
    with _cuda.using(device):
        attributes = _cuda.call("cudaPointerGetAttributes", address)
    kinds = _cuda.import_runtime().cudaMemoryType
    if attributes.type == kinds.cudaMemoryTypeDevice and attributes.device != device:
        raise ValueError(
            f"{name} is on GPU {attributes.device}, but must be on GPU {device}; move it there"
        )
    known = attributes.type != kinds.cudaMemoryTypeUnregistered and int(attributes.devicePointer)
    if not known or not is_primary(address, device):
        raise ValueError(
            f"{name} is in memory that is not of GPU {device}'s primary context, but must be; with "
            "pycuda import pycuda.autoprimaryctx, not pycuda.autoinit"
        )


def _wait(name: str, producer: Any, stream: _cuda.Stream, device: int) -> None:
    if producer == 0:
        raise ValueError(
            f"{name} names stream 0, which the CUDA Array Interface forbids; 1, the legacy default "
            "stream, 2, the thread's own, or a handle was needed; pass an array that names one"
        )
    filling = _cuda.Stream(_cuda.LEGACY if producer is None else int(producer))
    if filling.handle != stream.handle or filling.handle == _cuda.PER_THREAD:
        with _cuda.using(device):
            stream.wait(_cuda.Event().record(filling))

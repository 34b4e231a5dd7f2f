"""DLPack capsules: memory handed to other libraries and taken from them in place.

The structures are those of dlpack.h, version 1. NumPy makes the capsules, as it knows how to keep
an owner alive from C; the device is then written into them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13
"""Kinds of devices (``DLDeviceType``)."""
VERSION = (1, 0)
"""What is understood here."""
_READ_ONLY, _COPIED = 1, 2  # DLPACK_FLAG_BITMASK_*
_NAMES = {False: b"dltensor", True: b"dltensor_versioned"}
_USED = {False: b"used_dltensor", True: b"used_dltensor_versioned"}
_KINDS = {0: "i", 1: "u", 2: "f", 6: "b"}
_FOREIGN = {3: "opaque", 4: "bfloat", 5: "complex"}


class _Device(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("index", ctypes.c_int32)]


class _DataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    _fields_ = [
        ("tensor", _Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


class _VersionedManaged(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi)
)
_set_name = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_SetName", ctypes.pythonapi)
)
_Deleter = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)


@dataclass(frozen=True)
class Taken:
    """What a capsule held; `release` gives it back to its maker and must be called once.

    Attributes:
        address: of the first sample.
        shape: sides.
        strides: in bytes.
        dtype: None where NumPy has none, and then `type_name` says what it is.
        device: kind and index.
        readonly: whether its maker forbids writing.
        copied: whether its maker made it for this capsule only.
    """

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any] | None
    type_name: str
    device: tuple[int, int]
    readonly: bool
    copied: bool
    release: Callable[[], None]


def device_pair(device: Any) -> tuple[int, int]:
    """DLPack's kind and index of a device, whose kind may be an enumeration's."""
    kind, index = device
    return int(kind), int(index)


def take(capsule: Any) -> Taken:
    """Take what a capsule holds, whose maker no longer frees it.

    Raises:
        ValueError: it is no capsule, was taken before or is of another version.
    """
    versioned = bool(_is_valid(capsule, _NAMES[True]))
    if not versioned and not _is_valid(capsule, _NAMES[False]):
        raise ValueError(
            f"__dlpack__ gave {capsule!r}; a DLPack capsule that nobody took was needed; ask for "
            "another one"
        )
    structure = _VersionedManaged if versioned else _Managed
    address = _pointer(capsule, _NAMES[versioned])
    managed = structure.from_address(address)
    _set_name(capsule, _USED[versioned])
    deleter = managed.deleter

    def release() -> None:
        if deleter:
            _Deleter(deleter)(address)

    major = managed.major if versioned else VERSION[0]
    if major != VERSION[0]:
        release()
        raise ValueError(
            f"__dlpack__ gave a capsule of DLPack {major}; version {VERSION[0]} was "
            "needed; look for a newer trtcolor"
        )
    flags = managed.flags if versioned else 0
    return _described(managed.tensor, flags, release)


def give(
    address: int,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    device: tuple[int, int],
    owner: object,
    *,
    versioned: bool,
    readonly: bool = False,
    copied: bool = False,
) -> Any:
    """A capsule of memory in C order, which keeps `owner` until its taker lets go.

    Raises:
        BufferError: it is read-only, which a capsule without a version cannot say.
    """
    if readonly and not versioned:
        raise BufferError(
            "the array is read-only, which DLPack before version 1 cannot say; a consumer that "
            "asks with max_version=(1, 0) was needed; copy the array"
        )
    view = _address_view(address, shape, dtype, owner)
    capsule, versioned = _numpy_capsule(view, versioned)
    structure = _VersionedManaged if versioned else _Managed
    managed = structure.from_address(_pointer(capsule, _NAMES[versioned]))
    managed.tensor.device = _Device(*device)
    managed.tensor.data = address if view.size else None
    managed.tensor.byte_offset = 0
    if versioned:
        managed.flags = readonly * _READ_ONLY | copied * _COPIED
    return capsule


def _address_view(
    address: int, shape: tuple[int, ...], dtype: np.dtype[Any], owner: object
) -> NDArray[Any]:
    """An array at an address that the host may not read; nothing reads it."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    memory: Any = (ctypes.c_char * size).from_address(address)
    memory.owner = owner
    array: NDArray[Any] = np.frombuffer(memory, dtype).reshape(shape)
    return array


def _numpy_capsule(array: NDArray[Any], versioned: bool) -> tuple[Any, bool]:
    if versioned:
        try:
            return array.__dlpack__(max_version=VERSION), True  # type: ignore[call-arg,unused-ignore]
        except TypeError:  # NumPy before 2.1
            pass
    return array.__dlpack__(), False


def _described(tensor: Any, flags: int, release: Callable[[], None]) -> Taken:
    kind, bits, lanes = tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes
    itemsize = (bits * lanes + 7) // 8
    dtype = None
    if kind in _KINDS and lanes == 1 and bits in (8, 16, 32, 64):
        try:
            dtype = np.dtype(f"{_KINDS[kind]}{itemsize}")
        except TypeError:
            dtype = None
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    if tensor.strides:
        strides = tuple(tensor.strides[axis] * itemsize for axis in range(tensor.ndim))
    else:  # before DLPack 1.2 that is C order
        strides = tuple(
            int(np.prod(shape[axis + 1 :], dtype=np.int64)) * itemsize for axis in range(len(shape))
        )
    name = str(dtype) if dtype else f"{_FOREIGN.get(kind, f'DLPack type {kind}/')}{bits}"
    return Taken(
        address=(tensor.data or 0) + tensor.byte_offset,
        shape=shape,
        strides=strides,
        dtype=dtype,
        type_name=name if lanes == 1 else f"{name}x{lanes}",
        device=(tensor.device.type, tensor.device.index),
        readonly=bool(flags & _READ_ONLY),
        copied=bool(flags & _COPIED),
        release=release,
    )

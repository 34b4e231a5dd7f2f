"""Memory of the stand-in for CUDA (recording_cuda.py): the host's, behind every address."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import numpy as np
from recording_enums import OK, Result, cudaError_t, cudaMemcpyKind, cudaMemoryType
from recording_streams import Streams

POISON = 0xDD
"""What memory is full of before and after it is somebody's."""


class Memory(Streams):
    """Device memory of a bounded size, page-locked memory, and copies in the order of streams.

    Attributes:
        free: bytes that are left on each device.
        pinned: bytes of page-locked memory that are held.
    """

    def __init__(self, deferred: bool, memory: int, devices: int) -> None:
        super().__init__(deferred)
        self.memory = memory
        self.free = [memory] * devices
        self.pinned = 0
        self._memory: dict[int, tuple[np.ndarray[Any, Any], int, int | None]] = {}
        self._dead: list[np.ndarray[Any, Any]] = []  # kept, so that what reads them reads POISON

    @property
    def live(self) -> int:
        """How many blocks of device memory are held."""
        return sum(device is not None for _, _, device in self._memory.values())

    def cudaMemGetInfo(self) -> Result:
        return OK, self.free[self._device], self.memory

    def cudaDeviceSynchronize(self) -> Result:
        self._finish()
        return (OK,)

    def cudaMalloc(self, size: int) -> Result:
        if self._capturing():
            return self._break(cudaError_t.cudaErrorStreamCaptureUnsupported)
        if size > self.free[self._device]:
            return (cudaError_t.cudaErrorMemoryAllocation,)
        self.free[self._device] -= size
        return OK, self._allocate(size, self._device)

    def cudaFree(self, address: int) -> Result:
        if self._capturing():
            return self._break(cudaError_t.cudaErrorStreamCaptureUnsupported)
        self._finish()
        size, device = self._forget(address)
        if device is None:
            return (cudaError_t.cudaErrorInvalidValue,)
        self.free[device] += size
        return (OK,)

    def cudaHostAlloc(self, size: int, flags: int) -> Result:
        self.pinned += size
        return OK, self._allocate(size, None)

    def cudaFreeHost(self, address: int) -> Result:
        self._finish()
        size, _ = self._forget(address)
        self.pinned -= size
        return (OK,)

    def cudaPointerGetAttributes(self, address: int) -> Result:
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
    ) -> Result:
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
    ) -> Result:
        if min(target_pitch, source_pitch) < width:
            return (cudaError_t.cudaErrorInvalidValue,)

        def copy() -> None:
            for row in range(height):
                _move(target + row * target_pitch, source + row * source_pitch, width)

        return self._put(int(stream), copy)

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


def _move(target: int, source: int, size: int) -> None:
    ctypes.memmove(target, source, size)


def device_bytes(address: int, size: int) -> np.ndarray[Any, Any]:
    """What lies at an address, as it is now."""
    return np.frombuffer(ctypes.string_at(address, size), np.uint8)

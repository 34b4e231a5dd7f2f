"""Frames in the stand-in's device memory, as other libraries have them, and what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import DeviceArray


class ByDlpack:
    """A frame that its library still writes in a stream of its own; DLPack and nothing else."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.source = np.ascontiguousarray(array)  # it must live until it is copied
        stream, size = _cuda.Stream(), self.source.nbytes
        block = _cuda.Pool().take(size, stream)
        _cuda.copy_async(block.address, self.source.ctypes.data, size, stream)
        ready = _cuda.Event().record(stream)
        self.array = DeviceArray(
            block.address, array.shape, array.dtype, 0, ready, (block, self.source)
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)


class ByInterface:
    """A frame that only has the CUDA array interface, which lets the default stream wait."""

    def __init__(self, array: NDArray[Any], view: Any = ...) -> None:
        self._whole = ByDlpack(array)
        self._view = view

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        told = self._whole.array.__cuda_array_interface__
        source = self._whole.source
        seen = source[self._view]
        start, _ = told["data"]
        offset = seen.ctypes.data - source.ctypes.data
        return told | {
            "shape": seen.shape,
            "strides": seen.strides,
            "data": (start + offset, False),
        }


class OfHost:
    """Another library's frame in the host's memory."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

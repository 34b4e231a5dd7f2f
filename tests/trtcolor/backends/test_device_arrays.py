"""Arrays go to other libraries and come from them in place, in the order of streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from recording_cuda import RecordingRuntime, deferred_cuda, recording_cuda

from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import DeviceArray, device_array

__all__ = ["deferred_cuda", "recording_cuda"]  # fixtures
FRAME = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def on_device(array: NDArray[Any], stream: _cuda.Stream, pool: _cuda.Pool) -> DeviceArray:
    """An array that the stream is still filling."""
    block = pool.take(array.nbytes, stream)
    _cuda.copy_async(block.address, array.ctypes.data, array.nbytes, stream)
    ready = _cuda.Event().record(stream)
    return DeviceArray(block.address, array.shape, array.dtype, 0, ready, block)


class Exported:
    """Another library's array: DLPack and nothing else."""

    def __init__(self, array: DeviceArray) -> None:
        self._array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)


def test_what_is_given_by_dlpack_is_taken_in_place_once_it_is_filled(
    deferred_cuda: RecordingRuntime,
) -> None:
    pool = _cuda.Pool()
    array = on_device(FRAME, _cuda.Stream(), pool)
    taken = device_array(Exported(array), _cuda.Stream())
    assert taken.address == array.address
    np.testing.assert_array_equal(taken.numpy(), FRAME)


def test_a_copy_on_the_host_is_numpys(deferred_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("NumPy asks for no device")
    np.testing.assert_array_equal(np.from_dlpack(array, device="cpu"), FRAME)


def test_what_reads_an_array_leaves_no_stream_behind(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    held = recording_cuda.handles
    for _ in range(3):
        np.testing.assert_array_equal(array.numpy(), FRAME)
        array.__dlpack__(stream=-1, copy=True)
    assert recording_cuda.handles == held


def test_another_gpus_array_is_refused_with_what_lets_that_gpu_be_used() -> None:
    elsewhere = DeviceArray(256, (2, 2), np.uint8, 1)
    with pytest.raises(ValueError, match=r"^array is on GPU 1, .* with CUDA_VISIBLE_DEVICES=1$"):
        device_array(elsewhere, _cuda.Stream(1))

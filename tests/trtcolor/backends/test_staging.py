"""Page-locked pages are lent for one copy at a time, and are enough once they are."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor.backends import _cuda
from trtcolor.backends._staging import LEAST, MOST, Staging
from trtcolor.errors import OutOfDeviceMemoryError

__all__ = ["deferred_cuda"]  # a fixture


def test_what_is_uploaded_may_be_changed_at_once_and_is_given_back_whole(
    deferred_cuda: RecordingRuntime,
) -> None:
    staging, stream, pool = Staging(), _cuda.Stream(), _cuda.Pool()
    whole = np.arange(60, dtype=np.float32).reshape(6, 10)
    array = whole[::-2, 1::3]  # of any strides
    expected, block = array.copy(), pool.take(array.nbytes, stream)
    staging.upload(array, block.address, stream)
    whole[...] = -1
    found = staging.download(block.address, array.shape, array.dtype, stream)
    np.testing.assert_array_equal(found.result(), expected)


def test_a_page_that_is_still_copied_is_not_lent(deferred_cuda: RecordingRuntime) -> None:
    staging, stream, pool = Staging(), _cuda.Stream(), _cuda.Pool()
    arrays = [np.full(8, index, np.float32) for index in range(5)]
    blocks = [pool.take(32, stream) for _ in arrays]
    for array, block in zip(arrays, blocks, strict=True):
        staging.upload(array, block.address, stream)
    begun = [staging.download(b.address, (8,), np.dtype(np.float32), stream) for b in blocks]
    for array, download in zip(arrays, begun, strict=True):
        np.testing.assert_array_equal(download.result(), array)


def test_a_download_that_is_dropped_gives_its_page_back(deferred_cuda: RecordingRuntime) -> None:
    staging, stream, pool = Staging(), _cuda.Stream(), _cuda.Pool()
    block = pool.take(LEAST, stream)
    for _ in range(5):
        staging.download(block.address, (LEAST,), np.dtype(np.uint8), stream)
        gc.collect()
        stream.synchronize()
    assert deferred_cuda.count()["cudaHostAlloc"] == 1


def test_pages_of_sizes_that_do_not_come_again_are_given_up(
    deferred_cuda: RecordingRuntime,
) -> None:
    staging, stream, pool = Staging(), _cuda.Stream(), _cuda.Pool()
    block = pool.take(1 << 20, stream)
    pages = []
    for _ in range(2 * MOST):  # many at a time, once
        pages.append(staging.download(block.address, (LEAST,), np.dtype(np.uint8), stream))
    while pages:
        pages.pop().result()
    for power in range(1, 4):
        size = LEAST * 5**power
        staging.download(block.address, (size,), np.dtype(np.uint8), stream).result()
    gc.collect()
    assert deferred_cuda.pinned <= (MOST + 1) * LEAST + LEAST * 5**3 * 2
    staging.close()
    gc.collect()
    assert deferred_cuda.pinned == 0


def test_memory_that_cannot_be_locked_is_an_error(deferred_cuda: RecordingRuntime) -> None:
    staging, stream = Staging(), _cuda.Stream()
    deferred_cuda.fail("cudaHostAlloc", error="cudaErrorMemoryAllocation")
    with pytest.raises(OutOfDeviceMemoryError, match="page-locked"):
        staging.upload(np.zeros(10, np.float32), 0, stream)

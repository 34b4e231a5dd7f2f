"""Buffers grow and are kept; page-locked memory lives as long as an array in it."""

from __future__ import annotations

import gc

import numpy as np
from recording_cuda import RecordingRuntime, recording_cuda

from trtcolor.backends import _cuda

__all__ = ["recording_cuda"]  # a fixture


def test_a_buffer_allocates_only_to_grow_and_frees_with_itself(
    recording_cuda: RecordingRuntime,
) -> None:
    buffer = _cuda.Buffer()
    addresses = {buffer.reserve(size) for size in (100, 7, 100, 0)}
    assert len(addresses) == 1
    buffer.reserve(101)
    assert recording_cuda.count()["cudaMalloc"] == 2
    assert recording_cuda.live == 1
    del buffer
    gc.collect()
    assert recording_cuda.live == 0


def test_what_is_uploaded_is_downloaded(recording_cuda: RecordingRuntime) -> None:
    stream, buffer = _cuda.Stream(), _cuda.Buffer()
    array = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    buffer.upload(array, stream)
    found = buffer.download(array.shape, array.dtype, stream)
    stream.synchronize()
    np.testing.assert_array_equal(found, array)


def test_a_page_locked_buffer_is_the_same_memory_at_each_call(
    recording_cuda: RecordingRuntime,
) -> None:
    buffer = _cuda.PinnedBuffer()
    first = buffer.array((2, 3), np.float32)
    first[...] = 7
    assert (buffer.array((6,), "float32") == 7).all()
    assert first.flags.writeable
    assert first.flags.c_contiguous
    assert recording_cuda.count()["cudaHostAlloc"] == 1
    assert recording_cuda.calls[-1][1][1] == 1  # of all contexts


def test_an_array_outlives_its_page_locked_buffer(recording_cuda: RecordingRuntime) -> None:
    buffer = _cuda.PinnedBuffer()
    first = buffer.array((4,), np.uint8)
    first[...] = 3
    buffer.array((400,), np.uint8)
    buffer.close()
    assert (first == 3).all()
    assert recording_cuda.pinned == 4
    del first
    gc.collect()
    assert recording_cuda.pinned == 0


def test_an_array_without_samples_takes_no_memory(recording_cuda: RecordingRuntime) -> None:
    assert _cuda.PinnedBuffer().array((0, 3), np.uint8).shape == (0, 3)
    assert "cudaHostAlloc" not in recording_cuda.names


def test_no_bytes_are_no_call(recording_cuda: RecordingRuntime) -> None:
    _cuda.copy_async(0, 0, 0, _cuda.Stream())
    assert "cudaMemcpyAsync" not in recording_cuda.names

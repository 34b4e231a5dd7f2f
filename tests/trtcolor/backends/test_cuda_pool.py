"""Device memory goes back with its last holder, and the next one waits for the work on it."""

from __future__ import annotations

import gc
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording_cuda import RecordingRuntime, deferred_cuda, recorded, recording_cuda

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_pool import PATIENCE
from trtcolor.errors import BackendError, OutOfDeviceMemoryError

__all__ = ["deferred_cuda", "recording_cuda"]  # fixtures
MIB = 1 << 20


def test_once_warm_a_pool_allocates_nothing(recording_cuda: RecordingRuntime) -> None:
    pool, streams = _cuda.Pool(), (_cuda.Stream(), _cuda.Stream())
    for frame in range(1000):
        stream = streams[frame % 2]
        first, second = pool.take(3 * MIB, stream), pool.take(1000, stream)
        del first, second
    assert recording_cuda.count()["cudaMalloc"] == 2
    assert recording_cuda.handles <= 4 + 4


def test_blocks_that_are_held_do_not_overlap(recording_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    blocks = [pool.take(size, stream) for size in (1, 512, 513, MIB)]
    for before, after in pairwise(sorted(blocks, key=lambda block: block.address)):
        assert before.address + before.size <= after.address


def test_the_next_holder_on_another_stream_waits_for_the_last_one(
    deferred_cuda: RecordingRuntime,
) -> None:
    pool, one, other = _cuda.Pool(), _cuda.Stream(), _cuda.Stream()
    ours, theirs = np.full(16, 1, np.uint8), np.full(16, 2, np.uint8)
    found = np.zeros(16, np.uint8)
    block = pool.take(16, one)
    address = block.address
    _cuda.copy_async(address, ours.ctypes.data, 16, one)
    _cuda.copy_async(found.ctypes.data, address, 16, one)
    del block
    block = pool.take(16, other)
    assert block.address == address
    _cuda.copy_async(address, theirs.ctypes.data, 16, other)
    other.synchronize()  # it may have run first, were there no wait
    one.synchronize()
    np.testing.assert_array_equal(found, ours)


def test_the_next_holder_waits_for_every_stream_that_used_it(
    deferred_cuda: RecordingRuntime,
) -> None:
    pool, one, reader = _cuda.Pool(), _cuda.Stream(), _cuda.Stream()
    ours, theirs = np.full(16, 1, np.uint8), np.full(16, 2, np.uint8)
    found = np.zeros(16, np.uint8)
    block = pool.take(16, one)
    address = block.address
    _cuda.copy_async(address, ours.ctypes.data, 16, one)
    reader.wait(_cuda.Event().record(one))
    block.used_by(reader)
    _cuda.copy_async(found.ctypes.data, address, 16, reader)
    del block
    block = pool.take(16, one)
    _cuda.copy_async(block.address, theirs.ctypes.data, 16, one)
    one.synchronize()
    reader.synchronize()
    np.testing.assert_array_equal(found, ours)


def test_on_the_same_stream_nothing_is_waited_for(deferred_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    pool.take(16, stream).close()
    pool.take(16, stream).close()
    assert "cudaStreamWaitEvent" not in deferred_cuda.names


def test_each_threads_own_default_stream_is_another(deferred_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream(_cuda.PER_THREAD)
    block = pool.take(16, stream)
    deferred_cuda.enqueue(stream.handle, lambda: None)
    block.close()
    pool.take(16, stream).close()
    assert "cudaStreamWaitEvent" in deferred_cuda.names


def test_of_spare_blocks_one_whose_work_is_done_is_taken_first(
    deferred_cuda: RecordingRuntime,
) -> None:
    pool, busy, idle = _cuda.Pool(), _cuda.Stream(), _cuda.Stream()
    first, second = pool.take(16, busy), pool.take(16, idle)
    address = second.address
    deferred_cuda.enqueue(busy.handle, lambda: None)
    first.close()
    second.close()
    assert pool.take(16, _cuda.Stream()).address == address


def test_without_memory_spare_blocks_are_given_up_first() -> None:
    with recorded(memory=8 * MIB) as runtime:
        pool, stream = _cuda.Pool(), _cuda.Stream()
        pool.take(3 * MIB, stream).close()
        block = pool.take(7 * MIB, stream)
        assert runtime.live == 1
        with pytest.raises(OutOfDeviceMemoryError):
            pool.take(2 * MIB, stream)
        block.close()
        assert pool.take(2 * MIB, stream).address


def test_sizes_that_are_no_longer_wanted_are_freed(recording_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    for size in range(1, 2 * PATIENCE):
        pool.take(size * MIB // 8, stream).close()
        pool.take(3, stream).close()
    held = recording_cuda.live
    for _ in range(PATIENCE + 1):
        pool.take(3, stream).close()
    pool.take(100 * MIB, stream).close()
    assert recording_cuda.live < held


def test_a_closed_pool_frees_what_is_spare_and_the_rest_with_its_holder(
    recording_cuda: RecordingRuntime,
) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    pool.take(16, stream).close()
    held = pool.take(5000, stream)
    pool.close()
    pool.close()
    assert recording_cuda.live == 1
    with pytest.raises(BackendError, match="closed pool"):
        pool.take(16, stream)
    held.close()
    held.close()
    assert recording_cuda.live == 0


def test_a_pool_that_is_dropped_leaves_nothing(recording_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    block = pool.take(16, stream)
    pool.take(5000, stream).close()
    del pool
    gc.collect()
    assert recording_cuda.live >= 1
    del block
    gc.collect()
    assert recording_cuda.live == 0


def test_trimming_frees_what_nobody_holds(recording_cuda: RecordingRuntime) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    held = pool.take(16, stream)
    pool.take(5000, stream).close()
    pool.trim()
    assert recording_cuda.live == 1
    assert held.address


def test_nothing_is_no_memory(recording_cuda: RecordingRuntime) -> None:
    block = _cuda.Pool().take(0, _cuda.Stream())
    assert (block.address, block.size) == (0, 0)
    block.close()
    assert "cudaMalloc" not in recording_cuda.names


def test_memory_and_its_marks_are_of_the_pools_gpu() -> None:
    with recorded(devices=2) as runtime:
        pool = _cuda.Pool(1)
        with _cuda.using(1):
            stream = _cuda.Stream()
        pool.take(MIB, stream).close()
        assert runtime.free[0] == runtime.memory > runtime.free[1]
        assert _cuda.call("cudaGetDevice") == 0


def test_threads_share_a_pool(recording_cuda: RecordingRuntime) -> None:
    pool = _cuda.Pool()
    wrong: list[int] = []

    def work(number: int) -> None:
        stream, out = _cuda.Stream(), np.zeros(64, np.uint8)
        mine = np.full(64, number, np.uint8)
        for _ in range(200):
            block = pool.take(64, stream)
            _cuda.copy_async(block.address, mine.ctypes.data, 64, stream)
            _cuda.copy_async(out.ctypes.data, block.address, 64, stream)
            stream.synchronize()
            wrong.extend(out[out != number])

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert recording_cuda.live <= 8


@given(st.lists(st.tuples(st.integers(1, 4 * MIB), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_pool_wastes_at_most_half_and_holds_no_block_twice(takes: list[tuple[int, int]]) -> None:
    with recorded() as runtime:
        pool, stream = _cuda.Pool(), _cuda.Stream()
        held: list[_cuda.Block] = []
        for size, keep in takes:
            held = held[len(held) - keep :] if keep < len(held) else held
            block = pool.take(size, stream)
            assert block.address not in {other.address for other in held}
            room = runtime._memory[block.address][1]
            assert size <= room <= 2 * (size + max(512, size // 16))
            held.append(block)


def test_a_block_that_outlives_its_stream_is_freed_and_asks_nothing_of_it(
    recording_cuda: RecordingRuntime,
) -> None:
    pool, stream, other = _cuda.Pool(), _cuda.Stream(), _cuda.Stream()
    block = pool.take(16, stream)
    block.used_by(other)
    other.close()
    events = recording_cuda.count()["cudaEventRecord"]
    block.close()
    assert recording_cuda.count()["cudaFree"] == 1
    assert recording_cuda.count()["cudaEventRecord"] == events

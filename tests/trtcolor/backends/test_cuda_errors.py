"""What a call of CUDA gives as an error is one sentence, of the class that says what helps."""

from __future__ import annotations

import re

import pytest
from recording_cuda import RecordingRuntime, recorded, recording_cuda

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_calls import LOST
from trtcolor.errors import BackendError, DeviceLostError, OutOfDeviceMemoryError

__all__ = ["recording_cuda"]  # a fixture
MIB = 1 << 20


def test_too_little_memory_says_what_was_asked_for_and_what_there_is() -> None:
    with recorded(memory=8 * MIB):
        held = _cuda.Buffer()
        held.reserve(5 * MIB)
        with pytest.raises(OutOfDeviceMemoryError) as raised:
            _cuda.Buffer().reserve(4 * MIB)
    found = str(raised.value)
    assert "4.0 MiB asked for, 3.0 MiB of 8.0 MiB free" in found
    assert "\n" not in found


def test_a_buffer_that_could_not_grow_is_empty_and_can_be_used() -> None:
    with recorded(memory=8 * MIB) as runtime:
        buffer = _cuda.Buffer()
        buffer.reserve(MIB)
        with pytest.raises(OutOfDeviceMemoryError):
            buffer.reserve(9 * MIB)
        assert (buffer.address, buffer.size, runtime.free) == (0, 0, [8 * MIB])
        assert buffer.reserve(8 * MIB)


def test_where_the_driver_tells_no_free_memory_the_rest_is_said(
    recording_cuda: RecordingRuntime,
) -> None:
    recording_cuda.fail("cudaMalloc", error="cudaErrorMemoryAllocation")
    recording_cuda.fail("cudaMemGetInfo", error="cudaErrorInvalidValue")
    with pytest.raises(OutOfDeviceMemoryError, match=r"1\.0 MiB asked for\)"):
        _cuda.Buffer().reserve(MIB)


def test_page_locked_memory_that_lacks_is_the_hosts(recording_cuda: RecordingRuntime) -> None:
    recording_cuda.fail("cudaHostAlloc", error="cudaErrorMemoryAllocation")
    with pytest.raises(OutOfDeviceMemoryError, match=r"3\.0 MiB of page-locked memory"):
        _cuda.PinnedBuffer().array((3, MIB), "uint8")


@pytest.mark.parametrize("error", ["cudaErrorIllegalAddress", "cudaErrorECCUncorrectable"])
def test_a_gpu_that_failed_for_good_is_lost_at_this_call_and_all_later(
    recording_cuda: RecordingRuntime, error: str
) -> None:
    stream = _cuda.Stream()
    recording_cuda.fail("cudaStreamSynchronize", error=error)
    for work in (stream.synchronize, _cuda.Event, lambda: _cuda.Buffer().reserve(1)):
        with pytest.raises(DeviceLostError, match=f"failed for good .*{error}.* start the program"):
            work()


def test_what_was_held_of_a_lost_gpu_is_let_go_without_an_error(
    recording_cuda: RecordingRuntime,
) -> None:
    stream, event, buffer, pool = _cuda.Stream(), _cuda.Event(), _cuda.Buffer(), _cuda.Pool()
    buffer.reserve(16)
    block = pool.take(16, stream)
    recording_cuda.fail(error="cudaErrorIllegalAddress")
    with pytest.raises(DeviceLostError):
        stream.synchronize()
    for held in (block, pool, buffer, event, stream):
        held.close()


def test_another_error_names_the_call_and_its_reason(recording_cuda: RecordingRuntime) -> None:
    recording_cuda.fail("cudaSetDevice", error="cudaErrorInvalidValue")
    with pytest.raises(
        BackendError, match=r"^cudaSetDevice failed \(cudaErrorInvalidValue: stand-in"
    ) as raised:
        _cuda.use(0)
    assert type(raised.value) is BackendError


def test_an_error_that_was_raised_is_not_left_for_the_threads_next_caller(
    recording_cuda: RecordingRuntime,
) -> None:
    recording_cuda.fail("cudaMalloc", error="cudaErrorMemoryAllocation")
    with pytest.raises(BackendError):
        _cuda.Buffer().reserve(1)
    assert "cudaGetLastError" in recording_cuda.names


def test_lost_are_all_errors_after_which_nvidia_says_that_nothing_works() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime")
    known = {error.name for error in runtime.cudaError_t}
    told = {
        error.name
        for error in runtime.cudaError_t
        if "inconsistent state" in re.sub(r"\s+", " ", error.__doc__ or "")
    }
    if len(told) == len(known):
        pytest.skip("this cuda-bindings documents the enumeration as a whole")
    assert told <= LOST
    assert {"cudaErrorUnknown", "cudaErrorIllegalAddress"} <= known & LOST


def test_a_threads_own_gpu_is_its_own_again() -> None:
    with recorded(devices=2):
        with _cuda.using(1):
            assert _cuda.call("cudaGetDevice") == 1
        assert _cuda.call("cudaGetDevice") == 0
        with pytest.raises(BackendError, match="cudaErrorInvalidDevice"), _cuda.using(2):
            pass
        assert _cuda.call("cudaGetDevice") == 0


def test_the_primary_context_is_made_current_where_the_gpu_is_the_same(
    recording_cuda: RecordingRuntime,
) -> None:
    with _cuda.using(0):
        assert ("cudaSetDevice", (0,)) in recording_cuda.calls

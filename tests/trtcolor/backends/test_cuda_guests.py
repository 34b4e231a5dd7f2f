"""Another library's memory is its own again once no stream works on it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_guests import Guest, settle

__all__ = ["deferred_cuda"]  # a fixture


@pytest.fixture(autouse=True)
def _nothing_left(deferred_cuda: RecordingRuntime) -> Iterator[None]:
    yield
    settle(wait=True)


def test_it_is_kept_until_the_streams_that_use_it_are_done(
    deferred_cuda: RecordingRuntime,
) -> None:
    stream, back = _cuda.Stream(), []
    guest = Guest(0, lambda: back.append("given"))
    guest.used_by(stream)
    deferred_cuda.enqueue(stream.handle, lambda: back.append("worked"))
    del guest
    gc.collect()
    settle()
    assert back == []
    stream.synchronize()
    settle()
    assert back == ["worked", "given"]


def test_what_no_stream_used_goes_back_at_once() -> None:
    back: list[int] = []
    guest = Guest(0, lambda: back.append(1))
    del guest
    assert back == [1]


def test_another_guest_that_comes_is_the_occasion_to_give_back(
    deferred_cuda: RecordingRuntime,
) -> None:
    stream, back = _cuda.Stream(), []
    guest = Guest(0, lambda: back.append(1))
    guest.used_by(stream)
    deferred_cuda.enqueue(stream.handle, lambda: None)
    del guest
    stream.synchronize()
    assert back == []
    Guest(0, lambda: None)
    assert back == [1]


def test_waiting_gives_all_back(deferred_cuda: RecordingRuntime) -> None:
    stream, back = _cuda.Stream(), []
    guest = Guest(0, lambda: back.append(1))
    guest.used_by(stream)
    deferred_cuda.enqueue(stream.handle, lambda: None)
    del guest
    settle(wait=True)
    assert back == [1]


def test_of_a_lost_gpu_all_is_given_back(deferred_cuda: RecordingRuntime) -> None:
    stream, back = _cuda.Stream(), []
    guest = Guest(0, lambda: back.append(1))
    guest.used_by(stream)
    deferred_cuda.fail(error="cudaErrorIllegalAddress")
    del guest
    assert back == [1]


def test_of_a_stream_that_is_closed_nothing_is_asked(deferred_cuda: RecordingRuntime) -> None:
    stream, back = _cuda.Stream(), []
    guest = Guest(0, lambda: back.append(1))
    guest.used_by(stream)
    stream.synchronize()
    stream.close()
    del guest
    assert back == [1]
    assert "cudaEventRecord" not in deferred_cuda.names

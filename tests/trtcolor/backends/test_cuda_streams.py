"""Work is done in the order of streams, events and graphs."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from recording_cuda import (
    POISON,
    RecordingRuntime,
    deferred_cuda,
    device_bytes,
    recording_cuda,
)

from trtcolor.backends import _cuda
from trtcolor.errors import BackendError

__all__ = ["deferred_cuda", "recording_cuda"]  # fixtures
BYTES = np.arange(16, dtype=np.uint8)


def filled(stream: _cuda.Stream) -> _cuda.Buffer:
    buffer = _cuda.Buffer()
    buffer.upload(BYTES, stream)
    return buffer


def test_a_stream_that_does_not_wait_reads_what_was_there_before(
    deferred_cuda: RecordingRuntime,
) -> None:
    """The stand-in shows a wait that is missing."""
    one, other = _cuda.Stream(), _cuda.Stream()
    buffer = filled(one)
    found = buffer.download((16,), np.dtype(np.uint8), other)
    other.synchronize()
    assert (found == POISON).all()


def test_a_stream_that_waits_reads_what_the_other_wrote(deferred_cuda: RecordingRuntime) -> None:
    one, other = _cuda.Stream(), _cuda.Stream()
    buffer = filled(one)
    other.wait(_cuda.Event().record(one))
    found = buffer.download((16,), np.dtype(np.uint8), other)
    other.synchronize()
    np.testing.assert_array_equal(found, BYTES)


def test_an_event_is_done_once_what_it_marks_is(deferred_cuda: RecordingRuntime) -> None:
    stream = _cuda.Stream()
    assert _cuda.Event().done()
    buffer = filled(stream)
    event = _cuda.Event().record(stream)
    assert not event.done()
    event.synchronize()
    assert event.done()
    buffer.close()


def test_an_event_of_a_failed_gpu_is_an_error(recording_cuda: RecordingRuntime) -> None:
    event = _cuda.Event()
    recording_cuda.fail("cudaEventQuery", error="cudaErrorLaunchFailure")
    with pytest.raises(BackendError, match="cudaErrorLaunchFailure"):
        event.done()


def test_streams_wait_for_no_default_stream(recording_cuda: RecordingRuntime) -> None:
    _cuda.Stream()
    assert ("cudaStreamCreateWithFlags", (1,)) in recording_cuda.calls


def test_handles_are_given_back_by_closing_twice_and_by_dropping(
    recording_cuda: RecordingRuntime,
) -> None:
    stream, event = _cuda.Stream(), _cuda.Event()
    graph = _cuda.Graph.capture(stream, lambda: None)
    assert recording_cuda.handles == 3
    assert not stream.closed
    for held in (graph, event, stream):
        held.close()
        held.close()
    assert stream.closed
    assert recording_cuda.handles == 0
    dropped = [_cuda.Stream(), _cuda.Event()]
    assert recording_cuda.handles == 2
    del dropped
    gc.collect()
    assert recording_cuda.handles == 0


def test_a_borrowed_stream_stays_its_owners(recording_cuda: RecordingRuntime) -> None:
    own = _cuda.Stream()
    borrowed = _cuda.Stream(own.handle)
    borrowed.close()
    assert not borrowed.closed
    del borrowed
    own.synchronize()


@pytest.mark.parametrize(
    ("value", "handle"),
    [
        (None, 1),
        (0, 0),
        (2, 2),
        (SimpleNamespace(cuda_stream=48), 48),  # PyTorch
        (SimpleNamespace(ptr=64), 64),  # CuPy
        (SimpleNamespace(handle=80), 80),  # pycuda
        (SimpleNamespace(__cuda_stream__=lambda: (0, 96)), 96),  # cuda.core
        (SimpleNamespace(__cuda_stream__=(0, 112)), 112),  # its first releases
    ],
)
def test_streams_of_other_libraries_are_borrowed(value: Any, handle: int) -> None:
    stream = _cuda.Stream.of(value)
    assert (stream.handle, stream.borrowed) == (handle, True)
    assert _cuda.Stream.of(stream) is stream


@pytest.mark.parametrize("value", ["1", 1.0, True, object()])
def test_what_is_no_stream_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^stream is a \w+, but must be the number"):
        _cuda.Stream.of(value)


def test_what_is_captured_is_done_at_each_launch_and_not_before(
    deferred_cuda: RecordingRuntime,
) -> None:
    stream, source, target = _cuda.Stream(), BYTES.copy(), _cuda.Buffer()
    address = target.reserve(16)
    graph = _cuda.Graph.capture(
        stream, lambda: _cuda.copy_async(address, source.ctypes.data, 16, stream)
    )
    stream.synchronize()
    assert (device_bytes(address, 16) == POISON).all()
    for add in (1, 2):
        source += add
        graph.launch(stream)
        stream.synchronize()
        np.testing.assert_array_equal(device_bytes(address, 16), source)


@pytest.mark.parametrize(
    "work", [lambda: _cuda.Buffer().reserve(16), lambda: 1 / 0], ids=["allocates", "raises"]
)
def test_a_capture_that_fails_leaves_a_stream_that_works(
    recording_cuda: RecordingRuntime, work: Callable[[], object]
) -> None:
    stream = _cuda.Stream()
    with pytest.raises((BackendError, ZeroDivisionError)):
        _cuda.Graph.capture(stream, work)
    assert recording_cuda.handles == 1
    assert gc.isenabled()
    buffer = filled(stream)
    stream.synchronize()
    np.testing.assert_array_equal(device_bytes(buffer.address, 16), BYTES)


def test_a_capture_that_was_spoilt_unnoticed_gives_no_graph(
    recording_cuda: RecordingRuntime,
) -> None:
    def allocate() -> None:
        with pytest.raises(BackendError):
            _cuda.Buffer().reserve(16)

    with pytest.raises(BackendError, match="cudaErrorStreamCaptureInvalidated"):
        _cuda.Graph.capture(_cuda.Stream(), allocate)


def test_a_graph_that_is_not_instantiated_is_given_back(recording_cuda: RecordingRuntime) -> None:
    recording_cuda.fail("cudaGraphInstantiate", error="cudaErrorMemoryAllocation")
    stream = _cuda.Stream()
    with pytest.raises(BackendError, match="cudaGraphInstantiate"):
        _cuda.Graph.capture(stream, lambda: None)
    assert recording_cuda.handles == 1


def test_a_closed_graph_is_an_error(recording_cuda: RecordingRuntime) -> None:
    stream = _cuda.Stream()
    graph = _cuda.Graph.capture(stream, lambda: None)
    graph.close()
    with pytest.raises(BackendError, match="cudaGraphLaunch"):
        graph.launch(stream)


def test_garbage_is_not_collected_during_a_capture(recording_cuda: RecordingRuntime) -> None:
    """A buffer that is freed in a capture spoils it."""
    seen: list[bool] = []
    _cuda.Graph.capture(_cuda.Stream(), lambda: seen.append(gc.isenabled()))
    assert (seen, gc.isenabled()) == ([False], True)


def test_a_borrowed_stream_is_kept_as_long_as_it_may_be_used(
    recording_cuda: RecordingRuntime,
) -> None:
    class Theirs:
        def __init__(self) -> None:
            self.cuda_stream = _cuda.Stream().handle

    theirs = Theirs()
    seen = weakref.ref(theirs)
    borrowed = _cuda.Stream.of(theirs)
    del theirs
    gc.collect()
    assert seen() is not None
    del borrowed
    gc.collect()
    assert seen() is None

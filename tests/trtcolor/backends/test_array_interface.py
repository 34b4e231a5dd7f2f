"""The CUDA Array Interface: what arrays of CuPy, Numba and pycuda say of themselves."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from recording_cuda import RecordingRuntime, deferred_cuda, recorded, recording_cuda

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_guests import settle
from trtcolor.backends.device_arrays import DeviceArray, device_array

__all__ = ["deferred_cuda", "recording_cuda"]  # fixtures
FRAME = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


class Guest:
    """An array of another library, as pycuda's ``GPUArray`` says what it is."""

    def __init__(self, filling: _cuda.Stream, **changes: Any) -> None:
        self.buffer = _cuda.Buffer()
        self.buffer.upload(FRAME, filling)
        said = {
            "shape": FRAME.shape,
            "strides": FRAME.strides,
            "data": (self.buffer.address, False),
            "typestr": "<f4",
            "stream": None,
            "version": 3,
        }
        said |= changes
        self.__cuda_array_interface__ = {k: v for k, v in said.items() if v is not ...}


@pytest.mark.parametrize("producer", [None, ..., 1, 2, "own"])
def test_what_a_guest_names_is_waited_for(deferred_cuda: RecordingRuntime, producer: Any) -> None:
    """Who names no stream, as pycuda and version 2, may have used the legacy default one."""
    own, stream = _cuda.Stream(), _cuda.Stream()
    named = own.handle if producer == "own" else producer
    filling = _cuda.Stream(1 if named in (None, ...) else named)
    guest = Guest(filling, stream=named)
    taken = device_array(guest, stream)
    assert taken.address == guest.buffer.address
    found = np.zeros_like(FRAME)
    _cuda.copy_async(found.ctypes.data, taken.address, FRAME.nbytes, stream)
    stream.synchronize()
    np.testing.assert_array_equal(found, FRAME)


def test_a_stream_does_not_wait_for_itself(recording_cuda: RecordingRuntime) -> None:
    stream = _cuda.Stream()
    device_array(Guest(stream, stream=stream.handle), stream)
    assert "cudaStreamWaitEvent" not in recording_cuda.names


def test_a_guest_is_kept_until_our_stream_is_done(deferred_cuda: RecordingRuntime) -> None:
    stream = _cuda.Stream()
    guest = Guest(_cuda.Stream(1))
    alive = weakref.ref(guest)
    taken = device_array(guest, stream)
    del guest, taken
    gc.collect()
    assert alive() is not None
    stream.synchronize()
    settle()
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"mask": object()}, ValueError, "frame has a mask, but must have none"),
        ({"stream": 0}, ValueError, "frame names stream 0, which the CUDA Array Interface forb"),
        ({"typestr": ">f4"}, TypeError, "frame is of dtype >f4, but must be native"),
        ({"typestr": "|V2"}, TypeError, r"frame is of dtype \|V2, but must be of one that NumPy"),
        ({"typestr": "<c8"}, TypeError, "frame is of dtype complex64, but must be of one"),
        ({"typestr": "rgb"}, TypeError, "frame has a __cuda_array_interface__ that does not fit"),
        ({"shape": ...}, TypeError, r"frame has a .* \(KeyError: 'shape'\)"),
        ({"data": None}, TypeError, "frame has a __cuda_array_interface__ that does not fit"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    recording_cuda: RecordingRuntime,
    changes: dict[str, Any],
    error: type[Exception],
    sentence: str,
) -> None:
    guest = Guest(_cuda.Stream(), **changes)
    with pytest.raises(error, match=f"^{sentence}") as raised:
        device_array(guest, _cuda.Stream(), name="frame")
    assert "\n" not in str(raised.value)


def test_memory_of_pycudas_own_context_is_refused(recording_cuda: RecordingRuntime) -> None:
    guest = Guest(_cuda.Stream())
    recording_cuda.foreign.add(guest.buffer.address)
    with pytest.raises(ValueError, match=r"primary context, .*autoprimaryctx, not pycuda\.autoin"):
        device_array(guest, _cuda.Stream())


def test_an_address_that_cuda_does_not_know_is_refused(recording_cuda: RecordingRuntime) -> None:
    guest = Guest(_cuda.Stream(), data=(FRAME.ctypes.data, False))
    with pytest.raises(ValueError, match="not of GPU 0's primary context"):
        device_array(guest, _cuda.Stream())


def test_memory_of_another_gpu_is_refused() -> None:
    with recorded(devices=2):
        with _cuda.using(1):
            guest = Guest(_cuda.Stream())
        with pytest.raises(ValueError, match="array is on GPU 1, but must be on GPU 0"):
            device_array(guest, _cuda.Stream())


def test_without_strides_and_samples_nothing_is_asked(recording_cuda: RecordingRuntime) -> None:
    guest = Guest(_cuda.Stream(), shape=(0, 3), strides=None, data=(0, True))
    taken = device_array(guest, _cuda.Stream())
    assert (taken.shape, taken.readonly) == ((0, 3), True)


def test_an_array_of_ours_names_a_stream_only_while_it_is_filled(
    deferred_cuda: RecordingRuntime,
) -> None:
    stream = _cuda.Stream()
    guest = Guest(stream)
    array = DeviceArray(
        guest.buffer.address, FRAME.shape, "<f4", 0, _cuda.Event().record(stream), guest
    )
    said = array.__cuda_array_interface__
    assert said["version"] == 3
    assert said["stream"] == 1
    assert (said["shape"], said["strides"], said["typestr"]) == ((2, 4, 3), None, "<f4")
    _cuda.Stream(1).synchronize()
    assert array.__cuda_array_interface__["stream"] is None


def test_an_array_of_ours_is_taken_by_its_own_words(deferred_cuda: RecordingRuntime) -> None:
    stream = _cuda.Stream()
    owner = Guest(stream)
    array = DeviceArray(
        owner.buffer.address, FRAME.shape, "<f4", 0, _cuda.Event().record(stream), owner
    )
    only = type("Only", (), {"__cuda_array_interface__": array.__cuda_array_interface__})()
    np.testing.assert_array_equal(device_array(only, _cuda.Stream()).numpy(), FRAME)

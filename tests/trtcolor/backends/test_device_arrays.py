"""Arrays go to other libraries and come from them in place, in the order of streams."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from recording_cuda import (
    POISON,
    RecordingRuntime,
    deferred_cuda,
    device_bytes,
    recorded,
    recording_cuda,
)

from trtcolor.backends import _cuda, _dlpack
from trtcolor.backends._cuda_guests import settle
from trtcolor.backends.device_arrays import DeviceArray, device_array, host_array, is_on_gpu

__all__ = ["deferred_cuda", "recording_cuda"]  # fixtures
FRAME = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
asks_for_a_device = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="this NumPy asks for no device"
)


@pytest.fixture(autouse=True)
def _guests_leave() -> Iterator[None]:
    yield
    gc.collect()
    settle()


def on_device(array: NDArray[Any], stream: _cuda.Stream, pool: _cuda.Pool) -> DeviceArray:
    """An array that the stream is still filling."""
    block = pool.take(array.nbytes, stream)
    _cuda.copy_async(block.address, array.ctypes.data, array.nbytes, stream)
    ready = _cuda.Event().record(stream)
    return DeviceArray(block.address, array.shape, array.dtype, 0, ready, block)


class Exported:
    """Another library's array: DLPack and nothing else."""

    def __init__(self, array: DeviceArray) -> None:
        self.array = array
        self.asked: dict[str, Any] = {}

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        self.asked = options
        return self.array.__dlpack__(**options)


class Old(Exported):
    """From before DLPack 1."""

    def __dlpack__(self, stream: Any = None) -> Any:  # type: ignore[override]
        return super().__dlpack__(stream=stream)


class Elsewhere:
    def __init__(self, *device: int) -> None:
        self._device = device

    def __dlpack_device__(self) -> tuple[int, ...]:
        return self._device


@pytest.mark.parametrize("kind", [Exported, Old])
def test_what_comes_by_dlpack_is_used_in_place_once_it_is_filled(
    deferred_cuda: RecordingRuntime, kind: type[Exported]
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    stream, guest = _cuda.Stream(), kind(array)
    taken = device_array(guest, stream)
    assert taken.address == array.address
    assert guest.asked["stream"] == stream.handle
    found = np.zeros_like(FRAME)
    _cuda.copy_async(found.ctypes.data, taken.address, FRAME.nbytes, stream)
    stream.synchronize()
    np.testing.assert_array_equal(found, FRAME)


def test_a_producer_is_told_of_the_default_stream_by_its_own_number(
    recording_cuda: RecordingRuntime,
) -> None:
    guest = Exported(on_device(FRAME, _cuda.Stream(), _cuda.Pool()))
    device_array(guest, _cuda.Stream(0))
    assert guest.asked["stream"] == 1  # DLPack forbids 0


def test_an_array_of_ours_comes_back_as_it_is(deferred_cuda: RecordingRuntime) -> None:
    array, stream = on_device(FRAME, _cuda.Stream(), _cuda.Pool()), _cuda.Stream()
    assert device_array(array, stream) is array
    stream.synchronize()
    np.testing.assert_array_equal(
        device_bytes(array.address, FRAME.nbytes).reshape(FRAME.shape), FRAME
    )


def test_a_copy_on_the_host_waits_until_the_array_is_filled(
    deferred_cuda: RecordingRuntime,
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    np.testing.assert_array_equal(array.numpy(), FRAME)


@asks_for_a_device
def test_numpy_gets_a_copy_on_the_host_where_it_asks_for_that(
    deferred_cuda: RecordingRuntime,
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    np.testing.assert_array_equal(np.from_dlpack(array, device="cpu"), FRAME)
    with pytest.raises(BufferError, match="without a copy"):
        np.from_dlpack(array, device="cpu", copy=False)


def test_the_host_has_no_stream(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    with pytest.raises(ValueError, match="the host has none"):
        array.__dlpack__(stream=1, dl_device=(1, 0))


@pytest.mark.parametrize(("asked", "waits"), [(None, 1), (1, 1), (2, 2), (-1, None)])
def test_the_consumers_stream_waits_as_the_standard_says(
    deferred_cuda: RecordingRuntime, asked: int | None, waits: int | None
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    deferred_cuda.calls.clear()
    array.__dlpack__(stream=asked)
    found = [a[0] for name, a in deferred_cuda.calls if name == "cudaStreamWaitEvent"]
    assert found == ([] if waits is None else [waits])


@pytest.mark.parametrize(("asked", "error"), [(0, ValueError), (-2, ValueError), ("1", TypeError)])
def test_other_streams_are_refused(
    recording_cuda: RecordingRuntime, asked: Any, error: type[Exception]
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    with pytest.raises(error, match=r"^stream is "):
        array.__dlpack__(stream=asked)


def test_another_device_is_refused_and_its_own_is_not(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    with pytest.raises(BufferError, match=r"GPU 0 was asked for on DLPack device \(2, 1\)"):
        array.__dlpack__(dl_device=(2, 1))
    _dlpack.take(array.__dlpack__(dl_device=(2, 0))).release()


def test_a_copy_that_is_asked_for_is_the_consumers_own(deferred_cuda: RecordingRuntime) -> None:
    array, stream = on_device(FRAME, _cuda.Stream(), _cuda.Pool()), _cuda.Stream()
    for asked in (stream.handle, -1):
        taken = _dlpack.take(array.__dlpack__(stream=asked, copy=True, max_version=(1, 0)))
        assert taken.address != array.address
        stream.synchronize()
        found = device_bytes(taken.address, FRAME.nbytes).reshape(FRAME.shape)
        np.testing.assert_array_equal(found, FRAME)
        taken.release()
    gc.collect()
    assert deferred_cuda.live == 1


def test_a_capsule_has_a_version_only_for_who_knows_it(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    assert '"dltensor"' in repr(array.__dlpack__())
    assert '"dltensor"' in repr(array.__dlpack__(max_version=(0, 8)))
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        assert '"dltensor_versioned"' in repr(array.__dlpack__(max_version=(1, 3)))


def test_memory_is_not_taken_again_before_the_consumers_stream_is_done(
    deferred_cuda: RecordingRuntime,
) -> None:
    pool, filling, theirs = _cuda.Pool(), _cuda.Stream(), _cuda.Stream()
    found = np.zeros_like(FRAME)
    array = on_device(FRAME, filling, pool)
    taken = _dlpack.take(array.__dlpack__(stream=theirs.handle))
    address = taken.address
    _cuda.copy_async(found.ctypes.data, address, FRAME.nbytes, theirs)
    taken.release()
    del array, taken
    gc.collect()
    other = on_device(np.full_like(FRAME, 9), filling, pool)
    assert other.address == address
    filling.synchronize()
    theirs.synchronize()
    np.testing.assert_array_equal(found, FRAME)


def test_another_librarys_memory_is_kept_until_our_stream_is_done(
    deferred_cuda: RecordingRuntime,
) -> None:
    array, stream = on_device(FRAME, _cuda.Stream(), _cuda.Pool()), _cuda.Stream()
    owner = weakref.ref(array)
    taken = device_array(Exported(array), stream)
    deferred_cuda.enqueue(stream.handle, lambda: None)
    del array, taken
    gc.collect()
    settle()
    assert owner() is not None
    stream.synchronize()
    settle()
    gc.collect()
    assert owner() is None


def test_a_view_with_gaps_is_copied_on_the_gpu(deferred_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())

    class Planes:
        __cuda_array_interface__ = array.__cuda_array_interface__ | {
            "shape": (3, 2, 4),
            "strides": (1, 12, 3),
        }

    for pool in (None, _cuda.Pool()):
        taken = device_array(Planes(), _cuda.Stream(), pool=pool)
        assert taken.address != array.address
        np.testing.assert_array_equal(taken.numpy(), FRAME.transpose(2, 0, 1))
    del taken
    gc.collect()
    settle(wait=True)
    assert deferred_cuda.live <= 2  # the array, and what the pool keeps


def test_read_only_stays_so_and_a_copy_is_not(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    array.readonly = True
    assert array.__cuda_array_interface__["data"] == (array.address, True)
    with pytest.raises(BufferError, match="read-only"):
        array.__dlpack__()
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        assert device_array(Exported(array), _cuda.Stream()).readonly
        taken = _dlpack.take(array.__dlpack__(copy=True))
        assert not taken.readonly
        taken.release()


def test_an_array_without_samples_goes_both_ways(recording_cuda: RecordingRuntime) -> None:
    array = DeviceArray(0, (0, 4, 3), np.uint8, 0)
    assert array.__cuda_array_interface__["data"] == (0, False)
    taken = device_array(Exported(array), _cuda.Stream())
    assert (taken.shape, taken.nbytes, taken.numpy().shape) == ((0, 4, 3), 0, (0, 4, 3))


def test_an_array_says_what_it_is(recording_cuda: RecordingRuntime) -> None:
    array = DeviceArray(0, (2, 4, 3), np.float32, 0)
    assert (array.ndim, array.size, array.nbytes) == (3, 24, 96)
    assert repr(array) == "DeviceArray(shape=(2, 4, 3), dtype=float32, device=0)"


def test_where_an_array_is_on_a_gpu(recording_cuda: RecordingRuntime) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    interface = type("Interface", (), {"__cuda_array_interface__": {}})()
    for value in (array, Exported(array), Elsewhere(13, 0), interface):
        assert is_on_gpu(value)
    gradient = torch.zeros(3, requires_grad=True)
    for value in (FRAME, torch.zeros(3), gradient, Elsewhere(3, 0), Elsewhere(8, 0), [1], None):
        assert not is_on_gpu(value)


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        (Elsewhere(2, 1), ValueError, "frame is on GPU 1, but must be on GPU 0; "),
        (Elsewhere(8, 0), ValueError, r"frame is on DLPack device \(8, 0\), but must be on GPU 0"),
        ([1], TypeError, "frame is a list, but must be an array on a GPU"),
    ],
)
def test_what_is_not_on_this_gpu_is_refused(
    recording_cuda: RecordingRuntime, value: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=f"^{sentence}"):
        device_array(value, _cuda.Stream(), name="frame")


def test_our_array_of_another_gpu_is_refused() -> None:
    with recorded(devices=2):
        array = DeviceArray(0, (0,), np.uint8, 1)
        with pytest.raises(ValueError, match="on GPU 1, but must be on GPU 0"):
            device_array(array, _cuda.Stream())


def test_a_type_that_numpy_has_not_is_refused(recording_cuda: RecordingRuntime) -> None:
    class Bfloat:
        """PyTorch's on the host, said to be on a GPU."""

        def __dlpack_device__(self) -> tuple[int, int]:
            return 2, 0

        def __dlpack__(self, **_: Any) -> Any:
            return torch.zeros(3, dtype=torch.bfloat16).__dlpack__()

    with pytest.raises(TypeError, match="frame is of dtype bfloat16, but must be of one that"):
        device_array(Bfloat(), _cuda.Stream(), name="frame")


def test_what_its_library_does_not_give_is_refused_with_its_reason(
    recording_cuda: RecordingRuntime,
) -> None:
    class Refusing(Elsewhere):
        def __dlpack__(self, **_: Any) -> Any:
            raise BufferError("not\nthis one")

    with pytest.raises(ValueError, match=r"Refusing that cannot be read \(not this one\)"):
        device_array(Refusing(2, 0), _cuda.Stream())


def test_an_array_of_the_host_is_numpys_in_the_same_memory() -> None:
    tensor = torch.arange(24, dtype=torch.uint8).reshape(2, 4, 3)
    for view in (tensor, tensor.permute(2, 0, 1), tensor[:, ::2]):
        array = host_array(view)
        assert isinstance(array, np.ndarray)
        assert array.ctypes.data == view.data_ptr()
        np.testing.assert_array_equal(array, view.numpy())


@pytest.mark.parametrize("value", [FRAME, FRAME[0, 0, 0], [1, 2], None])
def test_what_numpy_knows_already_comes_back_as_it_is(value: Any) -> None:
    assert host_array(value) is value


@pytest.mark.parametrize(
    "tensor", [torch.zeros(3, requires_grad=True), torch.zeros(3, dtype=torch.bfloat16)]
)
def test_what_numpy_cannot_read_is_refused_in_one_sentence(tensor: torch.Tensor) -> None:
    with pytest.raises(
        ValueError, match=r"^frame is a torch\.Tensor that cannot be read"
    ) as raised:
        host_array(tensor, "frame")
    assert "\n" not in str(raised.value)


def test_an_array_of_another_device_is_not_the_hosts() -> None:
    with pytest.raises(ValueError, match=r"frame is on DLPack device \(2, 0\), but must be in the"):
        host_array(Elsewhere(2, 0), "frame")


def test_without_a_wait_the_stand_in_shows_what_was_there(
    deferred_cuda: RecordingRuntime,
) -> None:
    array = on_device(FRAME, _cuda.Stream(), _cuda.Pool())
    assert (device_bytes(array.address, 3) == POISON).all()

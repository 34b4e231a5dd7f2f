"""Frames on a GPU come out there in the colours that the CPU gives, on the stand-in for CUDA."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bound_sessions import on_the_stand_in
from device_frames import ByDlpack, ByInterface, OfHost
from noise import picture
from numpy.typing import NDArray
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor import Colorizer
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import BackendError, NoGlobalFeaturesError, OutOfDeviceMemoryError

__all__ = ["deferred_cuda"]  # a fixture
MakeBundle = Callable[..., Path]
SIZES = [(1, 1), (1, 9), (17, 23), (33, 16), (16, 16), (50, 70)]


@pytest.fixture
def stand_in(deferred_cuda: RecordingRuntime, monkeypatch: pytest.MonkeyPatch) -> RecordingRuntime:
    """A GPU whose work is done no sooner than somebody waits for it."""
    on_the_stand_in(deferred_cuda, monkeypatch)
    return deferred_cuda


Pair = tuple[Colorizer, Colorizer]


@pytest.fixture
def plain(make_bundle: MakeBundle, stand_in: RecordingRuntime) -> Iterator[Pair]:
    """A model without global features: on the CPU, and on the GPU."""
    folder = make_bundle()
    with Colorizer(folder) as cpu, Colorizer(folder, backend="onnxruntime-cuda") as gpu:
        yield cpu, gpu


@pytest.fixture
def fused(make_bundle: MakeBundle, stand_in: RecordingRuntime) -> Iterator[Pair]:
    """One with global features and scenes that sees frames at 16 pixels."""
    folder = make_bundle("fused", global_size=16, render_size=16, classes=("barn", "beach", "pub"))
    with Colorizer(folder) as cpu, Colorizer(folder, backend="onnxruntime-cuda") as gpu:
        yield cpu, gpu


def near(found: Any, expected: NDArray[Any]) -> None:
    """The bytes of a frame on the GPU are those of the CPU within rounding."""
    assert isinstance(found, DeviceArray)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    apart = np.abs(found.numpy().astype(int) - expected)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.01


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("kind", [ByDlpack, ByInterface])
def test_a_frame_is_coloured_as_on_the_cpu(
    size: tuple[int, int], channels: int | None, kind: type, plain: Pair
) -> None:
    cpu, gpu = plain
    frame = picture(*size) if channels is None else picture(*size, channels)
    near(gpu.colorize(kind(frame)), cpu.colorize(frame))


@pytest.mark.parametrize("size", SIZES)
def test_so_it_is_with_global_features(size: tuple[int, int], fused: Pair) -> None:
    cpu, gpu = fused
    frame = picture(*size, 3)
    near(gpu.colorize(ByDlpack(frame)), cpu.colorize(frame))
    style = cpu.global_features(picture(40, 40))
    given = {"global_features": style, "saturation": 0.5, "render": "full"}
    near(gpu.colorize(ByDlpack(frame), **given), cpu.colorize(frame, **given))


@pytest.mark.parametrize("render", ["auto", "full", 8])
@pytest.mark.parametrize("gamut", ["reduce", "clip"])
def test_options_of_the_colorizer_hold_there_too(
    render: Any, gamut: Any, make_bundle: MakeBundle, stand_in: RecordingRuntime
) -> None:
    folder, frame = make_bundle(render_size=24), picture(37, 52)
    options = {"render": render, "gamut": gamut}
    with (
        Colorizer(folder, **options) as cpu,
        Colorizer(folder, backend="onnxruntime-cuda", **options) as gpu,
    ):
        near(gpu.colorize(ByDlpack(frame), saturation=3), cpu.colorize(frame, saturation=3))


@pytest.mark.parametrize(
    "view", [np.s_[3:20, 5:40], np.s_[:, ::-1], np.s_[::-1], np.s_[::2, :, :], np.s_[..., :1]]
)
def test_a_part_of_a_frame_is_read_where_it_lies(view: Any, plain: Pair) -> None:
    cpu, gpu = plain
    frame = picture(24, 44, 3)
    near(gpu.colorize(ByInterface(frame, view)), cpu.colorize(frame[view]))


def test_what_comes_out_can_go_in_again(plain: Pair) -> None:
    cpu, gpu = plain
    frame = picture(24, 44)
    first = gpu.colorize(ByDlpack(frame))
    second = gpu.colorize(first)
    near(second, cpu.colorize(first.numpy()))


def test_global_features_and_scenes_are_those_of_the_cpu(fused: Pair) -> None:
    cpu, gpu = fused
    frame = picture(40, 70, 3)
    expected = cpu.global_features(frame)
    np.testing.assert_allclose(gpu.global_features(ByDlpack(frame)), expected, atol=1e-3)
    names = [name for name, _ in cpu.classify(frame)]
    assert [name for name, _ in gpu.classify(ByDlpack(frame))] == names


def test_a_frame_of_another_library_in_the_hosts_memory_is_as_numpys(plain: Pair) -> None:
    frame = picture(17, 23, 3)
    expected = plain[0].colorize(frame)
    for colorizer in plain:
        found = colorizer.colorize(OfHost(frame))
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, expected)


def test_frames_of_one_shape_allocate_nothing_once_warm(
    fused: Pair, stand_in: RecordingRuntime
) -> None:
    _, gpu = fused
    frame = ByDlpack(picture(40, 30, 3))
    for _ in range(4):
        gpu.colorize(frame).numpy()
    gc.collect()
    before = stand_in.count()
    for _ in range(30):
        gpu.colorize(frame).numpy()
    after = stand_in.count()
    for function in ("cudaMalloc", "cudaFree", "cudaHostAlloc", "cudaFreeHost"):
        assert after[function] == before[function], function


def test_frames_that_are_still_being_filled_do_not_disturb_each_other(fused: Pair) -> None:
    cpu, gpu = fused
    frames = [picture(40, 30, 3, seed=index) for index in range(9)]
    gpu.colorize(ByDlpack(frames[0]))  # of a new shape the host waits
    found = [gpu.colorize(ByDlpack(frame)) for frame in frames]
    for frame, coloured in zip(frames, found, strict=True):
        near(coloured, cpu.colorize(frame))


def test_threads_share_a_colorizer(plain: Pair) -> None:
    cpu, gpu = plain
    frames = [picture(30 + index, 40, 3, seed=index) for index in range(6)]
    found: dict[int, Any] = {}

    def work(index: int) -> None:
        found[index] = gpu.colorize(ByDlpack(frames[index]))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, frame in enumerate(frames):
        near(found[index], cpu.colorize(frame))


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (np.zeros((4, 4), np.uint16), TypeError, "a frame of uint16 on a GPU came"),
        (np.zeros((4, 4, 3), np.float32), TypeError, "a frame of float32 on a GPU came"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, "leave the alpha out"),
        (np.zeros((4, 4, 2), np.uint8), ValueError, "leave the alpha out"),
        (np.zeros((3, 4, 5), np.uint8), ValueError, "put the channels last"),
        (np.zeros((2, 4, 4, 3), np.uint8), ValueError, "put the channels last"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, "at least 1x1"),
    ],
)
def test_what_does_not_stay_on_the_gpu_is_refused(
    frame: NDArray[Any], error: type[Exception], message: str, plain: Pair
) -> None:
    cpu, gpu = plain
    with pytest.raises(error, match=message) as caught:
        gpu.colorize(ByDlpack(frame))
    assert "\n" not in str(caught.value)
    del caught  # it keeps the frame, which remembers the Colorizer's stream, beyond that
    good = picture(8, 8)
    near(gpu.colorize(ByDlpack(good)), cpu.colorize(good))


@pytest.mark.parametrize("call", ["colorize", "global_features", "classify"])
def test_a_backend_on_the_cpu_refuses_a_frame_on_the_gpu(call: str, fused: Pair) -> None:
    cpu, _ = fused
    with pytest.raises(BackendError, match="backend 'onnxruntime', which runs on cpu"):
        getattr(cpu, call)(ByDlpack(picture(8, 8)))
    with pytest.raises(BackendError, match="copy the frame to the host"):
        next(cpu.stream(iter([ByDlpack(picture(8, 8))])))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsampling": "joint-bilateral"}, "'bilinear' was needed"),
        ({"memory": 10**9}, "not tiled"),
    ],
)
def test_an_option_for_frames_of_the_host_is_refused(
    options: dict[str, Any], message: str, make_bundle: MakeBundle, stand_in: RecordingRuntime
) -> None:
    from trtcolor.spec import SizeRule

    folder = make_bundle(size=SizeRule(8, 2, 32, halo=8, map_bytes=64))
    with (
        Colorizer(folder, backend="onnxruntime-cuda", **options) as gpu,
        pytest.raises(ValueError, match=message),
    ):
        gpu.colorize(ByDlpack(picture(8, 8)))


def test_features_of_a_network_without_are_refused(plain: Pair) -> None:
    _, gpu = plain
    frame = ByDlpack(picture(8, 8))
    with pytest.raises(NoGlobalFeaturesError):
        gpu.colorize(frame, global_features=np.zeros(3, np.float32))
    with pytest.raises(NoGlobalFeaturesError):
        gpu.global_features(frame)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_an_error_there_too(
    value: float, make_bundle: MakeBundle, stand_in: RecordingRuntime
) -> None:
    folder = make_bundle(weights={"low_bias": np.array([0, value], np.float32)})
    with (
        Colorizer(folder, backend="onnxruntime-cuda") as gpu,
        pytest.raises(BackendError, match="gave chroma that is not finite"),
    ):
        gpu.colorize(ByDlpack(picture(8, 8)))


@pytest.mark.parametrize("room", [0, 30_000, 60_000])
def test_a_gpu_without_memory_is_one_error_and_the_colorizer_works_on(
    room: int, fused: Pair, stand_in: RecordingRuntime
) -> None:
    cpu, gpu = fused
    gpu.colorize(ByDlpack(picture(40, 30, 3)))
    larger = ByDlpack(picture(90, 130, 3))
    missing = stand_in.free[0] - room
    stand_in.free[0] -= missing
    with pytest.raises(OutOfDeviceMemoryError, match="MiB free"):
        gpu.colorize(larger)
    stand_in.free[0] += missing
    near(gpu.colorize(larger), cpu.colorize(larger.source))


def test_a_closed_colorizer_refuses_but_its_frames_stay(plain: Pair) -> None:
    cpu, gpu = plain
    frame = picture(20, 20)
    found = gpu.colorize(ByDlpack(frame))
    gpu.close()
    with pytest.raises(BackendError, match="closed"):
        gpu.colorize(ByDlpack(frame))
    near(found, cpu.colorize(frame))

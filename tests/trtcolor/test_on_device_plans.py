"""Frames on a GPU go through an engine's plans alone, on the stand-ins for TensorRT and CUDA."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import grainy, scene
from device_frames import ByDlpack
from frame_engines import colorizer_on_plans
from noise import picture
from numpy.typing import NDArray
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor import Colorizer
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import BackendError, OutOfDeviceMemoryError

__all__ = ["deferred_cuda"]  # a fixture
MakeBundle = Callable[..., Path]
Pair = tuple[Colorizer, Colorizer]


@pytest.fixture(params=[False, True], ids=["tensorrt", "tensorrt-rtx"])
def pair(
    request: pytest.FixtureRequest, make_bundle: MakeBundle, deferred_cuda: RecordingRuntime
) -> Iterator[Pair]:
    """A model with global features: on the CPU, and as an engine."""
    folder = make_bundle("fused", global_size=16, render_size=24, classes=("barn", "pub"))
    with (
        Colorizer(folder) as cpu,
        colorizer_on_plans(deferred_cuda, folder, rtx=request.param) as gpu,
    ):
        yield cpu, gpu


def near(found: Any, expected: NDArray[Any]) -> None:
    assert isinstance(found, DeviceArray)
    apart = np.abs(found.numpy().astype(int) - expected)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.01


@pytest.mark.parametrize("size", [(1, 1), (17, 23), (64, 90)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_is_coloured_as_on_the_cpu(
    size: tuple[int, int], channels: int, pair: Pair
) -> None:
    cpu, gpu = pair
    for seed in range(4):  # from the third on the plans are launched as graphs
        frame = picture(*size, channels, seed=seed)
        near(gpu.colorize(ByDlpack(frame)), cpu.colorize(frame))


def test_frames_that_are_still_being_filled_do_not_disturb_each_other(pair: Pair) -> None:
    cpu, gpu = pair
    frames = [picture(40, 30, 3, seed=index) for index in range(9)]
    found = [gpu.colorize(ByDlpack(frame)) for frame in frames]
    for frame, coloured in zip(frames, found, strict=True):
        near(coloured, cpu.colorize(frame))


def test_a_film_is_that_of_the_host(pair: Pair) -> None:
    cpu, gpu = pair
    frames = [
        grainy(scene(seed, 72, 96), seed + index).astype(np.uint8)
        for seed in (1, 2)
        for index in range(10)
    ]
    expected = list(cpu.stream(iter(frames)))
    for coloured, truth in zip(gpu.stream(map(ByDlpack, frames)), expected, strict=True):
        near(coloured, truth)
    for coloured, truth in zip(gpu.stream(iter(frames)), expected, strict=True):
        assert np.abs(coloured.astype(int) - truth).max() <= 1


def test_once_warm_nothing_is_allocated(pair: Pair, deferred_cuda: RecordingRuntime) -> None:
    _, gpu = pair
    frame = ByDlpack(picture(40, 30, 3))
    for _ in range(6):
        gpu.colorize(frame).numpy()
    gc.collect()
    before = deferred_cuda.count()
    for _ in range(20):
        gpu.colorize(frame).numpy()
    after = deferred_cuda.count()
    for function in ("cudaMalloc", "cudaFree", "cudaHostAlloc", "cudaFreeHost"):
        assert after[function] == before[function], function


def test_what_the_plans_were_not_built_for_is_refused(pair: Pair) -> None:
    _, gpu = pair
    with pytest.raises(BackendError, match="are for render auto"):
        gpu.colorize(ByDlpack(picture(8, 8)), render="full")
    with pytest.raises(BackendError) as caught:
        gpu.colorize(ByDlpack(picture(600, 8)))
    assert "\n" not in str(caught.value)


def test_a_gpu_without_memory_is_one_error_and_the_colorizer_works_on(
    pair: Pair, deferred_cuda: RecordingRuntime
) -> None:
    cpu, gpu = pair
    gpu.colorize(ByDlpack(picture(40, 30, 3)))
    larger = ByDlpack(picture(190, 230, 3))
    missing = deferred_cuda.free[0] - 30_000
    deferred_cuda.free[0] -= missing
    with pytest.raises(OutOfDeviceMemoryError):
        gpu.colorize(larger)
    deferred_cuda.free[0] += missing
    near(gpu.colorize(larger), cpu.colorize(larger.source))

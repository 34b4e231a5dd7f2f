"""Frames of a film that lie on a GPU, or go through a network there, on the stand-in for CUDA."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bound_sessions import on_the_stand_in
from clips import grainy, scene
from device_frames import ByDlpack
from numpy.typing import NDArray
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor import Colorizer
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import BackendError
from trtcolor.stages import Stages
from trtcolor.video.frames import LumaFrame, Signal
from trtcolor.video.stream import color_arrays, color_frames

__all__ = ["deferred_cuda"]  # a fixture
MakeBundle = Callable[..., Path]
Frame = NDArray[np.uint8]
Pair = tuple[Colorizer, Colorizer]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("trtcolor ")]


@pytest.fixture
def stand_in(deferred_cuda: RecordingRuntime, monkeypatch: pytest.MonkeyPatch) -> RecordingRuntime:
    """A GPU whose work is done no sooner than somebody waits for it."""
    on_the_stand_in(deferred_cuda, monkeypatch)
    return deferred_cuda


@pytest.fixture
def pair(make_bundle: MakeBundle, stand_in: RecordingRuntime) -> Iterator[Pair]:
    """A model with global features, seen at 24 pixels: on the CPU, and on the GPU."""
    folder = make_bundle("fused", global_size=16, render_size=24)
    with Colorizer(folder) as cpu, Colorizer(folder, backend="onnxruntime-cuda") as gpu:
        yield cpu, gpu


def shot(seed: int, length: int) -> list[Frame]:
    """A still scene under grain, in colours that are not looked at."""
    picture = scene(seed, 72, 96)
    return [grainy(picture, seed + index).astype(np.uint8) for index in range(length)]


def near(found: Any, expected: Frame) -> None:
    assert isinstance(found, DeviceArray)
    apart = np.abs(found.numpy().astype(int) - expected)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.01


@pytest.mark.parametrize("steady", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("saturation", [1.0, 0.4])
def test_frames_on_the_gpu_come_out_there_as_those_of_the_host_do(
    steady: float, saturation: float, pair: Pair
) -> None:
    cpu, gpu = pair
    frames = shot(1, 9) + shot(2, 12)
    options = {"steady": steady, "saturation": saturation}
    expected = list(cpu.stream(iter(frames), **options))
    found = list(gpu.stream(map(ByDlpack, frames), **options))
    assert len(found) == len(frames)
    for coloured, truth in zip(found, expected, strict=True):
        near(coloured, truth)


def test_a_style_holds_on_the_gpu_too(pair: Pair) -> None:
    cpu, gpu = pair
    frames, style = shot(1, 6), cpu.global_features(shot(3, 1)[0])
    expected = cpu.stream(iter(frames), style=style)
    for coloured, truth in zip(
        gpu.stream(map(ByDlpack, frames), style=style), expected, strict=True
    ):
        near(coloured, truth)


def test_each_frame_comes_out_where_it_came_from(pair: Pair) -> None:
    cpu, gpu = pair
    frames = shot(1, 10)
    mixed = [ByDlpack(frame) if index % 3 else frame for index, frame in enumerate(frames)]
    expected = list(cpu.stream(iter(frames)))
    for index, coloured in enumerate(gpu.stream(iter(mixed))):
        if index % 3:
            near(coloured, expected[index])
        else:
            np.testing.assert_allclose(coloured.astype(int), expected[index], atol=1)


@pytest.mark.parametrize("steady", [0.0, 0.5])
def test_frames_of_the_host_go_through_a_network_on_the_gpu_to_the_same_bytes(
    steady: float, pair: Pair
) -> None:
    cpu, gpu = pair
    frames = [
        LumaFrame(frame[..., 1].copy(), Signal(), Fraction(index, 24), tag=index)
        for index, frame in enumerate(shot(1, 9) + shot(2, 9))
    ]
    expected = list(color_frames(cpu, iter(frames), steady=steady))
    found = list(color_frames(gpu, iter(frames), steady=steady))
    for one, other in zip(found, expected, strict=True):
        assert (one.tag, one.cut) == (other.tag, other.cut)
        np.testing.assert_array_equal(one.u, other.u)
        np.testing.assert_array_equal(one.v, other.v)


def test_a_frame_is_taken_in_the_thread_that_gives_it(pair: Pair) -> None:
    """Of no other thread's stream does a library know that it still writes the frame."""
    _, gpu = pair
    given: list[int] = []
    taken: list[int] = []

    class Noting(ByDlpack):
        def __dlpack__(self, **options: Any) -> Any:
            taken.append(threading.get_ident())
            return super().__dlpack__(**options)

    def source() -> Iterator[ByDlpack]:
        for frame in shot(1, 5):
            given.append(threading.get_ident())
            yield Noting(frame)

    assert len(list(gpu.stream(source()))) == 5
    assert taken == given
    assert threading.get_ident() not in given


def test_a_frame_does_not_wait_for_the_next_one_to_come(pair: Pair) -> None:
    _, gpu = pair
    frames, coloured = shot(1, 30), threading.Event()

    def live() -> Iterator[Frame]:
        yield from frames
        assert coloured.wait(60)

    with closing(gpu.stream(live(), ahead=1)) as stream:
        for _ in range(20):  # cuts look a few frames ahead
            next(stream)
        coloured.set()


def test_the_network_has_one_count_a_frame(pair: Pair) -> None:
    _, gpu = pair
    stages = Stages()
    assert len(list(color_arrays(gpu, iter(shot(1, 7)), stages=stages))) == 7
    assert {stage.frames for stage in stages.stages.values()} == {7}


def test_closing_early_ends_all_threads_with_runs_under_way(pair: Pair) -> None:
    _, gpu = pair
    for kind in (ByDlpack, np.asarray):
        with closing(gpu.stream(map(kind, shot(1, 40)))) as stream:
            next(stream)
    assert list(gpu.stream(iter(shot(1, 3))))  # it works on


def test_a_run_that_fails_under_way_is_raised_after_the_frames_before_it(
    pair: Pair, stand_in: RecordingRuntime
) -> None:
    _, gpu = pair
    frames = shot(1, 20)

    def source() -> Iterator[Any]:
        for index, frame in enumerate(frames):
            if index == 15:
                stand_in.fail("cudaEventSynchronize", error="cudaErrorLaunchFailure")
            yield ByDlpack(frame)

    came: list[Any] = []
    with pytest.raises(BackendError, match="failed for good"):
        came.extend(gpu.stream(source()))
    assert len(came) < 20

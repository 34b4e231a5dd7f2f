"""Frames through the plans of an engine, in three streams, come out as a Colorizer colours them.

TensorRT and CUDA are stand-ins (fake_tensorrt.py, recording_cuda.py) that run the real graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from device_frames import ByDlpack
from fake_tensorrt import installed
from numpy.typing import NDArray
from plan_runners import on_device
from recording_cuda import RecordingRuntime, recorded

from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.frame_plans import FRAME_GRAPHS, FramePlans
from trtcolor.backends.tensorrt import TensorRTRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.choose import Opened
from trtcolor.colorizer import Colorizer
from trtcolor.engines.frames import frame_graphs, graph_profiles
from trtcolor.engines.profile import ShapeProfile, input_ranges
from trtcolor.errors import BackendError, OutOfDeviceMemoryError
from trtcolor.geometry import chroma_size, plan_render

MakeBundle = Callable[..., Path]
NETWORK = (ShapeProfile.parse("8:32:128"),)
FRAMES = (ShapeProfile.parse("1:64x48:128"),)
SIZES = [(48, 64), (1, 1), (37, 90), (48, 64), (128, 41), (37, 90)]


@pytest.fixture(params=["tensorrt", "tensorrt-rtx"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=16, classes=("sea", "town")))


@pytest.fixture(params=[False, True], ids=["at once", "deferred"])
def runtime(request: pytest.FixtureRequest) -> Iterator[RecordingRuntime]:
    with recorded(deferred=request.param) as made:
        yield made


def runner_of(api: Any, backend: str, bundle: Bundle, frames: FramePlans) -> TensorRTRunner:
    graphs = {name: onnx.load(bundle.graph_path(name)) for name in bundle.spec.graphs}
    graphs |= frame_graphs(bundle.spec, frames)
    plans = {}
    for name, graph in graphs.items():
        shapes = {
            value.name: tuple(side.dim_value or -1 for side in value.type.tensor_type.shape.dim)
            for value in graph.graph.input
        }
        profiles = NETWORK
        if name in FRAME_GRAPHS:
            rule = bundle.spec.size
            profiles = graph_profiles(name, FRAMES, rule, frames.render, NETWORK)  # type: ignore[assignment]
        plans[name] = api.plan(graph, *input_ranges(shapes, profiles))
    return TensorRTRunner(backend, plans, frames=frames)


class Steps:
    """The three steps of a frame, each in a stream of its own."""

    def __init__(self, runner: TensorRTRunner, bundle: Bundle, frames: FramePlans) -> None:
        self._runner, self._rule, self._frames = runner, bundle.spec.size, frames
        self._pool = _cuda.Pool()
        self._first, self._second, self._third = (_cuda.Stream() for _ in range(3))

    def color(self, frame: NDArray[np.uint8], saturation: float) -> DeviceArray:
        height, width, channels = frame.shape
        plan = plan_render((height, width), self._rule, self._frames.render)
        names = self._runner.frame_graphs(self._frames.render, self._frames.gamut, channels)
        side = self._rule.global_size
        given = {"frames": on_device(frame[np.newaxis], self._first)}
        prepared = self._run(
            names.prepare,
            given,
            self._first,
            lightness=(1, 1, height, width),
            network_lightness=(1, 1, *plan.padded),
            global_lightness=(1, 1, side, side),
        )
        square = {"lightness": prepared["global_lightness"]}
        features = self._run("global", square, self._second, global_features=(1, 3))
        grid = chroma_size(plan.padded, self._rule.chroma_scale)
        seen = {"lightness": prepared["network_lightness"], **features}
        chroma = self._run("local", seen, self._second, chroma=(1, 2, *grid))
        factor = on_device(np.array([saturation], np.float32), self._third)
        merged = {"lightness": prepared["lightness"], "saturation": factor, **chroma}
        return self._run(names.merge, merged, self._third, rgb=(1, height, width, 3))["rgb"]

    def _run(
        self,
        graph: str,
        given: dict[str, DeviceArray],
        stream: _cuda.Stream,
        **shapes: tuple[Any, ...],
    ) -> dict[str, DeviceArray]:
        made = {}
        for name, shape in shapes.items():
            dtype = np.uint8 if name == "rgb" else np.float32
            made[name] = DeviceArray(0, shape, dtype, 0)
            block = self._pool.take(made[name].nbytes, stream)
            made[name].address, made[name].owner = block.address, block
        for array in given.values():
            array.wait(stream)
        self._runner.enqueue(graph, given, made, stream)
        ready = _cuda.Event().record(stream)
        for array in made.values():
            array.ready = ready
        return made


@pytest.mark.parametrize(
    "frames", [FramePlans("full"), FramePlans(24, "clip")], ids=["full", "reduced"]
)
@pytest.mark.parametrize("channels", [3, 1])
def test_frames_come_out_as_on_the_cpu(
    frames: FramePlans, channels: int, backend: str, bundle: Bundle, runtime: RecordingRuntime
) -> None:
    on_cpu = Colorizer(bundle.path, render=frames.render, gamut=frames.gamut)
    random = np.random.default_rng(0)
    given = [random.integers(0, 256, (*size, channels), np.uint8) for size in SIZES * 4]
    with installed(runtime, rtx=backend == "tensorrt-rtx") as api:
        runner = runner_of(api, backend, bundle, frames)
        steps = Steps(runner, bundle, frames)
        colored = [steps.color(frame, 1.5) for frame in given]  # nothing is waited for
        for frame, found in zip(given, colored, strict=True):
            expected = on_cpu.colorize(frame, saturation=1.5)
            close(found.numpy()[0], expected)
        assert runner.notes == ()
        runner.close()


@pytest.fixture
def colorizers(
    backend: str, bundle: Bundle, runtime: RecordingRuntime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Colorizer, Colorizer, Any]]:
    """A Colorizer on the CPU, one on an engine for frames at full size, and the stand-in."""
    with installed(runtime, rtx=backend == "tensorrt-rtx") as api:
        on_cpu = Colorizer(bundle.path, render="full")
        runner = runner_of(api, backend, bundle, FramePlans("full"))
        monkeypatch.setattr("trtcolor.colorizer.open_runner", lambda *_, **__: Opened(runner, None))
        with Colorizer(bundle.path, backend=backend, render="full") as on_gpu:
            yield on_cpu, on_gpu, api


def close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 2
    assert (difference > 1).mean() <= 1e-4


def test_a_colorizer_takes_frames_of_both_memories(
    colorizers: tuple[Colorizer, Colorizer, Any],
) -> None:
    on_cpu, on_gpu, _ = colorizers
    random = np.random.default_rng(1)
    for size in SIZES * 2:
        frame = random.integers(0, 256, (*size, 3), np.uint8)
        expected = on_cpu.colorize(frame)
        close(on_gpu.colorize(frame), expected)
        close(on_gpu.colorize(ByDlpack(frame)).numpy(), expected)


def test_a_film_in_either_memory_is_coloured_as_on_the_cpu(
    colorizers: tuple[Colorizer, Colorizer, Any],
) -> None:
    on_cpu, on_gpu, _ = colorizers
    random = np.random.default_rng(2)
    film = [random.integers(0, 256, (40, 56, 3), np.uint8) for _ in range(24)]
    expected = list(on_cpu.stream(iter(film)))
    for found, frame in zip(on_gpu.stream(iter(film)), expected, strict=True):
        close(found, frame)
    on_device = on_gpu.stream(map(ByDlpack, film))
    for found, frame in zip(on_device, expected, strict=True):
        close(found.numpy(), frame)


def test_frames_of_the_gpu_that_are_still_being_filled_do_not_disturb_each_other(
    colorizers: tuple[Colorizer, Colorizer, Any],
) -> None:
    on_cpu, on_gpu, _ = colorizers
    random = np.random.default_rng(4)
    frames = [random.integers(0, 256, (40, 30, 3), np.uint8) for _ in range(9)]
    found = [on_gpu.colorize(ByDlpack(frame)) for frame in frames]
    for frame, coloured in zip(frames, found, strict=True):
        close(coloured.numpy(), on_cpu.colorize(frame))


def test_once_warm_frames_of_the_gpu_allocate_nothing(
    colorizers: tuple[Colorizer, Colorizer, Any], runtime: RecordingRuntime
) -> None:
    _, on_gpu, _ = colorizers
    frame = ByDlpack(np.zeros((40, 30, 3), np.uint8))
    for _ in range(6):
        on_gpu.colorize(frame).numpy()
    before = runtime.count()
    for _ in range(20):
        on_gpu.colorize(frame).numpy()
    for function in ("cudaMalloc", "cudaFree", "cudaHostAlloc", "cudaFreeHost"):
        assert runtime.count()[function] == before[function], function


def test_a_frame_for_which_there_is_no_memory_leaves_a_colorizer_that_works(
    colorizers: tuple[Colorizer, Colorizer, Any], runtime: RecordingRuntime
) -> None:
    on_cpu, on_gpu, _ = colorizers
    random = np.random.default_rng(3)
    small, large = (random.integers(0, 256, (side, side, 3), np.uint8) for side in (32, 128))
    close(on_gpu.colorize(ByDlpack(small)).numpy(), on_cpu.colorize(small))
    refused = 0
    for after in range(6):
        runtime.fail("cudaMalloc", after=after, error="cudaErrorMemoryAllocation")
        try:
            found = on_gpu.colorize(ByDlpack(large))
        except OutOfDeviceMemoryError:
            refused += 1
        else:
            close(found.numpy(), on_cpu.colorize(large))
        runtime._plans.clear()
        close(on_gpu.colorize(ByDlpack(small)).numpy(), on_cpu.colorize(small))
    assert refused  # how often depends on what lies in the pool


def test_another_render_size_than_the_plans_have_is_refused_in_a_sentence(
    colorizers: tuple[Colorizer, Colorizer, Any],
) -> None:
    _, on_gpu, _ = colorizers
    frame = ByDlpack(np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(BackendError, match=r"came for render 16 .* build-engine --frames"):
        on_gpu.colorize(frame, render=16)

"""Plans on a GPU: right in every stream and thread, for long, and when its memory runs out."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._tensorrt import import_tensorrt
from trtcolor.backends.base import DeviceRunner
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.tensorrt import TensorRTRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.target import known_targets
from trtcolor.engines.tensorrt import build_plan
from trtcolor.errors import BackendError, OutOfDeviceMemoryError

pytestmark = pytest.mark.gpu
pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")

MakeBundle = Callable[..., Path]
SMALL = ShapeProfile.parse("16:64x32:2x128x128")
WIDE = ShapeProfile.parse("160:256:2048")
CLOSE = {"rtol": 1e-3, "atol": 1e-3}


def why_not_here(backend: str) -> str:
    """Why a TensorRT cannot run here; empty where it can."""
    try:
        target = _cuda.probe().target
        known = known_targets(import_tensorrt(backend))
    except BackendError as error:
        return str(error)
    return "" if target in known or not known else f"{backend} does not know {target}"


@pytest.fixture(params=["tensorrt", "tensorrt-rtx"])
def backend(request: pytest.FixtureRequest) -> str:
    reason = why_not_here(request.param)
    if reason:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=32, classes=("a", "b")))


@pytest.fixture
def runner(backend: str, bundle: Bundle) -> Iterator[TensorRTRunner]:
    targets = () if backend == "tensorrt" else (_cuda.probe().target,)
    plans = {}
    for name in bundle.spec.graphs:
        graph = onnx.load(bundle.graph_path(name)).SerializeToString()
        plans[name] = build_plan(backend, graph, (SMALL, WIDE), name=name, targets=targets).data
    made = TensorRTRunner(backend, plans)
    yield made
    made.close()


def planes(*shape: int) -> NDArray[np.float32]:
    return (100 * np.random.default_rng(0).random(shape)).astype(np.float32)


def inputs_of(graph: str, batch: int, side: int) -> dict[str, NDArray[np.float32]]:
    if graph != "local":
        return {"lightness": planes(batch, 1, 32, 32)}
    return {"lightness": planes(batch, 1, side, side + 8), "global_features": planes(batch, 3)}


def chroma(runner: Any, inputs: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    (found,) = runner.run("local", inputs, ["chroma"])
    return np.asarray(found)


def on_device(array: NDArray[Any], stream: _cuda.Stream) -> DeviceArray:
    buffer, pinned = _cuda.Buffer(), _cuda.PinnedBuffer().array(array.shape, array.dtype)
    pinned[...] = array
    _cuda.copy_async(buffer.reserve(array.nbytes), pinned.ctypes.data, array.nbytes, stream)
    return DeviceArray(buffer.address, array.shape, array.dtype, 0, owner=(buffer, pinned))


def empty(shape: tuple[int, ...]) -> DeviceArray:
    buffer = _cuda.Buffer()
    return DeviceArray(buffer.reserve(4 * int(np.prod(shape))), shape, "float32", 0, owner=buffer)


@pytest.mark.parametrize("graph", ["local", "global", "joint"])
def test_a_plan_gives_what_onnx_runtime_gives(
    graph: str, bundle: Bundle, runner: TensorRTRunner
) -> None:
    fits: DeviceRunner = runner
    assert (fits.index, fits.device) == (0, "cuda:0")
    names = [name for name in bundle.spec.graphs[graph].outputs if name != "bin_logits"]
    reference = OnnxRuntimeRunner(bundle)
    for batch, side in ((1, 64), (2, 120), (1, 16), (1, 256), *[(1, 64)] * 4):
        inputs = inputs_of(graph, batch, side)
        expected = reference.run(graph, inputs, names)
        for found, wanted in zip(runner.run(graph, inputs, names), expected, strict=True):
            np.testing.assert_allclose(found, wanted, **CLOSE)
    assert runner.notes == ()


def test_runs_under_way_at_a_time_keep_their_results(
    bundle: Bundle, runner: TensorRTRunner
) -> None:
    reference = OnnxRuntimeRunner(bundle)
    given = [inputs_of("local", 1, 64 + 8 * (n % 3)) for n in range(12)]
    for n, inputs in enumerate(given):
        inputs["lightness"] = inputs["lightness"] * np.float32(n / 12)
    begun = [runner.start("local", inputs, ["chroma"]) for inputs in given]
    for inputs, pending in reversed([*zip(given, begun, strict=True)]):
        np.testing.assert_allclose(pending.result()[0], chroma(reference, inputs), **CLOSE)


def test_threads_share_a_runner(runner: TensorRTRunner) -> None:
    inputs = inputs_of("local", 1, 64)
    expected = chroma(runner, inputs)
    found: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda: found.extend(chroma(runner, inputs) for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 160
    for one in found:
        np.testing.assert_allclose(one, expected, **CLOSE)


@pytest.mark.parametrize("handle", [None, 0, _cuda.PER_THREAD])
def test_a_frame_that_another_stream_still_writes_is_waited_for(
    handle: int | None, bundle: Bundle, runner: TensorRTRunner
) -> None:
    writing, reading = _cuda.Stream(), _cuda.Stream(handle)
    inputs = inputs_of("local", 1, 64)
    expected = chroma(OnnxRuntimeRunner(bundle), inputs)
    large = _cuda.Buffer(), _cuda.Buffer()
    size = 1 << 28
    for buffer in large:
        buffer.reserve(size)
    for _ in range(4):  # plain, and as a CUDA graph
        arrays = {name: on_device(np.zeros_like(a), writing) for name, a in inputs.items()}
        output = empty(expected.shape)
        writing.synchronize()
        for _ in range(50):  # some hundredths of a second before the frame comes
            _cuda.copy_async(large[0].address, large[1].address, size, writing)
        sources = {name: on_device(a, writing) for name, a in inputs.items()}
        for name, array in arrays.items():
            _cuda.copy_async(array.address, sources[name].address, array.nbytes, writing)
        reading.wait(_cuda.Event().record(writing))
        runner.enqueue("local", arrays, {"chroma": output}, reading)
        reading.synchronize()
        np.testing.assert_allclose(output.numpy(), expected, **CLOSE)


def test_ten_thousand_frames_take_no_more_memory(runner: TensorRTRunner) -> None:
    given = [inputs_of("local", 1, side) for side in (32, 64, 96)]

    def run(turns: int) -> tuple[int, int]:
        for turn in range(turns):
            chroma(runner, given[turn % 3])
        return _cuda.device_memory()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    free, resident = run(300)
    free_after, resident_after = run(10_000)
    assert free - free_after < 4 << 20
    assert resident_after - resident < 32 << 10  # in KiB


def test_a_gpu_without_memory_gives_one_error_and_runs_again(
    bundle: Bundle, runner: TensorRTRunner
) -> None:
    small, large = inputs_of("local", 1, 64), inputs_of("local", 1, 2032)
    expected = chroma(OnnxRuntimeRunner(bundle), small)
    np.testing.assert_allclose(chroma(runner, small), expected, **CLOSE)
    hog = _cuda.Buffer()
    hog.reserve(_cuda.device_memory()[0] - (16 << 20))
    with pytest.raises(OutOfDeviceMemoryError):
        chroma(runner, large)
    hog.close()
    for _ in range(4):
        np.testing.assert_allclose(chroma(runner, small), expected, **CLOSE)
    chroma(runner, large)


def test_a_closed_runner_is_refused_and_closing_twice_does_nothing(
    runner: TensorRTRunner,
) -> None:
    chroma(runner, inputs_of("local", 1, 64))
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="closed runner"):
        chroma(runner, inputs_of("local", 1, 64))

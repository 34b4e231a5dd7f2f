"""A runner of plans over the stand-ins for TensorRT and CUDA; its graph has known results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from fake_tensorrt import FakeTensorRT, installed
from numpy.typing import NDArray
from onnx import TensorProto, helper
from recording_cuda import RecordingRuntime, recorded

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Profile
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.tensorrt import TensorRTRunner


def graph() -> onnx.ModelProto:
    """lightness (N, 1, H, W), features (N, 3) -> chroma (N, 2, H/2, W/2), level (N, 1, 1, 1)."""
    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node(
            "AveragePool", ["lightness"], ["small"], kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("ReduceSum", ["features", "axes"], ["sum"], keepdims=1),
        helper.make_node("Reshape", ["sum", "square"], ["level"]),
        helper.make_node("Add", ["small", "level"], ["a"]),
        helper.make_node("Concat", ["a", "small"], ["chroma"], axis=1),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
        helper.make_tensor("square", TensorProto.INT64, [4], [-1, 1, 1, 1]),
    ]
    made = helper.make_graph(
        nodes,
        "local",
        [
            helper.make_tensor_value_info("lightness", floats, ["N", 1, "H", "W"]),
            helper.make_tensor_value_info("features", floats, ["N", 3]),
        ],
        [
            helper.make_tensor_value_info("chroma", floats, ["N", 2, "h", "w"]),
            helper.make_tensor_value_info("level", floats, ["N", 1, 1, 1]),
        ],
        constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def profile(low: int, high: int, batch: int = 2) -> Profile:
    return {
        "lightness": ((1, 1, low, low), (1, 1, low, low), (batch, 1, high, high)),
        "features": ((1, 3), (1, 3), (batch, 3)),
    }


def inputs(seed: int, height: int = 16, width: int = 24, batch: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "lightness": random.random((batch, 1, height, width), np.float32) * 100,
        "features": random.random((batch, 3), np.float32),
    }


def expected(given: dict[str, Any]) -> NDArray[np.float32]:
    lightness, features = given["lightness"], given["features"]
    batch, _, height, width = lightness.shape
    small = lightness.reshape(batch, 1, height // 2, 2, width // 2, 2).mean((3, 5))
    level = features.sum(1).reshape(-1, 1, 1, 1)
    return np.concatenate([small + level, small], axis=1)


class Bench:
    """A runner over the stand-ins."""

    def __init__(self, runtime: RecordingRuntime, api: FakeTensorRT, **options: Any) -> None:
        self.cuda, self.api = runtime, api
        self.name = "tensorrt-rtx" if hasattr(api, "CudaGraphStrategy") else "tensorrt"
        self.runner = TensorRTRunner(
            self.name, {"local": api.plan(graph(), profile(2, 64), profile(64, 256))}, **options
        )

    def run(self, seed: int, *size: int) -> None:
        """One run that is right."""
        given = inputs(seed, *size)
        (found,) = self.runner.run("local", given, ["chroma"])
        np.testing.assert_allclose(found, expected(given), rtol=1e-5)

    def run_all(self, *sizes: tuple[int, int]) -> None:
        for size in sizes:
            self.run(1, *size)

    def since(self, start: int) -> list[str]:
        return self.cuda.names[start:]


@pytest.fixture(params=[False, True], ids=["tensorrt", "tensorrt-rtx"])
def rtx(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["at once", "deferred"])
def runtime(request: pytest.FixtureRequest) -> Iterator[RecordingRuntime]:
    with recorded(deferred=request.param) as made:
        yield made


@pytest.fixture
def bench(runtime: RecordingRuntime, rtx: bool) -> Iterator[Bench]:
    with installed(runtime, rtx=rtx) as api:
        made = Bench(runtime, api)
        yield made
        made.runner.close()


@pytest.fixture
def classic(runtime: RecordingRuntime) -> Iterator[Bench]:
    with installed(runtime, rtx=False) as api:
        made = Bench(runtime, api)
        yield made
        made.runner.close()


def on_device(array: NDArray[Any], stream: _cuda.Stream) -> DeviceArray:
    """A copy in the device's memory that comes when the stream does."""
    buffer = _cuda.Buffer()
    pinned = _cuda.PinnedBuffer().array(array.shape, array.dtype)
    pinned[...] = array
    _cuda.copy_async(buffer.reserve(array.nbytes), pinned.ctypes.data, array.nbytes, stream)
    return DeviceArray(buffer.address, array.shape, array.dtype, 0, owner=(buffer, pinned))


def empty(shape: tuple[int, ...]) -> DeviceArray:
    buffer = _cuda.Buffer()
    return DeviceArray(buffer.reserve(4 * int(np.prod(shape))), shape, "float32", 0, owner=buffer)

"""A Colorizer on TensorRT's stand-in, all of whose graphs are plans, those for frames too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import pytest
from fake_tensorrt import FakeTensorRT, installed
from recording_cuda import RecordingRuntime

from trtcolor.backends._profiles import Profile
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.backends.tensorrt import TensorRTRunner
from trtcolor.bundle import Bundle
from trtcolor.choose import Opened
from trtcolor.colorizer import Colorizer
from trtcolor.engines.frames import frame_graphs

LARGEST = 512


@contextmanager
def colorizer_on_plans(
    runtime: RecordingRuntime, folder: Path, *, rtx: bool
) -> Iterator[Colorizer]:
    """It has plans for frames at the model's own render size."""
    name, frames = "tensorrt-rtx" if rtx else "tensorrt", FramePlans()

    def opened(bundle: Bundle, *_: object, **__: object) -> Opened:
        plans = {graph: _plan(api, model) for graph, model in _graphs(bundle, frames).items()}
        return Opened(TensorRTRunner(name, plans, frames=frames), None)

    with installed(runtime, rtx=rtx) as api, pytest.MonkeyPatch.context() as patch:
        patch.setattr("trtcolor.colorizer.open_runner", opened)
        with Colorizer(folder, backend=name) as colorizer:
            yield colorizer


def _graphs(bundle: Bundle, frames: FramePlans) -> dict[str, onnx.ModelProto]:
    network = {name: onnx.load(bundle.graph_path(name)) for name in bundle.spec.graphs}
    return network | frame_graphs(bundle.spec, frames)


def _plan(api: FakeTensorRT, model: onnx.ModelProto) -> bytes:
    profile: Profile = {
        value.name: (_shape(value, 1), _shape(value, 16), _shape(value, LARGEST))
        for value in model.graph.input
    }
    return api.plan(model, profile)


def _shape(value: onnx.ValueInfoProto, free: int) -> tuple[int, ...]:
    return tuple(dim.dim_value or free for dim in value.type.tensor_type.shape.dim)

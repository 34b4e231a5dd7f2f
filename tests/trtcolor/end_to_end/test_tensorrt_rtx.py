"""TensorRT-RTX builds the graphs of frames, at every precision; no GPU is needed for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from plans import build_frames_plan

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.end_to_end.graph import end_to_end_graph, features_graph
from trtcolor.end_to_end.steps import Channels, Gamut, merge_graph, prepare_graph
from trtcolor.geometry import Render
from trtcolor.precision.forms import graphs_at

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")

MakeBundle = Callable[..., Path]


@pytest.fixture
def tiny(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=24, render_size=20))


@pytest.mark.parametrize("channels", [1, 3, None])
def test_the_step_before_the_network_is_built(tiny: Bundle, channels: Channels) -> None:
    inputs, outputs = build_frames_plan(prepare_graph(tiny.spec, channels=channels))
    assert inputs == {"frames": "uint8"}
    floats = ("lightness", "network_lightness", "global_lightness")
    assert outputs == dict.fromkeys(floats, "float32")


@pytest.mark.parametrize("gamut", ["reduce", "clip"])
@pytest.mark.parametrize("render", ["auto", "full"])
def test_the_step_behind_the_network_is_built(tiny: Bundle, render: Render, gamut: Gamut) -> None:
    inputs, outputs = build_frames_plan(merge_graph(tiny.spec, render=render, gamut=gamut))
    assert inputs == dict.fromkeys(("lightness", "chroma", "saturation"), "float32")
    assert outputs == {"rgb": "uint8"}


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "int8"])
def test_all_in_one_is_built_at_every_precision(tiny: Bundle, precision: str) -> None:
    done = graphs_at(tiny, precision, form="tensorrt", accept_error=True)  # type: ignore[arg-type]
    model = end_to_end_graph(tiny, graphs=done.graphs)
    assert build_frames_plan(model) == ({"frames": "uint8"}, {"rgb": "uint8"})


def test_the_default_model_is_built() -> None:
    bundle = open_bundle("default")
    assert build_frames_plan(end_to_end_graph(bundle)) == ({"frames": "uint8"}, {"rgb": "uint8"})
    _, outputs = build_frames_plan(features_graph(bundle, classes=True))
    assert outputs == {"global_features": "float32", "class_logits": "float32"}
    inputs, _ = build_frames_plan(end_to_end_graph(bundle, features="given"))
    assert inputs == {"frames": "uint8", "global_features": "float32"}

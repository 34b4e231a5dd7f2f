"""Every family as OpenVINO and TensorRT-RTX take it, and as one graph from frames to frames."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from exported_families import CASES, Exported, exported_case, lightness_of
from numpy.typing import NDArray
from plans import build_frames_plan
from sessions import assert_same_colours, session

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.end_to_end.graph import end_to_end_graph
from trtcolor.engines.profile import default_profiles
from trtcolor.engines.tensorrt import build_plan
from trtcolor.geometry import Render


@pytest.fixture(scope="module", params=CASES[::-1], ids=str)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """From the last to the first: another process, with another file, makes the first ones."""
    return exported_case(request.param, tmp_path_factory)


def test_tensorrt_rtx_builds_every_graph(exported: Exported) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    profiles = default_profiles(exported.spec)
    for name, graph in exported.spec.graphs.items():
        model = onnx.load(exported.bundle / graph.file).SerializeToString()
        plan = build_plan("tensorrt-rtx", model, profiles, name=name, targets=("sm89", "sm120"))
        assert tuple(plan.inputs) == graph.inputs
        assert set(plan.outputs) == set(graph.outputs)


def test_openvino_gives_the_colours_that_onnx_runtime_gives(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    bundle = open_bundle(exported.bundle)
    theirs, ours = OnnxRuntimeRunner(bundle), OpenVinoRunner(bundle)
    step = exported.spec.size.multiple
    inputs = {"local": exported.inputs(lightness_of(photos, 2, 6 * step, 9 * step))}
    if exported.spec.has_global_features:
        side = exported.spec.size.global_size
        square = {"lightness": lightness_of(photos, 2, side or 0, side or 0)}
        inputs |= {"global": square, "joint": square}
    assert set(inputs) == set(exported.spec.graphs)
    for graph, given in inputs.items():
        outputs = exported.spec.graphs[graph].outputs
        for name, found, expected in zip(
            outputs,
            ours.run(graph, given, outputs),
            theirs.run(graph, given, outputs),
            strict=True,
        ):
            differing = np.abs(found - expected) > 1e-3 + 1e-5 * np.abs(expected)
            # A tie falls to either bin, and in the dark a*b* of u*v* magnify the last bit.
            steep = exported.spec.decoder["kind"] == "mode" or "hwang" in exported.spec.family
            assert differing.mean() <= (1e-3 if steep and name == "chroma" else 0)


@pytest.mark.parametrize("render", ["auto", "full", 24])
def test_the_end_to_end_graph_colours_as_the_colorizer(
    exported: Exported, photos: list[NDArray[np.uint8]], render: Render
) -> None:
    bundle = open_bundle(exported.bundle)
    painted = session(end_to_end_graph(bundle, render=render))
    steep = exported.spec.decoder["kind"] == "mode"  # a tie falls to either bin
    with Colorizer(exported.bundle, render=render) as colorizer:
        for photo in photos[:2]:
            picture = photo[3::5, 1::5]
            (rgb,) = painted.run(None, {"frames": picture[None]})
            expected = colorizer.colorize(picture)
            if steep:
                assert (np.abs(rgb[0].astype(int) - expected) > 1).mean() <= 1e-3
            else:
                assert_same_colours(rgb[0], expected)


def test_tensorrt_rtx_builds_the_end_to_end_graph(exported: Exported) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    build_frames_plan(end_to_end_graph(open_bundle(exported.bundle)))

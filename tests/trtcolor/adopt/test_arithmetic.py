"""The colour definition in a graph is the one of `trtcolor.color` and of float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from colour_truth import coded, true_lab, true_linear
from numpy.typing import NDArray
from onnx import TensorProto, helper

from trtcolor import color
from trtcolor.adopt.arithmetic import chroma_from_rgb, grey_from_lightness
from trtcolor.nodes import Nodes

OPSETS = pytest.mark.parametrize("opset", [9, 12, 13, 18, 20])
Float = NDArray[np.float32]


def run(build: Callable[[Nodes, str], str], value: Float, opset: int) -> Float:
    nodes = Nodes("mine/")
    nodes.add("Identity", build(nodes, "x"), output="y")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, value.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    graph = helper.make_graph(nodes.nodes, "g", [x], [y], nodes.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    result: Float = session.run(None, {"x": value})[0]
    assert result.dtype == np.float32
    return result


@OPSETS
def test_the_grey_of_a_lightness_is_its_srgb_code(opset: int) -> None:
    lightness = np.linspace(-5, 105, 20_001, dtype=np.float32)
    found = run(grey_from_lightness, lightness[None, None, None], opset)[0, 0, 0]
    lab = np.zeros((20_001, 3))
    lab[:, 0] = lightness.clip(0, 100)
    np.testing.assert_allclose(found, coded(true_linear(lab))[:, 1], atol=1e-6)
    kernel = color.rgb_from_lab(lab[None].astype(np.float32), dtype=np.float32)[0, :, 0]
    np.testing.assert_allclose(found, kernel, atol=1e-6)


@OPSETS
def test_the_chroma_of_a_colour_is_that_of_the_kernels(opset: int) -> None:
    steps = np.linspace(0, 1, 33, dtype=np.float32)
    rgb = np.stack(np.meshgrid(steps, steps, steps)).reshape(3, 33, -1)
    rgb[:, :, :40] *= np.float32(0.02)  # the curve's linear part
    found = run(chroma_from_rgb, rgb[None], opset)[0]
    truth = true_lab(np.moveaxis(rgb, 0, -1).astype(np.float64))[..., 1:]
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), truth, atol=2e-4)
    np.testing.assert_allclose(found, color.lab_from_rgb(rgb, layout="chw")[1:], atol=2e-4)


def test_greys_have_no_chroma() -> None:
    grey = np.broadcast_to(np.linspace(0, 1, 5001, dtype=np.float32), (1, 3, 1, 5001))
    assert np.abs(run(chroma_from_rgb, np.ascontiguousarray(grey), 17)).max() < 1e-4


def test_colours_out_of_range_are_clamped_and_finite() -> None:
    rgb = np.random.default_rng(0).normal(0.5, 3, (1, 3, 20, 20)).astype(np.float32)
    found = run(chroma_from_rgb, rgb, 17)
    np.testing.assert_allclose(found, run(chroma_from_rgb, rgb.clip(0, 1), 17))
    assert np.isfinite(found).all()

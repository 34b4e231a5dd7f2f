"""An upsample and a convolution as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trtcolor.flops import node_flops
from trtcolor.precision.runner import GraphRunner
from trtcolor.precision.upsample import merged_kernels, upsamples_merged

NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}


def pair(
    weight: NDArray[np.float32],
    *,
    scale: float = 2.0,
    resize: dict[str, Any] | None = None,
    convolution: dict[str, Any] | None = None,
    relu: bool = False,
    also: str | None = None,
) -> onnx.ModelProto:
    """lightness (N, inputs, H, W) -> upsample -> convolution [-> ReLU] -> chroma.

    `also` names a tensor that comes out besides.
    """
    how = {"nearest_mode": "floor", **NEAREST, **(resize or {})}
    layout = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], **(convolution or {})}
    bias = np.linspace(-1, 1, len(weight), dtype=np.float32)
    last = "sum" if relu else "chroma"
    nodes = [
        helper.make_node("Resize", ["lightness", "", "scales"], ["large"], "Resize_0", **how),
        helper.make_node("Conv", ["large", "weight", "bias"], [last], "layer", **layout),
    ]
    if relu:
        nodes.append(helper.make_node("Relu", [last], ["chroma"], "Relu_2"))
    outputs = ["chroma", *([also] if also else [])]
    graph = helper.make_graph(
        nodes,
        "pair",
        [helper.make_tensor_value_info("lightness", TensorProto.FLOAT, ["N", None, "H", "W"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
        [
            numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales"),
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def weights(random: np.random.Generator, outputs: int, inputs: int) -> NDArray[np.float32]:
    return random.standard_normal((outputs, inputs, 3, 3), np.float32)


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 2), st.integers(1, 4), st.integers(1, 11), st.integers(1, 11)),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")]),
    st.integers(0, 2**32 - 1),
)
def test_it_is_the_same_at_every_size(
    shape: tuple[int, int, int, int], outputs: int, relu: bool, how: tuple[str, str], seed: int
) -> None:
    random = np.random.default_rng(seed)
    resize = {"coordinate_transformation_mode": how[0], "nearest_mode": how[1]}
    plain = pair(weights(random, outputs, shape[1]), resize=resize, relu=relu)
    fast = upsamples_merged(plain)
    assert "Resize" not in operators(fast)
    inputs = {"lightness": random.standard_normal(shape, np.float32)}
    found, expected = (
        GraphRunner({"local": model}).run("local", inputs, ["chroma"])[0] for model in (fast, plain)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_it_multiplies_four_times_where_it_were_nine() -> None:
    weight = np.zeros((8, 4, 3, 3), np.float32)
    merged = merged_kernels(weight)
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    before = node_flops(conv, {"x": (1, 4, 200, 200), "w": weight.shape, "y": (1, 8, 200, 200)})
    after = node_flops(conv, {"x": (1, 4, 100, 100), "w": merged.shape, "y": (1, 32, 101, 101)})
    assert after / before == pytest.approx(4 / 9, rel=0.03)


def test_a_convolution_without_bias_is_merged_too() -> None:
    plain = pair(weights(np.random.default_rng(0), 2, 3))
    del plain.graph.node[1].input[2]
    fast = upsamples_merged(plain)
    inputs = {"lightness": np.random.default_rng(1).standard_normal((1, 3, 5, 4), np.float32)}
    found, expected = (
        GraphRunner({"local": model}).run("local", inputs, ["chroma"])[0] for model in (fast, plain)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert "Resize" not in operators(fast)


def test_a_relu_stays_right_behind_its_convolution() -> None:
    fast = upsamples_merged(pair(weights(np.random.default_rng(0), 2, 3), relu=True))
    assert operators(fast) == ["Conv", "Relu", "DepthToSpace", "Slice"]


@pytest.mark.parametrize(
    "other",
    [
        {"scale": 3.0},
        {"resize": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}},
        {"resize": {"coordinate_transformation_mode": "align_corners"}},
        {"resize": {"nearest_mode": "ceil"}},
        {"convolution": {"strides": [2, 2]}},
        {"convolution": {"pads": [0, 0, 0, 0]}},
        {"convolution": {"dilations": [2, 2], "pads": [1, 1, 1, 1]}},
        {"also": "large"},
    ],
)
def test_other_pairs_are_left_alone(other: dict[str, Any]) -> None:
    plain = pair(weights(np.random.default_rng(0), 2, 3), **other)
    assert operators(upsamples_merged(plain)) == operators(plain)

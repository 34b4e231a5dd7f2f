"""float16 and bfloat16 graphs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from graph_types import element_types, mixing_nodes
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from trtcolor.bundle import Bundle
from trtcolor.precision.half import TYPES, Half, emulated_half_graph, half_graph
from trtcolor.precision.parts import around, layers
from trtcolor.precision.plain import plain_graph
from trtcolor.precision.runner import GraphRunner

HALVES = pytest.mark.parametrize("precision", ["fp16", "bf16"])


def scaled(factor: float) -> onnx.ModelProto:
    """chroma = two channels of `factor` times lightness, by a layer, with a layer of 1 behind."""
    weights = {
        "w": np.full((2, 1, 1, 1), factor, np.float32),
        "v": np.eye(2, dtype=np.float32)[:, :, None, None],
    }
    nodes = [
        helper.make_node("Conv", ["lightness", "w"], ["x"], name="first"),
        helper.make_node("Conv", ["x", "v"], ["chroma"], name="second"),
    ]
    graph = helper.make_graph(
        nodes,
        "scaled",
        [helper.make_tensor_value_info("lightness", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [helper.make_tensor_value_info("chroma", TensorProto.FLOAT, ["N", 2, "H", "W"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9)


def chroma(model: onnx.ModelProto, lightness: float) -> float:
    plane = np.full((1, 1, 1, 1), lightness, np.float32)
    (found,) = GraphRunner({"local": model}).run("local", {"lightness": plane}, ["chroma"])
    return float(found[0, 0, 0, 0])


@HALVES
def test_layers_are_in_16_bits_and_what_is_around_them_in_float32(
    precision: Half, classifier: Bundle, regression: Bundle
) -> None:
    for bundle in (classifier, regression):
        for name in bundle.spec.graphs:
            plain = plain_graph(bundle, name)
            model = half_graph(plain, precision)
            onnx.checker.check_model(model, full_check=True)
            types = element_types(model)
            outside, network = around(plain), {node.name for node in layers(plain)}
            for node in model.graph.node:
                kinds = {types[n] for n in (*node.input, *node.output) if n}
                if node.name in outside:
                    assert TYPES[precision] not in kinds
                elif node.name in network:
                    assert kinds == {TYPES[precision]}


@HALVES
def test_no_node_mixes_types(precision: Half, classifier: Bundle, regression: Bundle) -> None:
    for bundle in (classifier, regression):
        for name in bundle.spec.graphs:
            assert mixing_nodes(half_graph(plain_graph(bundle, name), precision)) == []


@HALVES
def test_inputs_and_outputs_stay_float32(precision: Half, classifier: Bundle) -> None:
    plain = plain_graph(classifier, "joint")
    model = half_graph(plain, precision)
    assert list(model.graph.input) == list(plain.graph.input)
    assert list(model.graph.output) == list(plain.graph.output)


@given(st.floats(0, 100, width=32), st.floats(-4, 4, width=32))
def test_emulated_float16_rounds_as_numpy_does(lightness: float, factor: float) -> None:
    expected = np.float16(np.float32(np.float16(lightness)) * np.float32(np.float16(factor)))
    assert chroma(emulated_half_graph(scaled(factor), "fp16"), lightness) == expected


@given(st.floats(0, 100, width=32), st.floats(-4, 4, width=32))
def test_emulated_bfloat16_rounds_to_8_bits_of_mantissa(lightness: float, factor: float) -> None:
    found = chroma(emulated_half_graph(scaled(factor), "bf16"), lightness)
    assert np.float32(found).view(np.uint32) & 0xFFFF == 0
    np.testing.assert_allclose(found, lightness * factor, rtol=3 * 2**-8, atol=1e-37)


def test_an_overflow_of_float16_shows() -> None:
    assert chroma(scaled(1000.0), 100.0) == 100_000
    assert not np.isfinite(chroma(emulated_half_graph(scaled(1000.0), "fp16"), 100.0))
    assert chroma(emulated_half_graph(scaled(1000.0), "bf16"), 100.0) == pytest.approx(1e5, 5e-3)


def test_transposed_convolutions_stay_float32_in_bfloat16() -> None:
    model = scaled(2.0)
    model.graph.node[1].op_type = "ConvTranspose"
    types = element_types(half_graph(model, "bf16"))
    assert types["x.half"] == TensorProto.BFLOAT16
    assert types["x"] == types["chroma"] == TensorProto.FLOAT

"""int8 graphs, and which layers they leave in float32."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from graph_types import element_types
from onnx import TensorProto, numpy_helper

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.engines.graphs import optimised_graph
from trtcolor.errors import PrecisionError
from trtcolor.precision.gate import Gate, Limits
from trtcolor.precision.parts import around
from trtcolor.precision.pictures import Pictures
from trtcolor.precision.plain import plain_graph
from trtcolor.precision.quantize import Form, quantisable
from trtcolor.precision.rewrites import rewritten
from trtcolor.precision.sensitivity import Graphs, Quantiser, quantised

FORMS = pytest.mark.parametrize("form", ["tensorrt", "cpu"])


def quantiser(bundle: Bundle, few: Pictures, form: Form, plain: Graphs | None = None) -> Quantiser:
    plain = plain or {name: plain_graph(bundle, name) for name in bundle.spec.graphs}
    reference = OnnxRuntimeRunner(bundle)
    return Quantiser(bundle.spec, plain, reference, few.calibration, form)


def dequantised(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    """The DequantizeLinear behind each tensor."""
    return {n.output[0]: n for n in model.graph.node if n.op_type == "DequantizeLinear"}


@FORMS
def test_layers_read_int8_and_nothing_else_does(
    form: Form, classifier: Bundle, few: Pictures
) -> None:
    ready = quantiser(classifier, few, form)
    for name, model in ready.graphs([]).items():
        onnx.checker.check_model(model, full_check=True)
        plain, behind = plain_graph(classifier, name), dequantised(model)
        quantised_nodes = {n.name for n in model.graph.node if {*n.input[:2]} <= set(behind)}
        assert {*quantisable(plain)} - {*ready.kept} <= quantised_nodes
        kept = {node.name: node for node in model.graph.node if node.name in around(plain)}
        for node in kept.values():
            assert node.op_type != "Conv" or not set(node.input) & set(behind)


def test_the_tensorrt_form_is_signed_symmetric_and_has_float_biases(
    classifier: Bundle, few: Pictures
) -> None:
    model = quantiser(classifier, few, "tensorrt").graphs([])["joint"]
    types = element_types(model)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    behind = dequantised(model)
    for node in behind.values():
        assert types[node.input[0]] == TensorProto.INT8
        assert not constants[node.input[2]].any()
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] in behind:
            scales = constants[behind[node.input[1]].input[1]]
            weights = constants[behind[node.input[1]].input[0]]
            assert scales.shape == (len(weights),)
            assert len(node.input) < 3 or types[node.input[2]] == TensorProto.FLOAT


def test_the_cpu_form_has_unsigned_activations(classifier: Bundle, few: Pictures) -> None:
    model = quantiser(classifier, few, "cpu").graphs([])["local"]
    types = element_types(model)
    kinds = {types[node.output[0]] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert kinds == {TensorProto.UINT8}


def test_the_cpu_form_keeps_what_only_the_decoding_reads(classifier: Bundle, few: Pictures) -> None:
    ready = quantiser(classifier, few, "cpu")
    assert ready.kept == ("network.output",)
    assert "network.output" not in ready.layers
    model = ready.graphs([])["local"]
    (output,) = (node for node in model.graph.node if node.name == "network.output")
    assert output.input[1] not in dequantised(model)


def test_onnx_runtime_runs_whole_stretches_of_the_cpu_form_on_integers(
    classifier: Bundle, few: Pictures
) -> None:
    fast = {n: rewritten(plain_graph(classifier, n), "cpu", "int8") for n in classifier.spec.graphs}
    ready, plain = quantiser(classifier, few, "cpu", fast), fast["local"]
    data = optimised_graph(
        ready.graphs([])["local"], "onnxruntime", bundle=classifier, graph="local"
    )
    nodes = onnx.load_from_string(data).graph.node
    convolutions = [n for n in plain.graph.node if n.op_type == "Conv"]
    kinds = [node.op_type for node in nodes]
    assert kinds.count("QLinearConv") == len(convolutions)
    assert not {"Conv", "Relu"} & {*kinds}
    # Into float32 only where the network ends; the second is of the same map.
    assert kinds.count("DequantizeLinear") <= 2
    behind = {name: node.op_type for node in nodes for name in node.output}
    for node in nodes:
        if node.op_type == "Resize":
            assert behind[node.input[0]] != "DequantizeLinear"


def test_a_layer_alone_in_int8_leaves_what_others_do_in_float32(
    classifier: Bundle, few: Pictures
) -> None:
    ready = quantiser(classifier, few, "cpu")
    alone = "network.encoder.0.0.layer"
    model = ready.graphs([name for name in ready.layers if name != alone])["local"]
    behind = dequantised(model)
    sums = [n for n in model.graph.node if n.op_type == "Add" and {*n.input} & {*behind}]
    layers_in_int8 = [
        n.name for n in model.graph.node if n.op_type == "Conv" and n.input[1] in behind
    ]
    assert layers_in_int8 == [alone]
    assert all(not {*node.input} <= {*behind} for node in sums)


@FORMS
def test_the_layers_asked_for_stay_float32(form: Form, classifier: Bundle, few: Pictures) -> None:
    layer = "network.decoder.0.block.layer"
    model = quantiser(classifier, few, form).graphs([layer])["local"]
    (asked,) = (node for node in model.graph.node if node.name == layer)
    assert asked.input[1] not in dequantised(model)


@FORMS
def test_layers_stay_float32_until_the_gate_is_passed(
    form: Form, classifier: Bundle, few: Pictures
) -> None:
    ready = quantiser(classifier, few, form)
    gate = Gate(classifier.spec, OnnxRuntimeRunner(classifier), few.gate)
    free = quantised(ready, gate, Limits(100, 100), lambda _: None)
    assert free.float_layers == ready.kept
    assert list(free.costs.values()) == sorted(free.costs.values(), reverse=True)
    said: list[str] = []
    tight = quantised(ready, gate, Limits(1e-6, 1e-6), said.append)
    assert any("over the limit" in line for line in said) or len(tight.float_layers) > 0
    left = tight.float_layers[len(ready.kept) :]
    assert 0 < len(left) <= len(ready.layers) / 2
    assert tight.figures["joint 32x32"].mean < free.figures["joint 32x32"].mean


def test_of_two_layers_that_cost_the_same_the_one_of_less_work_stays_float32(
    classifier: Bundle, few: Pictures
) -> None:
    ready = quantiser(classifier, few, "cpu")
    gate = Gate(classifier.spec, OnnxRuntimeRunner(classifier), few.gate)
    heavy, light = "network.decoder.1.block.layer", "network.encoder.2.0.layer"
    ready.layers = [heavy, light]
    ready.work = {heavy: 0.5, light: 0.1}
    ready.costs = lambda: {heavy: 0.9, light: 0.8}  # type: ignore[method-assign]
    tried: list[tuple[str, ...]] = []
    make = ready.graphs
    ready.graphs = lambda left: (tried.append(tuple(left)), make(left))[1]  # type: ignore[assignment, misc, method-assign]
    quantised(ready, gate, Limits(1e-6, 1e-6), lambda _: None)
    assert tried == [(), (light,)]


def test_a_graph_without_layers_is_refused(classifier: Bundle, few: Pictures) -> None:
    empty = plain_graph(classifier, "local")
    del empty.graph.node[:]
    reference = OnnxRuntimeRunner(classifier)
    with pytest.raises(PrecisionError, match="no layer"):
        Quantiser(classifier.spec, {"local": empty}, reference, few.calibration, "cpu")


@FORMS
def test_the_graphs_that_came_are_left_as_they_are(
    form: Form, classifier: Bundle, few: Pictures
) -> None:
    ready = quantiser(classifier, few, form)
    before = ready.plain["joint"].SerializeToString()
    ready.graphs([])
    assert ready.plain["joint"].SerializeToString() == before
    np.testing.assert_equal(ready.graphs([])["joint"], ready.graphs([])["joint"])

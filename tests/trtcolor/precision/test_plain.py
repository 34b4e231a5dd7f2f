"""The plain form of a bundle's graphs."""

from __future__ import annotations

import numpy as np
import onnx
from graph_types import element_types
from onnx import TensorProto, helper, numpy_helper

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.precision.parts import around, layers
from trtcolor.precision.plain import made_plain, plain_graph
from trtcolor.precision.runner import GraphRunner


def test_weights_are_float32_inside_and_nothing_casts_them(classifier: Bundle) -> None:
    for name in classifier.spec.graphs:
        model = plain_graph(classifier, name)
        onnx.checker.check_model(model, full_check=True)
        assert not any(t.external_data for t in model.graph.initializer)
        assert TensorProto.FLOAT16 not in element_types(model).values()
        assert "Cast" not in [node.op_type for node in model.graph.node]


def test_every_node_has_a_name_of_its_own(classifier: Bundle) -> None:
    names = [node.name for node in plain_graph(classifier, "joint").graph.node]
    assert all(names)
    assert len(set(names)) == len(names)


def test_a_layer_has_the_name_of_its_weights_in_every_graph(classifier: Bundle) -> None:
    found = {
        name: {node.name for node in layers(plain_graph(classifier, name))}
        for name in classifier.spec.graphs
    }
    assert found["joint"] == found["local"] | found["global"]
    assert {"network.output", "network.encoder.0.0.layer"} <= found["local"]


def test_scores_of_bins_do_not_come_out(classifier: Bundle) -> None:
    outputs = [value.name for value in plain_graph(classifier, "joint").graph.output]
    assert outputs == ["chroma", "global_features", "class_logits"]


def test_it_gives_what_the_bundle_gives(classifier: Bundle) -> None:
    side = classifier.spec.size.training_size
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 1, side, side)).astype(np.float32)
    outputs = ["chroma", "class_logits"]
    runners = (
        GraphRunner({"joint": plain_graph(classifier, "joint")}),
        OnnxRuntimeRunner(classifier),
    )
    found, expected = (r.run("joint", {"lightness": lightness}, outputs) for r in runners)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_a_network_of_halves_computes_in_float32() -> None:
    weight = np.full((2, 1, 1, 1), 0.1, np.float16)
    nodes = [
        helper.make_node("Cast", ["lightness"], ["x"], to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["x", "w"], ["y"]),
        helper.make_node("Cast", ["y"], ["chroma"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "halves",
        [helper.make_tensor_value_info("lightness", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [helper.make_tensor_value_info("chroma", TensorProto.FLOAT, ["N", 2, "H", "W"])],
        [numpy_helper.from_array(weight, "w")],
    )
    opset = helper.make_opsetid("", 17)
    model = made_plain(helper.make_model(graph, opset_imports=[opset], ir_version=9))
    lightness = np.full((1, 1, 1, 1), 33.333, np.float32)
    (chroma,) = GraphRunner({"local": model}).run("local", {"lightness": lightness}, ["chroma"])
    assert chroma[0, 0, 0, 0] == np.float32(33.333) * np.float32(np.float16(0.1))


def test_what_makes_colours_of_scores_is_around_the_network(classifier: Bundle) -> None:
    model = plain_graph(classifier, "local")
    outside = around(model)
    kinds = [node.op_type for node in model.graph.node if node.name in outside]
    assert {"Exp", "Conv", "ReduceMax"} <= set(kinds)
    assert kinds.count("Conv") == 1


def test_what_makes_ab_of_uv_is_around_the_network(regression: Bundle) -> None:
    model = plain_graph(regression, "local")
    outside = around(model)
    for node in model.graph.node:
        if node.op_type in ("Pow", "Where", "Greater", "Less"):
            assert node.name in outside
    assert layers(model)[-1].name == "network.output"

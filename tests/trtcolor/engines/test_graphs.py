"""An engine of ONNX Runtime or OpenVINO is one file that runs, with the colours of the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.graphs import RUNNERS, optimised_graph
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]
both = pytest.mark.parametrize("backend", RUNNERS)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=32, classes=("sea", "town")))


@both
@pytest.mark.parametrize("graph", ["local", "global", "joint"])
def test_the_file_has_its_weights_inside_and_gives_what_the_bundle_gives(
    backend: str, graph: str, bundle: Bundle
) -> None:
    model = onnx.load(bundle.graph_path(graph))
    data = optimised_graph(model, backend, bundle=bundle, graph=graph)
    assert not [t for t in onnx.load_from_string(data).graph.initializer if t.external_data]
    inputs = {"lightness": (100 * np.random.default_rng(0).random((1, 1, 32, 32))).astype("f4")}
    if graph == "local":
        inputs["global_features"] = np.ones((1, 3), np.float32)
    outputs = bundle.spec.graphs[graph].outputs
    engine = RUNNERS[backend](bundle, graphs={graph: data})
    assert engine.names(graph) == (set(inputs), set(outputs))
    expected = OnnxRuntimeRunner(bundle).run(graph, inputs, outputs)
    for found, true in zip(engine.run(graph, inputs, outputs), expected, strict=True):
        np.testing.assert_allclose(found, true, atol=1e-3)


def test_a_file_for_onnx_runtime_is_tied_to_no_processor(bundle: Bundle) -> None:
    model = open_bundle("default")
    data = optimised_graph(
        onnx.load(model.graph_path("local")), "onnxruntime", bundle=model, graph="local"
    )
    kinds = {(node.domain, node.op_type) for node in onnx.load_from_string(data).graph.node}
    assert ("com.microsoft", "FusedConv") in kinds  # optimised it is
    assert "com.microsoft.nchwc" not in {domain for domain, _ in kinds}


@both
def test_a_graph_that_gives_no_numbers_is_refused(backend: str, bundle: Bundle) -> None:
    model = onnx.load(bundle.graph_path("global"))
    pooled = next(t for t in model.graph.initializer if t.name == "pooled")
    broken = numpy_helper.from_array(np.full(tuple(pooled.dims), np.nan, np.float32), "pooled")
    pooled.CopyFrom(broken)
    with pytest.raises(BackendError, match="not finite on") as caught:
        optimised_graph(model, backend, bundle=bundle, graph="global")
    assert "\n" not in str(caught.value)


@both
def test_a_graph_that_the_backend_does_not_know_is_refused(backend: str, bundle: Bundle) -> None:
    value = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "H", "W"])
        for name, channels in (("lightness", 1), ("chroma", 2))
    ]
    node = helper.make_node("Colour", ["lightness"], ["chroma"], domain="nobody.knows")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("nobody.knows", 1)]
    graph = helper.make_graph([node], "local", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    with pytest.raises(BackendError, match=r"graph 'local' of model 'tiny' \(.*Colour") as caught:
        optimised_graph(model, backend, bundle=bundle, graph="local")
    assert "\n" not in str(caught.value)


def test_another_backend_is_refused_with_the_two_that_there_are(bundle: Bundle) -> None:
    model = onnx.load(bundle.graph_path("local"))
    with pytest.raises(ValueError, match="one of onnxruntime, openvino was needed"):
        optimised_graph(model, "tensorrt", bundle=bundle, graph="local")

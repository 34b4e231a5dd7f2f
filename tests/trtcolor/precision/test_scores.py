"""Means over colour bins, sample by sample."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from local_graphs import local_graph
from onnx import numpy_helper

from trtcolor.precision.parts import around, layers, outermost
from trtcolor.precision.runner import GraphRunner
from trtcolor.precision.scores import scores_by_samples
from trtcolor_train.decoder import Decoder

OUTPUT = "network.output"


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("decoder", [None, Decoder("mean")], ids=["annealed-mean", "mean"])
def test_both_means_over_bins_go_by_samples(decoder: Decoder | None) -> None:
    fast = scores_by_samples(local_graph("trtcolor-base", decoder))
    assert "ReduceMax" not in operators(fast)
    assert "Exp" not in operators(fast)


def test_the_last_layer_is_a_matrix_product_of_the_same_name() -> None:
    fast = scores_by_samples(local_graph("trtcolor-base"))
    (layer,) = (node for node in layers(fast) if node.name == OUTPUT)
    assert layer.op_type == "Gemm"
    assert outermost(fast) == [OUTPUT]
    kinds = {node.op_type for node in fast.graph.node if node.name in around(fast)}
    assert {"Softmax", "MatMul"} <= kinds


@pytest.mark.parametrize(
    "decoder", [Decoder("mode"), Decoder(smoothing=1.0)], ids=["mode", "smoothing"]
)
def test_other_decoders_are_left_alone(decoder: Decoder) -> None:
    plain = local_graph("trtcolor-base", decoder)
    assert operators(scores_by_samples(plain)) == operators(plain)


def test_scores_that_would_overflow_an_exponential_do_not() -> None:
    plain = onnx.ModelProto()
    plain.CopyFrom(local_graph("trtcolor-base"))
    for tensor in plain.graph.initializer:
        if tensor.name == f"{OUTPUT}.weight":
            large = numpy_helper.to_array(tensor) * np.float32(1e4)
            tensor.CopyFrom(numpy_helper.from_array(large, tensor.name))
    random = np.random.default_rng(0)
    inputs = {"lightness": random.uniform(0, 100, (1, 1, 32, 40)).astype(np.float32)}
    width = plain.graph.input[1].type.tensor_type.shape.dim[1].dim_value
    inputs["global_features"] = random.standard_normal((1, width), np.float32)
    found, expected = (
        GraphRunner({"local": model}).run("local", inputs, ["chroma"])[0]
        for model in (scores_by_samples(plain), plain)
    )
    assert np.isfinite(found).all()
    # Of two scores that are all but equal either may win.
    assert np.median(np.abs(found - expected)) < 1e-3

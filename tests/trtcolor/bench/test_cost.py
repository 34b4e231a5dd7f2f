"""FLOPs and memory are counted from graphs by hand-checked rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from trtcolor.bench.cost import graph_cost, graph_traffic, network_cost
from trtcolor.bundle import open_bundle
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list[object]],
    output: str,
    **weights: tuple[int, ...],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros(s, np.float32), n) for n, s in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("elsewhere", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), str(path))
    return path


def test_a_convolution_counts_two_for_each_product(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1] * 4, group=2)
    path = save(tmp_path / "g", [node], {"x": ["N", 4, "H", "W"]}, "y", w=(6, 2, 3, 3))
    # 2 pictures x 6 outputs of 5x8 samples, each of 2 channels of 3x3
    assert graph_cost(path, {"x": (2, 4, 10, 16)}).flops == 2 * (2 * 6 * 5 * 8) * (2 * 9)


def test_a_transposed_convolution_counts_from_its_input(tmp_path: Path) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    path = save(tmp_path / "g", [node], {"x": ["N", 4, "H", "W"]}, "y", w=(4, 3, 2, 2))
    assert graph_cost(path, {"x": (1, 4, 5, 6)}).flops == 2 * (4 * 5 * 6) * (3 * 4)


@pytest.mark.parametrize(("operator", "shape"), [("Gemm", (8, 3)), ("MatMul", (8, 3))])
def test_a_product_of_matrices_counts_its_inner_length(
    operator: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    node = helper.make_node(operator, ["x", "w"], ["y"])
    path = save(tmp_path / "g", [node], {"x": ["N", 8]}, "y", w=shape)
    assert graph_cost(path, {"x": (5, 8)}).flops == 2 * 5 * 8 * 3


def test_memory_is_of_the_tensors_that_exist_at_once(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"]),  # written over a
        helper.make_node("Conv", ["b", "v"], ["c"], pads=[1] * 4),
    ]
    shapes = {"w": (8, 1, 3, 3), "v": (2, 8, 3, 3)}
    path = save(tmp_path / "g", nodes, {"x": ["N", 1, "H", "W"]}, "c", **shapes)
    cost = graph_cost(path, {"x": (1, 1, 10, 10)})
    assert cost.activations == 4 * 100 * (8 + 2)  # b and c; x is gone by then
    assert cost.weights == 4 * (8 * 9 + 2 * 8 * 9)
    assert cost.memory > cost.activations + cost.weights


def test_a_network_without_global_features_costs_its_local_graph(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    # one 3x3 convolution of stride 2 to 2 channels, at 24x32
    assert network_cost(bundle, (20, 30), "full", 1).flops == 2 * (2 * 12 * 16) * 9
    assert network_cost(bundle, (20, 30), "full", 3).flops == 3 * 2 * (2 * 12 * 16) * 9


def test_the_joint_graph_is_counted_once_where_it_runs(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(global_size=32))
    low = 2 * (2 * 16 * 16) * 9
    heads = 2 * 2 * 3 + 2 * 3 * 2
    assert network_cost(bundle, (32, 32), "full", 1).flops == low + heads
    assert network_cost(bundle, (32, 40), "full", 1).flops == low + 2 * (2 * 16 * 20) * 9 + heads


@pytest.mark.parametrize("domain", ["elsewhere", "nowhere"])
def test_an_operator_of_unknown_shape_is_said_to_be_uncountable(
    domain: str, tmp_path: Path
) -> None:
    nodes = [
        helper.make_node("Unheard", ["x"], ["a"], domain=domain),
        helper.make_node("MatMul", ["a", "w"], ["y"]),
    ]
    path = save(tmp_path / "g", nodes, {"x": ["N", 8]}, "y", w=(8, 3))
    with pytest.raises(BackendError, match="plain ONNX operators"):
        graph_cost(path, {"x": (1, 8)})


def test_traffic_is_each_layer_once_and_an_enlargement_nothing(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["a"], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Resize", ["b", "", "scales"], ["c"], mode="nearest"),
        helper.make_node("Conv", ["c", "w"], ["y"], pads=[1] * 4),
    ]
    path = save(
        tmp_path / "g.onnx", nodes, {"x": ["N", 1, "H", "W"]}, "y", v=(4, 1, 3, 3), w=(2, 4, 3, 3)
    )
    model = onnx.load(str(path))
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    model.graph.initializer.append(scales)
    onnx.save(model, str(path))
    first = 3 * 8 * 8 + 36 + 3 * 4 * 8 * 8
    second = 3 * 4 * 8 * 8 + 72 + 3 * 2 * 16 * 16
    assert graph_traffic(path, {"x": (3, 1, 8, 8)}) == first + second

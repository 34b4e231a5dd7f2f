"""The element type of every tensor of an ONNX graph, and what a strongly typed builder asks."""

from __future__ import annotations

import onnx
from onnx import TensorProto

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
MIXED = {"Cast", "Resize", "Where", "QuantizeLinear", "DequantizeLinear"}


def element_types(model: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def mixing_nodes(model: onnx.ModelProto) -> list[str]:
    """Names of nodes whose inputs are of more than one floating type, and that may not be so."""
    types = element_types(model)
    return [
        node.name
        for node in model.graph.node
        if node.op_type not in MIXED
        and len({types[name] for name in node.input if name} & FLOATS) > 1
    ]

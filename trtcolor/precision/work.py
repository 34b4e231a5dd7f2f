"""How a graph's arithmetic is shared out among its layers."""

from __future__ import annotations

import onnx
from onnx.shape_inference import infer_shapes

from trtcolor.flops import node_flops
from trtcolor.precision.parts import layers
from trtcolor.spec import ModelSpec


def shares(model: onnx.ModelProto, spec: ModelSpec) -> dict[str, float]:
    """The part of all layers' arithmetic that each does, by name.

    A layer whose shapes do not follow from those of the inputs counts nothing.

    Args:
        model: a plain graph (`trtcolor.precision.plain`), counted for a picture at the size of
            training.
        spec: of its bundle.
    """
    counted = onnx.ModelProto()
    counted.CopyFrom(model)
    rule = spec.size
    side = rule.global_size or -(-rule.training_size // rule.multiple) * rule.multiple
    for value in counted.graph.input:
        free = [1, 1, side, side]
        for place, dim in enumerate(value.type.tensor_type.shape.dim):
            if not dim.dim_value:  # a dimension with a name has the value 0
                dim.dim_value = free[place]
    for value in counted.graph.output:  # "H/2" would stand against what is inferred
        value.type.tensor_type.ClearField("shape")
    graph = infer_shapes(counted, data_prop=True).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer} | {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    work = {}
    for node in layers(model):
        known = all(name in shapes for name in (*node.input, *node.output) if name)
        work[node.name] = node_flops(node, shapes) if known else 0
    total = sum(work.values()) or 1
    return {name: flops / total for name, flops in work.items()}

"""The arithmetic of one operator of a graph, from the shapes that it meets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def node_flops(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Two for each multiplication and addition of a convolution or a matrix product.

    Additions of a bias and element-wise operators are not counted.

    Args:
        node: of a graph.
        shapes: of the tensors that it reads and makes.

    Raises:
        KeyError: one of these shapes is missing.
    """
    if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 0
    left, right = shapes[node.input[0]], shapes[node.input[1]]
    result = shapes[node.output[0]]
    if node.op_type == "Conv":  # weight (outputs, inputs / group, kernel...)
        return 2 * math.prod(result) * math.prod(right[1:])
    if node.op_type == "ConvTranspose":  # weight (inputs, outputs / group, kernel...)
        return 2 * math.prod(left) * math.prod(right[1:])
    transposed = any(entry.name == "transA" and entry.i for entry in node.attribute)
    return 2 * math.prod(result) * (left[-2] if transposed else left[-1])

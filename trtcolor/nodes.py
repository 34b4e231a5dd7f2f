"""ONNX nodes, collected one by one under names that nothing else in the graph has."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper


class Nodes:
    """Nodes and constants in the order of their making.

    All operators used here mean the same in every operator set from 9 on (`Range`: from 11 on), so
    that the nodes fit beside those of any network.

    Args:
        prefix: of all names.

    Attributes:
        nodes, constants: for a graph's ``node`` and ``initializer``.
    """

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._prefix = prefix

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node; the name of its output, `output` if given."""
        name = f"{self._prefix}{operator}_{len(self.nodes)}"
        output = output or name
        node = helper.make_node(operator, inputs, [output], name=name, **attributes)
        self.nodes.append(node)
        return output

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """The name of a constant tensor."""
        name = f"{self._prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def affine(self, value: str, gain: ArrayLike, bias: ArrayLike) -> str:
        """gain x value + bias."""
        return self.add(
            "Add",
            self.add("Mul", value, self.constant(gain)),
            self.constant(bias),
        )

"""A graph that is being rewritten: who makes and who reads a tensor, constants, replacement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from trtcolor.precision.plain import used_by


class Graph:
    """A copy of a model's graph.

    Args:
        model: plain (`trtcolor.precision.plain`); left as it is.

    Attributes:
        nodes: in an order in which they can run.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(model)
        self.nodes = list(self._model.graph.node)
        self._constants = {tensor.name: tensor for tensor in self._model.graph.initializer}
        self._outputs = {value.name for value in self._model.graph.output}

    def made_by(self, tensor: str) -> onnx.NodeProto | None:
        """The node that makes a tensor; None: an input or a constant."""
        return next((node for node in self.nodes if tensor in node.output), None)

    def readers(self, tensor: str) -> list[onnx.NodeProto]:
        """The nodes that read a tensor."""
        return [node for node in self.nodes if tensor in used_by(node)]

    def only_reader(self, tensor: str) -> onnx.NodeProto | None:
        """The node that alone reads a tensor; None: several do, or it is an output."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self._outputs else None

    def constant(self, tensor: str) -> NDArray[Any] | None:
        """The values of a constant; None: it is none."""
        found = self._constants.get(tensor)
        return None if found is None else numpy_helper.to_array(found)

    def parameters(self, layer: onnx.NodeProto) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """A layer's constant weight and bias, zeros where it has none; None: one is computed."""
        weight = self.constant(layer.input[1])
        if weight is None:
            return None
        if len(layer.input) < 3:
            return weight, np.zeros(weight.shape[0], weight.dtype)
        bias = self.constant(layer.input[2])
        return None if bias is None else (weight, bias)

    def add_constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant, unless one of the name is there, which has the same values; its name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def replace(self, gone: Sequence[onnx.NodeProto], new: Sequence[onnx.NodeProto]) -> None:
        """Put nodes in the place of the last of those that go."""
        names = {node.name for node in gone}
        place = max(i for i, node in enumerate(self.nodes) if node.name in names)
        before = [node for node in self.nodes[:place] if node.name not in names]
        self.nodes = [*before, *new, *self.nodes[place + 1 :]]

    def result(self) -> onnx.ModelProto:
        """The model as it is now, without constants that nothing reads."""
        graph = self._model.graph
        used = self._outputs.union(*map(used_by, self.nodes))
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend(t for name, t in self._constants.items() if name in used)
        return self._model


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes by name, texts as str."""
    found = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}

"""A bundle's graph in its plain form, from which every other precision is made."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator

from trtcolor.adopt.onnx_file import all_graphs, operator_set
from trtcolor.bundle import Bundle
from trtcolor.errors import PrecisionError
from trtcolor.precision.parts import WEIGHTED

OUTPUTS = ("chroma", "global_features", "class_logits")
"""What engines give; ``bin_logits`` are for evaluation."""

WIDENED = (TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
FOLDED_GROWTH = 4
"""A constant is computed ahead if it is at most so many times as large as what it is made of."""
SMALL_BYTES = 1 << 16


def plain_graph(bundle: Bundle, graph: str) -> onnx.ModelProto:
    """One of a bundle's graphs, whole in memory.

    Every weight is inside as a float32 initialiser (what the bundle stores in halves, or what is
    computed from weights alone, is computed ahead), every number in between is float32, every node
    has a name of its own (a layer's is that of its weights, so that a layer has the same name in
    all graphs of a bundle), and nothing is left that only ``bin_logits`` needed.

    Args:
        bundle: verified.
        graph: ``local``, ``global`` or ``joint``.

    Raises:
        KeyError: the bundle has no such graph.
    """
    return made_plain(onnx.load(bundle.graph_path(graph)))


def made_plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """As `plain_graph`, of a model that is left as it is."""
    model = copy.deepcopy(model)
    graph = model.graph
    wanted = [value for value in graph.output if value.name in OUTPUTS]
    del graph.output[:], graph.value_info[:]
    graph.output.extend(wanted)
    _widen(model)
    origins = _fold(model)
    prune(graph)
    _name(graph, origins)
    return model


def raised(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """A model in a newer set of operators; itself where it is in that or a newer one.

    Raises:
        PrecisionError: its operators cannot be brought there.
    """
    if operator_set(model) >= opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except Exception as error:  # of many unrelated classes
        raise PrecisionError(
            f"the graph uses operator set {operator_set(model)}, which does not convert to {opset} "
            f"({' '.join(str(error).split())}); {opset} or newer was needed; choose another "
            "precision, or export the network with a newer opset_version"
        ) from None


# ---- float32 everywhere ------------------------------------------------------------------------


def _widen(model: onnx.ModelProto) -> None:
    for graph in all_graphs(model.graph):
        for value in (*graph.input, *graph.output):
            if value.type.tensor_type.elem_type in WIDENED:
                value.type.tensor_type.elem_type = TensorProto.FLOAT
        for tensor in graph.initializer:
            _widen_tensor(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name in ("to", "dtype", "output_dtype") and attribute.i in WIDENED:
                    attribute.i = TensorProto.FLOAT
                if attribute.type == onnx.AttributeProto.TENSOR:
                    _widen_tensor(attribute.t)


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in WIDENED:
        array = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


# ---- constants ---------------------------------------------------------------------------------


def _fold(model: onnx.ModelProto) -> dict[str, str]:
    """Compute what depends on constants alone.

    Returns:
        For each constant computed, the name of the largest of those it was made of.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    origins: dict[str, str] = {}
    left = []
    for node in graph.node:
        folded = None
        if len(node.output) == 1 and all(name in constants or not name for name in node.input):
            folded = _computed(model, node, constants)
        if folded is None:
            left.append(node)
            continue
        name = node.output[0]
        constants[name] = folded
        if node.input:
            largest = max(filter(None, node.input), key=lambda n: _size(constants[n]))
            origins[name] = origins.get(largest, largest)
    del graph.node[:], graph.initializer[:]
    graph.node.extend(left)
    graph.initializer.extend(constants.values())
    return origins


def _computed(
    model: onnx.ModelProto, node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]
) -> onnx.TensorProto | None:
    """What a node of constants gives; None where that is not known ahead, or is too large."""
    inputs = [constants[name] for name in node.input if name]
    lone = helper.make_graph(
        [node],
        "lone",
        [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in inputs],
        [helper.make_tensor_value_info(node.output[0], TensorProto.UNDEFINED, None)],
    )
    lone_model = helper.make_model(
        lone, opset_imports=model.opset_import, ir_version=model.ir_version
    )
    if any(word in node.op_type for word in ("Random", "Bernoulli", "Multinomial")):
        return None
    feeds = {tensor.name: numpy_helper.to_array(tensor) for tensor in inputs}
    try:
        (result,) = ReferenceEvaluator(lone_model).run(None, feeds)
        array = np.asarray(result)
    except Exception:  # operators that the evaluator lacks are left in the graph
        return None
    if inputs and array.nbytes > max(SMALL_BYTES, FOLDED_GROWTH * sum(map(_size, inputs))):
        return None
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), node.output[0])


def _size(tensor: onnx.TensorProto) -> int:
    return int(np.prod(tensor.dims, dtype=np.int64)) * 4


# ---- what is left ------------------------------------------------------------------------------


def prune(graph: onnx.GraphProto) -> None:
    """Drop nodes and weights that no output of a graph needs."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.isdisjoint(node.output):
            continue
        kept.append(node)
        needed.update(used_by(node))
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(weights)


def used_by(node: onnx.NodeProto) -> set[str]:
    """Names of the tensors that a node reads, those read by graphs inside it included."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for part in all_graphs(inner):
                for inside in part.node:
                    names.update(inside.input)
                names.update(value.name for value in part.output)
    return names - {""}


def _name(graph: onnx.GraphProto, origins: dict[str, str]) -> None:
    weights = {tensor.name for tensor in graph.initializer}
    taken: set[str] = set()
    for number, node in enumerate(graph.node):
        name = node.name or f"{node.op_type}_{number}"
        if node.op_type in WEIGHTED:
            own = next((n for n in node.input[:2] if n in weights), None)
            if own is not None:
                name = origins.get(own, own).removesuffix(".float16").removesuffix(".weight")
                name = f"{name}.{node.op_type}" if name in taken else name
        while name in taken:
            name = f"{name}_{number}"
        taken.add(name)
        node.name = name

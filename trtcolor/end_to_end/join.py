"""Graphs joined into one: what one gives, another takes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import onnx
from onnx import helper, inliner

from trtcolor.adopt.onnx_file import all_names, operator_set, rename
from trtcolor.precision.plain import prune


@dataclass(frozen=True)
class Part:
    """A graph on its way into another.

    Attributes:
        model: whole in memory, in the same set of operators as the others.
        prefix: of its names in the joined graph.
        names: those of its inputs and outputs there, where they are others than with the prefix;
            what has the same name is joined.
    """

    model: onnx.ModelProto
    prefix: str
    names: Mapping[str, str] = field(default_factory=dict)


def join(
    parts: Sequence[Part], inputs: Sequence[str], outputs: Sequence[str], name: str
) -> onnx.ModelProto:
    """One graph of several, in the order in which they run.

    Equal constants of several parts, as weights that two graphs of a bundle share, are kept once;
    nodes that nothing needs are dropped.

    Args:
        parts: left as they are.
        inputs, outputs: names in the joined graph of those that it keeps.
        name: of the graph.
    """
    joined = onnx.GraphProto(name=name)
    shapes: dict[str, onnx.ValueInfoProto] = {}
    constants: dict[bytes, str] = {}
    for part in parts:
        model = copy.deepcopy(part.model)
        if model.functions:
            model = inliner.inline_local_functions(model)
        graph = model.graph
        rename(graph, {n: part.names.get(n, part.prefix + n) for n in all_names(graph) if n})
        for node in graph.node:
            node.name = part.prefix + node.name
        _share_constants(graph, constants)
        joined.node.extend(graph.node)
        joined.initializer.extend(graph.initializer)
        joined.sparse_initializer.extend(graph.sparse_initializer)
        shapes |= {value.name: value for value in (*graph.input, *graph.output)}
    joined.input.extend(shapes[n] for n in inputs)
    joined.output.extend(shapes[n] for n in outputs)
    prune(joined)
    opsets = {o.domain: o for part in parts for o in part.model.opset_import}
    ir_version = max(part.model.ir_version for part in parts)
    return helper.make_model(
        joined,
        opset_imports=list(opsets.values()),
        ir_version=ir_version,
        producer_name="trtcolor",
    )


def bind(model: onnx.ModelProto, name: str, value: onnx.TensorProto) -> None:
    """Make an input of a model a constant."""
    kept = [given for given in model.graph.input if given.name != name]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.graph.initializer.append(value)


def in_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """A model of nodes that mean the same in a newer set of operators, stated to be in that one."""
    model = copy.deepcopy(model)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", max(opset, operator_set(model))))
    return model


def _share_constants(graph: onnx.GraphProto, kept: dict[bytes, str]) -> None:
    """Drop constants that are kept already, by content, and use those instead."""
    own, twice = [], {}
    for tensor in graph.initializer:
        content = onnx.TensorProto()
        content.CopyFrom(tensor)
        content.name = ""
        key = content.SerializeToString(deterministic=True)
        if key in kept:
            twice[tensor.name] = kept[key]
        else:
            kept[key] = tensor.name
            own.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(own)
    rename(graph, twice)

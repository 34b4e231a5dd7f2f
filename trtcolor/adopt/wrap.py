"""Puts a network's normalisation and decoding into its graph."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, version_converter

from trtcolor.adopt.arithmetic import chroma_from_rgb, grey_from_lightness
from trtcolor.adopt.network import Network, Value
from trtcolor.adopt.onnx_file import all_graphs, all_names, operator_set, rename
from trtcolor.adopt.resizing import resized, side
from trtcolor.adopt.spec import Input, NetworkSpec, Output
from trtcolor.errors import ExportError
from trtcolor.nodes import Nodes

INPUT, OUTPUT = "lightness", "chroma"
RESIZING_OPSET = 11
IR_VERSION = 8


def wrap(
    network: Network, spec: NetworkSpec, *, scale: int, resizes: bool, batch: int | None = None
) -> onnx.ModelProto:
    """The network as a graph ``lightness`` (N, 1, H, W) -> ``chroma`` (N, 2, H/scale, W/scale).

    The network's own nodes and weights are kept as they are, but for tensors of these two names.

    Args:
        network: left as it is.
        spec: what it takes and gives.
        scale: pixels per sample of the chroma that comes out.
        resizes: whether the network's own output has another grid than that.
        batch: the only N; None: any.

    Raises:
        ExportError: the graph resizes, and the network's operators cannot be brought to set 11.
    """
    model = copy.deepcopy(network.model)
    fixed = spec.size.fixed != (0, 0)
    if (fixed or resizes) and operator_set(model) < RESIZING_OPSET:
        model = _converted(network)
    prefix = _free_prefix(model.graph)
    own = {name: prefix + name for name in (INPUT, OUTPUT)}
    rename(model.graph, own)

    before = Nodes(prefix + "before/")
    seen = INPUT
    if fixed:
        rows, columns = (before.constant(length, np.int64) for length in spec.size.fixed)
        seen = resized(before, seen, rows, columns)
    _encode(before, spec.input, seen, network.input, own)
    for value in network.constants:
        _fill(before, spec.constants[value.name], seen, value, own)

    after = Nodes(prefix + "after/")
    chroma = _decode(after, spec.output, network.output, own)
    if resizes:
        divisor = after.constant(scale, np.int64)
        rows, columns = (after.add("Div", side(after, INPUT, n), divisor) for n in (2, 3))
        chroma = resized(after, chroma, rows, columns)
    after.add("Identity", chroma, output=OUTPUT)

    _assemble(model.graph, before, after)
    _declare(model.graph, scale, "N" if batch is None else batch)
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model


# ---- around the network ------------------------------------------------------------------------


def _encode(
    nodes: Nodes, coding: Input, lightness: str, value: Value, own: Mapping[str, str]
) -> None:
    if coding.kind == "lightness":
        coded = nodes.affine(lightness, 1 / coding.scale, -coding.offset / coding.scale)
    else:
        gain, bias = (np.reshape(part, (1, 3, 1, 1)) for part in coding.gain_and_bias())
        coded = nodes.affine(grey_from_lightness(nodes, lightness), gain, bias)
    nodes.add("Cast", coded, to=value.type, output=own.get(value.name, value.name))


def _fill(nodes: Nodes, number: float, seen: str, value: Value, own: Mapping[str, str]) -> None:
    """A constant input: of the picture's N, H and W unless it states its own H and W."""
    shape = nodes.add("Shape", seen)
    sizes = [
        nodes.constant([size], np.int64)
        if axis and size is not None
        else nodes.add("Gather", shape, nodes.constant([axis], np.int64))
        for axis, size in enumerate(value.shape)
    ]
    filled = nodes.add("Expand", nodes.constant(number), nodes.add("Concat", *sizes, axis=0))
    nodes.add("Cast", filled, to=value.type, output=own.get(value.name, value.name))


def _decode(nodes: Nodes, coding: Output, value: Value, own: Mapping[str, str]) -> str:
    coded = nodes.add("Cast", own.get(value.name, value.name), to=TensorProto.FLOAT)
    if coding.kind == "ab":
        return nodes.affine(coded, coding.scale, coding.offset)
    gain, bias = (np.reshape(part, (1, 3, 1, 1)) for part in coding.gain_and_bias())
    rgb = nodes.affine(coded, 1 / gain, -bias / gain)
    if coding.order == "bgr":
        rgb = nodes.add("Gather", rgb, nodes.constant([2, 1, 0], np.int64), axis=1)
    return chroma_from_rgb(nodes, rgb)


# ---- the graph ---------------------------------------------------------------------------------


def _assemble(graph: onnx.GraphProto, before: Nodes, after: Nodes) -> None:
    nodes = [*before.nodes, *graph.node, *after.nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*before.constants, *after.constants])


def _declare(graph: onnx.GraphProto, scale: int, batch: int | str) -> None:
    """State input and output; sizes noted inside may be those of one fixed batch, so they go."""
    del graph.input[:], graph.output[:], graph.value_info[:]
    grid = ("H", "W") if scale == 1 else (f"H/{scale}", f"W/{scale}")
    shapes = {INPUT: [batch, 1, "H", "W"], OUTPUT: [batch, 2, *grid]}
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    graph.input.append(infos[0])
    graph.output.append(infos[1])


def _converted(network: Network) -> onnx.ModelProto:
    """The network in operators of set 11, the first with ``Range``."""
    try:
        model = version_converter.convert_version(network.model, RESIZING_OPSET)
    except Exception as error:  # of many unrelated classes
        raise ExportError(
            f"{network.path} uses operator set {network.opset}, which does not convert to "
            f"{RESIZING_OPSET} ({' '.join(str(error).split())}); {RESIZING_OPSET} or newer was "
            "needed for resizing; export it with a newer opset_version"
        ) from None
    for graph in all_graphs(model.graph):
        for node in graph.node:
            if node.op_type == "Resize":  # its coordinates were others before set 11
                old = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
                given = {attribute.name for attribute in node.attribute}
                node.attribute.extend(
                    helper.make_attribute(name, value)
                    for name, value in old.items()
                    if name not in given
                )
    return model


def _free_prefix(graph: onnx.GraphProto) -> str:
    """A prefix that no name in a graph has."""
    taken = set(all_names(graph))
    number, prefix = 1, "trtcolor/"
    while any(name.startswith(prefix) for name in taken):
        number += 1
        prefix = f"trtcolor{number}/"
    return prefix

"""Scores of colour bins and the mean colour under them, computed sample by sample.

An exported classifier holds its scores in Q planes (`trtcolor_train.decoder.BinCoding.expected`):
the largest of a sample's scores is then looked for through all of them, and each step of the
softmax goes over memory once more. Laid out by samples, (N h w, Q), the last 1x1 convolution is a
matrix product, and a sample's scores stay in the cache from there to its colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from trtcolor.adopt.onnx_file import operator_set
from trtcolor.precision.matching import Graph, attributes

OPSET = 15
"""The first in which Shape gives a part of a shape."""
END = 2**31 - 1
"""At least what exporters write for the end of a slice that goes to the last."""


@dataclass(frozen=True)
class _Chain:
    """A 1x1 convolution to scores, and all from there to the mean over bins.

    Attributes:
        layer: the convolution.
        behind: the nodes behind it, the last of which gives the mean.
        temperature: that scores are divided by.
        centres: (Q, D), of the bins.
    """

    layer: onnx.NodeProto
    behind: tuple[onnx.NodeProto, ...]
    temperature: float
    centres: NDArray[np.float32]


def scores_by_samples(model: onnx.ModelProto) -> onnx.ModelProto:
    """A graph whose means over bins are computed sample by sample; equal to float rounding.

    The layer keeps its name, and its result, scores divided by the temperature, that of the scores.

    Args:
        model: plain (`trtcolor.precision.plain`); left as it is.
    """
    if operator_set(model) < OPSET:
        return model
    graph = Graph(model)
    for node in list(graph.nodes):
        chain = _chain(graph, node)
        if chain is not None:
            _replace(graph, chain)
    return graph.result()


def _chain(graph: Graph, layer: onnx.NodeProto) -> _Chain | None:
    """What begins with a layer, if it is such a chain."""
    if not _is_pointwise(graph, layer) or graph.parameters(layer) is None:
        return None
    peak, less = _two(graph, layer.output[0], "ReduceMax", "Sub")
    if peak is None or less is None or not _over_channels(graph, peak):
        return None
    if list(less.input) != [layer.output[0], peak.output[0]]:
        return None
    if graph.only_reader(peak.output[0]) is not less:
        return None
    divided = _reader(graph, less, "Div")  # missing where the temperature is 1
    temperature = np.ones(1) if divided is None else graph.constant(divided.input[1])
    if temperature is None or temperature.size != 1:
        return None
    exponent = _reader(graph, divided or less, "Exp")
    sums = None if exponent is None else _reader(graph, exponent, "Conv")
    if exponent is None or sums is None or not _is_pointwise(graph, sums) or len(sums.input) != 2:
        return None
    weight = graph.constant(sums.input[1])
    assert weight is not None
    mean = _ratio(graph, sums)
    if mean is None or not (weight[-1] == 1).all():
        return None
    behind = (peak, less, *([divided] if divided else []), exponent, sums, *mean)
    return _Chain(layer, behind, float(temperature.item()), weight[:-1, :, 0, 0].T)


def _ratio(graph: Graph, sums: onnx.NodeProto) -> tuple[onnx.NodeProto, ...] | None:
    """The slices of all channels but the last, and of the last, and the quotient of the two."""
    slices = graph.readers(sums.output[0])
    if len(slices) != 2 or any(node.op_type != "Slice" for node in slices):
        return None
    ranges = {node.output[0]: _range(graph, node) for node in slices}
    quotient = _reader(graph, slices[0], "Div")
    if quotient is None or _reader(graph, slices[1], "Div") is not quotient:
        return None
    upper, lower = (ranges.get(name) for name in quotient.input)
    if upper != (0, -1, 1, 1) or lower is None or lower[0] != -1 or lower[2:] != (1, 1):
        return None
    return (*slices, quotient) if lower[1] >= END else None


def _replace(graph: Graph, chain: _Chain) -> None:
    layer, mean = chain.layer, chain.behind[-1].output[0]
    parameters = graph.parameters(layer)
    assert parameters is not None
    weight, bias = parameters
    channels = weight.shape[1]
    name, t = layer.name, chain.temperature

    def constant(what: str, values: NDArray[np.float64] | list[int]) -> str:
        dtype = np.int64 if isinstance(values, list) else np.float32
        return graph.add_constant(f"{name}.{what}", np.asarray(values, dtype))

    def node(operator: str, inputs: list[str], result: str, **options: Any) -> onnx.NodeProto:
        own = name if operator == "Gemm" else f"{name}.{result}"
        given = f"{name}.{result}" if result not in (layer.output[0], mean) else result
        return helper.make_node(operator, inputs, [given], own, **options)

    w = constant("by_temperature.weight", weight[:, :, 0, 0].astype(np.float64) / t)
    b = constant("by_temperature.bias", bias.astype(np.float64) / t)
    centres = constant("centres", chain.centres.astype(np.float64))
    rows, colours = constant("rows", [-1, channels]), constant("colours", [len(chain.centres.T)])
    new = [
        node("Transpose", [layer.input[0]], "samples", perm=[0, 2, 3, 1]),
        node("Shape", [f"{name}.samples"], "grid", start=0, end=3),
        node("Concat", [f"{name}.grid", colours], "shape", axis=0),
        node("Reshape", [f"{name}.samples", rows], "flat"),
        node("Gemm", [f"{name}.flat", w, b], layer.output[0], transB=1),
        node("Softmax", [layer.output[0]], "probabilities", axis=-1),
        node("MatMul", [f"{name}.probabilities", centres], "means"),
        node("Reshape", [f"{name}.means", f"{name}.shape"], "image"),
        node("Transpose", [f"{name}.image"], mean, perm=[0, 3, 1, 2]),
    ]
    graph.replace([layer, *chain.behind], new)


# ---- parts of the chain ------------------------------------------------------------------------


def _is_pointwise(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node is a 1x1 convolution with constant weights."""
    if node.op_type != "Conv":
        return False
    weight, layout = graph.constant(node.input[1]), attributes(node)
    return (
        weight is not None
        and weight.shape[2:] == (1, 1)
        and not any(layout.get("pads", []))
        and layout.get("strides", [1, 1]) == [1, 1]
        and layout.get("group", 1) == 1
    )


def _over_channels(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node reduces along the second axis and keeps it."""
    options = attributes(node)
    axes = graph.constant(node.input[1]) if len(node.input) > 1 else None
    given = options.get("axes") if axes is None else axes.tolist()
    return given == [1] and options.get("keepdims", 1) == 1


def _range(graph: Graph, node: onnx.NodeProto) -> tuple[int, ...] | None:
    """Start, end, axis and step of a slice along one axis."""
    values = [graph.constant(name) for name in node.input[1:]]
    if len(values) != 4 or any(value is None or value.size != 1 for value in values):
        return None
    return tuple(int(value.item()) for value in values if value is not None)


def _reader(graph: Graph, node: onnx.NodeProto, operator: str) -> onnx.NodeProto | None:
    """What alone reads a node's result, if it is of that kind."""
    found = graph.only_reader(node.output[0])
    return found if found is not None and found.op_type == operator else None


def _two(
    graph: Graph, tensor: str, first: str, second: str
) -> tuple[onnx.NodeProto | None, onnx.NodeProto | None]:
    """The two readers of a tensor, if they are of these kinds."""
    kinds = {node.op_type: node for node in graph.readers(tensor)}
    if len(graph.readers(tensor)) != 2 or set(kinds) != {first, second}:
        return None, None
    return kinds[first], kinds[second]

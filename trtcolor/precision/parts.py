"""Which nodes of a graph do what: the network's layers, and what stands around them.

A graph of a bundle is a network with its arithmetic of colours around it: ``lightness`` is scaled
before the first layer, and what the last one gives becomes a*b* (DESIGN.md, decision 1). A network
takes coarse numbers well, for which it has thousands of weights; that arithmetic does not (an
exponential makes 5.7 CIEDE2000 of int8's 256 steps), and takes next to no time.
"""

from __future__ import annotations

import onnx

WEIGHTED = frozenset(("Conv", "ConvTranspose", "Gemm", "MatMul"))
CURVES = frozenset(("Exp", "Log", "Pow", "Softmax", "LogSoftmax", "ArgMax", "OneHot"))
"""What is found between two layers only where colours are decoded: a mean over bins, a gamma."""
SCORES = "bin_logits"


def layers(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The network's layers with weights, in order; products with colour matrices are none."""
    outside = around(model)
    return [node for node in _weighted(model.graph) if node.name not in outside]


def outermost(model: onnx.ModelProto) -> list[str]:
    """Names of the layers whose results only the decoding of colours reads."""
    outside = around(model)
    readers: dict[str, list[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.name)
    read = {node.name: readers.get(node.output[0], []) for node in layers(model)}
    return [name for name, by in read.items() if by and outside.issuperset(by)]


def around(model: onnx.ModelProto) -> frozenset[str]:
    """Names of the nodes around the network: the coding before it and the decoding behind it."""
    return _coding(model.graph) | _decoding(model.graph)


def _weighted(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Products of something computed with constants, a few numbers at least."""
    sizes = {tensor.name: tensor.dims for tensor in graph.initializer}
    return [
        node
        for node in graph.node
        if node.op_type in WEIGHTED and any(len(sizes.get(n, ())) > 1 for n in node.input[:2])
    ]


def _coding(graph: onnx.GraphProto) -> frozenset[str]:
    """All that no layer comes before: of the lightness, and of shapes."""
    weighted = {node.name for node in _weighted(graph)}
    learned: set[str] = set()
    for node in graph.node:
        if node.name in weighted or not learned.isdisjoint(node.input):
            learned.update(node.output)
    return frozenset(node.name for node in graph.node if learned.isdisjoint(node.output))


def _decoding(graph: onnx.GraphProto) -> frozenset[str]:
    """All between the network's output and ``chroma``.

    Where there are scores of bins they are that output. Else it is the last layer, found by going
    back from ``chroma``; a layer behind a curve is a matrix of the decoding and is passed.
    """
    makers = {name: node for node in graph.node for name in node.output}
    if SCORES in makers:
        behind = {SCORES}
        for node in graph.node:
            if not behind.isdisjoint(node.input):
                behind.update(node.output)
        if "chroma" in behind:
            behind -= {SCORES}
            return frozenset(n.name for n in graph.node if not behind.isdisjoint(n.output))
    weighted = {node.name for node in _weighted(graph)}
    ends = weighted | _coding(graph)
    found: set[str] = set()
    ahead = ["chroma"]
    while ahead:
        node = makers.get(ahead.pop())
        if node is None or node.name in found:
            continue
        if node.name in weighted and not _behind_a_curve(node, makers, ends):
            continue
        found.add(node.name)
        ahead.extend(node.input)
    return frozenset(found)


def _behind_a_curve(
    layer: onnx.NodeProto, makers: dict[str, onnx.NodeProto], ends: set[str]
) -> bool:
    """Whether a curve lies between a layer and the layers before it, or what `ends` names."""
    seen: set[str] = set()
    ahead = list(layer.input)
    while ahead:
        node = makers.get(ahead.pop())
        if node is None or node.name in seen or node.name in ends:
            continue
        if node.op_type in CURVES:
            return True
        seen.add(node.name)
        ahead.extend(node.input)
    return False

"""`trtcolor.resize` as ONNX nodes: each sample of the new size sums the few that it reads.

The weights are made from the shape, in whole numbers, so that they are those of csrc/resize.c to a
rounding; rows and columns beyond the new size repeat its last ones, which is how frames are padded
(`trtcolor.geometry.pad_edges`). The work grows with the pixels, unlike that of a product with the
whole matrix of weights, and nothing of it is left to TF32.
"""

from __future__ import annotations

from trtcolor.end_to_end.sizes import INT, side
from trtcolor.nodes import Nodes


def resized(nodes: Nodes, planes: str, source: str, target: str, padded: str) -> str:
    """Planes at another size, edges repeated.

    Args:
        nodes: to which those that do it are added.
        planes: (N, 1, H, W) float32.
        source, target, padded: (2,) int64: (H, W), the new size, and the new size with its repeated
            edges, which is not below it.

    Returns:
        (N, 1, *padded) float32.
    """
    index, weight = _taps(nodes, *(side(nodes, size, 0) for size in (source, target, padded)))
    rows = nodes.add("Gather", planes, index, axis=2)  # (N, 1, h, taps, W)
    column = nodes.add("Unsqueeze", weight, nodes.constant([2], INT))
    planes = _sum(nodes, nodes.add("Mul", rows, column), 3)
    index, weight = _taps(nodes, *(side(nodes, size, 1) for size in (source, target, padded)))
    columns = nodes.add("Gather", planes, index, axis=3)  # (N, 1, h, w, taps)
    return _sum(nodes, nodes.add("Mul", columns, weight), 4)


def _sum(nodes: Nodes, value: str, axis: int) -> str:
    return nodes.add("ReduceSum", value, nodes.constant([axis], INT), keepdims=0)


def _taps(nodes: Nodes, source: str, target: str, padded: str) -> tuple[str, str]:
    """Which samples of an axis each new one reads, and with what weights.

    As in csrc/resize.c: positions are whole numbers in units of 1/target of a source sample where
    the axis is reduced, of 1/(2 target) where it is enlarged or stays.

    Args:
        source, target, padded: int64 scalars.

    Returns:
        (padded, taps) int64 and float32.
    """
    zero, one, two = (nodes.constant(number, INT) for number in (0, 1, 2))
    last = nodes.add("Sub", target, one)
    i = nodes.add("Min", nodes.add("Range", zero, padded, one), last)
    i = nodes.add("Unsqueeze", i, nodes.constant([1], INT))
    above = nodes.add("Div", nodes.add("Add", source, last), target)  # source / target, rounded up
    taps = nodes.add("Range", zero, nodes.add("Add", above, one), one)
    reduces = nodes.add("Greater", source, target)

    begin = nodes.add("Mul", i, source)  # the stretch that i covers, in 1/target
    end = nodes.add("Add", begin, source)
    double = nodes.add("Mul", target, two)
    place = nodes.add("Sub", nodes.add("Add", nodes.add("Mul", begin, two), source), target)
    highest = nodes.add("Mul", double, nodes.add("Sub", source, one))
    place = nodes.add("Min", nodes.add("Max", place, zero), highest)  # of i, in 1/(2 target)

    start = nodes.add(
        "Where", reduces, nodes.add("Div", begin, target), nodes.add("Div", place, double)
    )
    j = nodes.add("Add", start, taps)
    low = nodes.add("Mul", j, target)
    overlap = nodes.add(
        "Sub",
        nodes.add("Min", nodes.add("Add", low, target), end),
        nodes.add("Max", low, begin),
    )
    away = nodes.add("Abs", nodes.add("Sub", nodes.add("Mul", j, double), place))
    share = nodes.add("Where", reduces, overlap, nodes.add("Sub", double, away))
    whole = nodes.add("Where", reduces, source, double)
    share, whole = (
        nodes.add("Cast", number, to=1) for number in (nodes.add("Max", share, zero), whole)
    )
    index = nodes.add("Min", j, nodes.add("Sub", source, one))
    return index, nodes.add("Div", share, whole)

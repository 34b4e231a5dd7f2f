"""Resizing as ONNX nodes: two products with row and column weights made from the shape.

The weights are those of `trtcolor.resize.resize_weights` (DESIGN.md, "Resizing to the global
size"): area when reducing, bilinear when enlarging. ``Resize`` has no area weights, and
TensorRT-RTX does not build its antialiased form. Float32 places the edge of a sample within 1e-3
samples at the largest size, 16384, and better the smaller it is.
"""

from __future__ import annotations

import numpy as np

from trtcolor.nodes import Nodes


def resized(nodes: Nodes, planes: str, rows: str, columns: str) -> str:
    """(N, C, h, w) -> (N, C, rows, columns), float32, both given as int64 scalars."""
    downwards = weights(nodes, side(nodes, planes, 2), rows)
    across = weights(nodes, side(nodes, planes, 3), columns)
    tall = nodes.add("MatMul", downwards, planes)
    return nodes.add("MatMul", tall, nodes.add("Transpose", across, perm=[1, 0]))


def side(nodes: Nodes, planes: str, axis: int) -> str:
    """The size of an axis as an int64 scalar."""
    return nodes.add("Gather", nodes.add("Shape", planes), nodes.constant(axis, np.int64))


def weights(nodes: Nodes, source: str, target: str) -> str:
    """(target, source) float32 from the two sizes, int64 scalars."""
    s, t = (nodes.add("Cast", size, to=1) for size in (source, target))  # 1: FLOAT
    zero, half, one = (nodes.constant(value) for value in (0.0, 0.5, 1.0))
    j = nodes.add("Range", zero, s, one)
    i = nodes.add("Reshape", nodes.add("Range", zero, t, one), nodes.constant([-1, 1], np.int64))
    step = nodes.add("Div", s, t)
    # Area: how much of the samples' [j, j + 1] lies in [i x step, (i + 1) x step].
    upper = nodes.add(
        "Min", nodes.add("Mul", nodes.add("Add", i, one), step), nodes.add("Add", j, one)
    )
    lower = nodes.add("Max", nodes.add("Mul", i, step), j)
    overlap = nodes.add("Max", nodes.add("Sub", upper, lower), zero)
    area = nodes.add("Div", overlap, step)
    # Bilinear: the distance to (i + 0.5) x step - 0.5, clamped to the samples.
    place = nodes.add("Sub", nodes.add("Mul", nodes.add("Add", i, half), step), half)
    place = nodes.add("Min", nodes.add("Max", place, zero), nodes.add("Sub", s, one))
    distance = nodes.add("Abs", nodes.add("Sub", place, j))
    bilinear = nodes.add("Max", nodes.add("Sub", one, distance), zero)
    return nodes.add("Where", nodes.add("Greater", s, t), area, bilinear)

"""The colour definition (DESIGN.md, "Colour definition") as ONNX nodes, all in float32.

What a frame's uint8 codes mean comes from tables, as in csrc/tables.c. No products of matrices are
used: on a GPU they may be done in TF32, whose 11 bits are too few for colours. A curve with a
straight piece below its knee is curve(c) + slope x (t - c) with c = max(t, knee).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trtcolor.adopt.arithmetic import KNEE, SLOPE, XYZ_FROM_RGB
from trtcolor.nodes import Nodes

XYZN_FROM_RGB = XYZ_FROM_RGB / XYZ_FROM_RGB.sum(axis=1, keepdims=True)
Y_FROM_RGB: tuple[float, ...] = tuple(XYZN_FROM_RGB[1])
LINEAR_KNEE = 0.0031308


def linear_codes() -> NDArray[np.float64]:
    """(256,) linear light, 0..1, of the uint8 codes of sRGB."""
    coded = np.arange(256) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lightness_codes() -> NDArray[np.float64]:
    """(256,) L* of the uint8 codes of greys."""
    y = linear_codes()
    f: NDArray[np.float64] = np.where(y > KNEE**3, np.cbrt(y), SLOPE * y + 4 / 29)
    return 116 * f - 16


def lightness_from_grey(nodes: Nodes, codes: str) -> str:
    """(N, 1, H, W) int32 codes -> (N, 1, H, W) L*, float32."""
    return nodes.add("Gather", nodes.constant(lightness_codes()), codes)


def lightness_from_rgb(nodes: Nodes, codes: str) -> str:
    """(N, 3, H, W) int32 codes -> (N, 1, H, W) L*, float32."""
    offsets = np.array([0, 256, 512]).reshape(1, 3, 1, 1)
    return _lightness(nodes, nodes.add("Add", codes, nodes.constant(offsets, np.int32)), Y_FROM_RGB)


def lightness_from_either(nodes: Nodes, codes: str) -> str:
    """(N, C, H, W) int32 codes, C 1 or 3 -> (N, 1, H, W) L*, float32.

    Another C makes a shape that the codes do not fit, which every backend refuses.
    """
    zero, one, two = (nodes.constant([number], np.int64) for number in (0, 1, 2))
    shape = nodes.add("Shape", codes)
    batch, given, *sides = (
        nodes.add("Gather", shape, nodes.constant([axis], np.int64)) for axis in range(4)
    )
    more = nodes.add("Max", nodes.add("Min", nodes.add("Sub", given, one), one), zero)
    channels = nodes.add("Add", nodes.add("Mul", more, two), one)
    codes = nodes.add("Reshape", codes, nodes.add("Concat", batch, channels, *sides, axis=0))
    tables = nodes.constant(np.arange(4) * 256, np.int32)  # of grey, R, G, B
    offsets = nodes.add("Slice", tables, more, nodes.add("Add", more, channels))
    offsets = nodes.add("Unsqueeze", offsets, nodes.constant([0, 2, 3], np.int64))
    return _lightness(nodes, nodes.add("Add", codes, offsets), (1.0, *Y_FROM_RGB))


def _lightness(nodes: Nodes, entries: str, shares: Sequence[float]) -> str:
    """(N, C, H, W) places in the tables of each channel's share in Y -> (N, 1, H, W) L*."""
    tables = nodes.constant(np.outer(shares, linear_codes()).ravel())
    parts = nodes.add("Gather", tables, entries)
    y = nodes.add("ReduceSum", parts, nodes.constant([1], np.int64), keepdims=1)
    curved = nodes.add("Max", y, nodes.constant(KNEE**3))
    root = nodes.add("Pow", curved, nodes.constant(1 / 3))
    straight = nodes.add("Mul", nodes.add("Sub", y, curved), nodes.constant(116 * SLOPE))
    lightness = nodes.add("Add", nodes.affine(root, 116.0, -16.0), straight)
    return nodes.add("Max", lightness, nodes.constant(0.0))  # black, not a rounding below it


def codes_from_linear(nodes: Nodes, linear: str) -> str:
    """Linear light, clipped to 0..1, -> sRGB codes of uint8 as float32 numbers 0.5 too high.

    So high that ``Cast`` to uint8, which drops what is behind the point, rounds them.
    """
    linear = nodes.add("Clip", linear, nodes.constant(0.0), nodes.constant(1.0))
    curved = nodes.add("Max", linear, nodes.constant(LINEAR_KNEE))
    power = nodes.add("Pow", curved, nodes.constant(1 / 2.4))
    straight = nodes.add("Mul", nodes.add("Sub", linear, curved), nodes.constant(255 * 12.92))
    return nodes.add("Add", nodes.affine(power, 255 * 1.055, 0.5 - 255 * 0.055), straight)

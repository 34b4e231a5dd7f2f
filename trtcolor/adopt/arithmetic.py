"""The colour definition (DESIGN.md, "Colour definition") as ONNX nodes, all in float32.

sRGB of IEC 61966-2-1, CIELAB of CIE 15 with (6/29)^3 written out, the white point the sums of the
matrix's rows. The same in csrc/scalar.h; tests hold both against float64.
"""

from __future__ import annotations

import numpy as np

from trtcolor.nodes import Nodes

XYZ_FROM_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
KNEE = 6.0 / 29.0
SLOPE = 1.0 / (3.0 * KNEE**2)
OFFSET = 4.0 / 29.0


def grey_from_lightness(nodes: Nodes, lightness: str) -> str:
    """(N, 1, H, W) L*, clamped to 0..100 -> the sRGB code, 0..1, of the grey of that L*."""
    f = nodes.affine(clamped(nodes, lightness, 0.0, 100.0), 1 / 116, 16 / 116)
    luminance = _either(
        nodes,
        nodes.add("Greater", f, nodes.constant(KNEE)),
        nodes.add("Mul", f, nodes.add("Mul", f, f)),
        nodes.affine(f, 1 / SLOPE, -OFFSET / SLOPE),
    )
    luminance = clamped(nodes, luminance, 0.0, 1.0)
    power = nodes.add("Pow", luminance, nodes.constant(1 / 2.4))
    return _either(
        nodes,
        nodes.add("Greater", luminance, nodes.constant(0.0031308)),
        nodes.affine(power, 1.055, -0.055),
        nodes.add("Mul", luminance, nodes.constant(12.92)),
    )


def chroma_from_rgb(nodes: Nodes, rgb: str) -> str:
    """(N, 3, h, w) sRGB codes, clamped to 0..1 -> (N, 2, h, w) a*b*."""
    rgb = clamped(nodes, rgb, 0.0, 1.0)
    base = nodes.affine(rgb, 1 / 1.055, 0.055 / 1.055)
    linear = _either(
        nodes,
        nodes.add("Greater", rgb, nodes.constant(0.04045)),
        nodes.add("Pow", base, nodes.constant(2.4)),
        nodes.add("Mul", rgb, nodes.constant(1 / 12.92)),
    )
    t = _mixed(nodes, linear, XYZ_FROM_RGB / XYZ_FROM_RGB.sum(axis=1, keepdims=True))
    # Rounding may leave a black pixel's t below 0, of which a root is no number.
    root = nodes.add("Pow", nodes.add("Max", t, nodes.constant(0.0)), nodes.constant(1 / 3))
    f = _either(
        nodes,
        nodes.add("Greater", t, nodes.constant(KNEE**3)),
        root,
        nodes.affine(t, SLOPE, OFFSET),
    )
    return _mixed(nodes, f, np.array([[500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]))


def clamped(nodes: Nodes, value: str, least: float, most: float) -> str:
    return nodes.add("Min", nodes.add("Max", value, nodes.constant(least)), nodes.constant(most))


def _either(nodes: Nodes, condition: str, this: str, other: str) -> str:
    return nodes.add("Where", condition, this, other)


def _mixed(nodes: Nodes, value: str, matrix: np.ndarray) -> str:
    """Each pixel's channels times a matrix."""
    return nodes.add("Conv", value, nodes.constant(matrix[:, :, None, None]))

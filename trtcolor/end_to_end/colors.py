"""The colour definition (DESIGN.md, "Colour definition") as ONNX nodes, all in float32.

What a frame's uint8 codes mean comes from tables, as in csrc/tables.c. No products of matrices are
used: on a GPU they may be done in TF32, whose 11 bits are too few for colours. A curve with a
straight piece below its knee is curve(c) + slope x (t - c) with c = max(t, knee).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtcolor.adopt.arithmetic import KNEE, SLOPE, XYZ_FROM_RGB
from trtcolor.nodes import Nodes

XYZN_FROM_RGB = XYZ_FROM_RGB / XYZ_FROM_RGB.sum(axis=1, keepdims=True)
RGB_FROM_XYZN = np.linalg.inv(XYZN_FROM_RGB)
LINEAR_KNEE = 0.0031308
GAMUT_TOLERANCE = 2e-6
"""Of linear RGB, for the rounding of the matrix, as in csrc/scalar.h."""
BISECTIONS = 12


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
    """(...) int32 codes -> L*, float32."""
    return nodes.add("Gather", nodes.constant(lightness_codes()), codes)


def lightness_from_rgb(nodes: Nodes, codes: str) -> str:
    """(N, 3, H, W) int32 codes -> (N, 1, H, W) L*, float32."""
    shares = XYZN_FROM_RGB[1][:, None] * linear_codes()  # of each channel in Y
    offsets = np.array([0, 256, 512]).reshape(1, 3, 1, 1)
    entries = nodes.add("Add", codes, nodes.constant(offsets, np.int32))
    parts = nodes.add("Gather", nodes.constant(shares.ravel()), entries)
    y = nodes.add("ReduceSum", parts, nodes.constant([1], np.int64), keepdims=1)
    curved = nodes.add("Max", y, nodes.constant(KNEE**3))
    root = nodes.add("Pow", curved, nodes.constant(1 / 3))
    straight = nodes.add("Mul", nodes.add("Sub", y, curved), nodes.constant(116 * SLOPE))
    lightness = nodes.add("Add", nodes.affine(root, 116.0, -16.0), straight)
    return nodes.add("Max", lightness, nodes.constant(0.0))  # black, not a rounding below it


def linear_from_lab(nodes: Nodes, lightness: str, a: str, b: str, gamut: str) -> list[str]:
    """L*, a* and b*, each (N, 1, H, W), -> linear R, G and B, not yet clipped.

    With ``gamut="reduce"`` L* is clamped to 0..100, and where sRGB lacks the colour a* and b* are
    scaled toward 0 at constant L* by a bisection of `BISECTIONS` steps, which ends in the gamut.
    """
    if gamut == "reduce":
        lightness = nodes.add("Clip", lightness, nodes.constant(0.0), nodes.constant(100.0))
    fy = nodes.affine(lightness, 1 / 116, 16 / 116)
    dx = nodes.add("Mul", a, nodes.constant(1 / 500))
    dz = nodes.add("Mul", b, nodes.constant(-1 / 200))
    y = _f_inverse(nodes, fy)
    if gamut == "reduce":
        scale = _scale_into_gamut(nodes, fy, dx, dz, y)
        dx, dz = (nodes.add("Mul", scale, way) for way in (dx, dz))
    return _linear(nodes, y, nodes.add("Add", fy, dx), nodes.add("Add", fy, dz))


def codes_from_linear(nodes: Nodes, linear: str) -> str:
    """Linear light, clipped to 0..1, -> sRGB codes of uint8, rounded, as float32 numbers."""
    linear = nodes.add("Clip", linear, nodes.constant(0.0), nodes.constant(1.0))
    curved = nodes.add("Max", linear, nodes.constant(LINEAR_KNEE))
    power = nodes.add("Pow", curved, nodes.constant(1 / 2.4))
    straight = nodes.add("Mul", nodes.add("Sub", linear, curved), nodes.constant(255 * 12.92))
    coded = nodes.add("Add", nodes.affine(power, 255 * 1.055, 0.5 - 255 * 0.055), straight)
    return nodes.add("Floor", coded)


def _scale_into_gamut(nodes: Nodes, fy: str, dx: str, dz: str, y: str) -> str:
    """The largest multiple of 2^-BISECTIONS of a* and b* that is in the gamut; 1 if they are."""

    def inside(fx: str, fz: str) -> str:
        rgb = _linear(nodes, y, fx, fz)
        most = nodes.add("Less", nodes.add("Max", *rgb), nodes.constant(1 + GAMUT_TOLERANCE))
        least = nodes.add("Greater", nodes.add("Min", *rgb), nodes.constant(-GAMUT_TOLERANCE))
        return nodes.add("And", most, least)

    scale = nodes.constant(0.0)
    for step in range(1, BISECTIONS + 1):
        tried = nodes.add("Add", scale, nodes.constant(2.0**-step))
        fx, fz = (nodes.add("Add", fy, nodes.add("Mul", tried, way)) for way in (dx, dz))
        scale = nodes.add("Where", inside(fx, fz), tried, scale)
    whole = inside(nodes.add("Add", fy, dx), nodes.add("Add", fy, dz))
    return nodes.add("Where", whole, nodes.constant(1.0), scale)


def _f_inverse(nodes: Nodes, f: str) -> str:
    """The inverse of CIE f: M^2 (3 f - 2 M) with M = max(f, knee), a cube above the knee."""
    curved = nodes.add("Max", f, nodes.constant(KNEE))
    rest = nodes.add(
        "Sub",
        nodes.add("Mul", f, nodes.constant(3.0)),
        nodes.add("Mul", curved, nodes.constant(2.0)),
    )
    return nodes.add("Mul", nodes.add("Mul", curved, curved), rest)


def _linear(nodes: Nodes, y: str, fx: str, fz: str) -> list[str]:
    """Linear R, G and B. The matrix's rows sum to 1, so that x = y = z gives exactly that grey."""
    x, z = (nodes.add("Sub", _f_inverse(nodes, f), y) for f in (fx, fz))
    rgb = []
    for from_x, _, from_z in RGB_FROM_XYZN:
        part = nodes.add("Mul", z, nodes.constant(from_z))
        part = nodes.add("Add", nodes.add("Mul", x, nodes.constant(from_x)), part)
        rgb.append(nodes.add("Add", part, y))
    return rgb

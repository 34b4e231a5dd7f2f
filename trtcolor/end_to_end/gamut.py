"""``gamut="reduce"`` as ONNX nodes: csrc/reduce.h, whose method and numbers these are.

A bisection ends elsewhere for pale yellows that leave the gamut and come back to it: of random
colours up to 6 bytes in a million were more than 2, and up to 170, away from the kernels. Here only
rays that graze a face are, 1 or 2 bytes of 750,000 of such yellows; there the kernels for different
processors are as far from each other.

All is done for all pixels and chosen at the end. A colour is 2 C - 1 in here, so that the gamut is
-1..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trtcolor.adopt.arithmetic import KNEE
from trtcolor.end_to_end.colors import XYZN_FROM_RGB
from trtcolor.nodes import Nodes

Planes = list[str]
"""Names of R, G and B, each (N, 1, H, W), or of X and Z."""

RGB_FROM_XYZN: list[list[float]] = np.linalg.inv(XYZN_FROM_RGB).tolist()
DARK = ((-8.241, 2.836), (3.423, 0.0), (-1.058, -2.11))
BRIGHT = ((3.335, -0.5787), (-1.377, 0.0), (0.6017, 1.587))
"""What R, G and B take of dx and dz to where they are 0, or 1."""
LOW_SLOPE, LOW_OFFSET = 11.33, -1.562
HIGH_SQUARE, HIGH_SLOPE = 0.9711, 0.0289
FAR = 1 / 32
TOLERANCE = 2e-6
"""Of linear RGB, for the rounding of the matrix, as in csrc/scalar.h."""
TINY = 1e-30
"""Added to slopes: one of 0 would make a NaN."""


@dataclass(frozen=True)
class Ray:
    """Colours of one L*: f(X) = fy + scale dx, f(Z) = fy + scale dz.

    Attributes:
        fy, dx, dz: names of (N, 1, H, W) float32.
        y: Y / Yn.
        grey: 2 y - 1.
    """

    fy: str
    dx: str
    dz: str
    y: str
    grey: str


@dataclass(frozen=True)
class Tangent:
    """Linear RGB at a place of a ray, and its derivative there."""

    colour: Planes
    slope: Planes


def linear_from_lab(nodes: Nodes, lightness: str, a: str, b: str, gamut: str) -> Planes:
    """L*, a* and b*, each (N, 1, H, W) float32, -> linear R, G and B, not yet clipped.

    With ``gamut="reduce"`` L* is clamped to 0..100 and, where sRGB lacks the colour, a* and b* are
    scaled toward 0 at constant L*.
    """
    if gamut == "reduce":
        lightness = nodes.add("Clip", lightness, nodes.constant(0.0), nodes.constant(100.0))
    fy = nodes.affine(lightness, 1 / 116, 16 / 116)
    dx = nodes.add("Mul", a, nodes.constant(1 / 500))
    dz = nodes.add("Mul", b, nodes.constant(-1 / 200))
    y, _ = _f_inverse(nodes, fy)
    ray = Ray(fy, dx, dz, y, nodes.affine(y, 2.0, -1.0))
    colours = _end(nodes, ray)
    if gamut == "reduce":
        inside = _inside(nodes, colours)
        edge = _edge(nodes, ray)
        colours = [nodes.add("Where", inside, *pair) for pair in zip(colours, edge, strict=True)]
    return [nodes.affine(colour, 0.5, 0.5) for colour in colours]


def _end(nodes: Nodes, ray: Ray) -> Planes:
    """The colours that were asked for."""
    xz = [_f_inverse(nodes, nodes.add("Add", ray.fy, way))[0] for way in (ray.dx, ray.dz)]
    return _colours(nodes, xz, ray)


def _inside(nodes: Nodes, colours: Planes) -> str:
    reach = 1 + 2 * TOLERANCE
    return nodes.add(
        "And",
        nodes.add("LessOrEqual", nodes.add("Max", *colours), nodes.constant(reach)),
        nodes.add("GreaterOrEqual", nodes.add("Min", *colours), nodes.constant(-reach)),
    )


def _edge(nodes: Nodes, ray: Ray) -> Planes:
    """Where the rays leave the gamut: a guess, two steps of Newton's method, the tangent's end."""
    one = nodes.constant(1.0)
    scale = _guess(nodes, ray)
    onward = _exit(nodes, _tangent(nodes, ray, scale), nodes.add("Sub", one, scale))
    scale = nodes.add("Max", nodes.add("Add", scale, onward), nodes.constant(0.0))
    step = _way(nodes, _tangent(nodes, ray, scale), scale)
    long = nodes.add("Mul", scale, nodes.constant(FAR))
    far = nodes.add("Greater", nodes.add("Abs", step), long)
    scale = nodes.add("Where", far, nodes.add("Add", scale, step), scale)
    last = _tangent(nodes, ray, scale)
    step = _way(nodes, last, scale)
    return [
        nodes.add("Add", colour, nodes.add("Mul", step, slope))
        for colour, slope in zip(last.colour, last.slope, strict=True)
    ]


def _guess(nodes: Nodes, ray: Ray) -> str:
    def most(planes: Sequence[tuple[float, float]]) -> str:
        return nodes.add("Max", *(_mixed(nodes, [ray.dx, ray.dz], *pair) for pair in planes))

    low = nodes.add("Min", ray.fy, nodes.affine(ray.fy, LOW_SLOPE, LOW_OFFSET))
    bend = nodes.affine(ray.fy, HIGH_SQUARE, HIGH_SLOPE)
    high = nodes.add("Sub", nodes.constant(1.0), nodes.add("Mul", ray.fy, bend))
    return nodes.add("Min", nodes.add("Div", low, most(DARK)), nodes.add("Div", high, most(BRIGHT)))


def _tangent(nodes: Nodes, ray: Ray, scale: str) -> Tangent:
    xz, changes = [], []
    for way in (ray.dx, ray.dz):
        f = nodes.add("Add", ray.fy, nodes.add("Mul", scale, way))
        value, slope = _f_inverse(nodes, f)
        xz.append(value)
        changes.append(nodes.add("Mul", slope, way))
    slopes = [_mixed(nodes, changes, 2 * row[0], 2 * row[2]) for row in RGB_FROM_XYZN]
    tiny = nodes.constant(TINY)
    return Tangent(_colours(nodes, xz, ray), [nodes.add("Add", slope, tiny) for slope in slopes])


def _colours(nodes: Nodes, xz: Planes, ray: Ray) -> Planes:
    """The rows of the matrix sum to 1, so that x = y = z gives exactly that grey."""
    less = [nodes.add("Sub", plane, ray.y) for plane in xz]
    return [
        nodes.add("Add", _mixed(nodes, less, 2 * row[0], 2 * row[2]), ray.grey)
        for row in RGB_FROM_XYZN
    ]


def _exit(nodes: Nodes, tangent: Tangent, limit: str) -> str:
    """How far along the tangent a channel leaves -1..1, at most `limit`; below 0: is outside."""
    ways = [limit]
    for colour, slope in zip(tangent.colour, tangent.slope, strict=True):
        inverse = nodes.add("Reciprocal", slope)
        back = nodes.add("Mul", colour, inverse)
        ways.append(nodes.add("Sub", nodes.add("Abs", inverse), back))
    return nodes.add("Min", *ways)


def _way(nodes: Nodes, tangent: Tangent, scale: str) -> str:
    """How far to go on, which may be back, within a scale of 0..1."""
    limit = nodes.add("Sub", nodes.constant(1.0), scale)
    return nodes.add("Max", _exit(nodes, tangent, limit), nodes.add("Neg", scale))


def _mixed(nodes: Nodes, xz: Planes, of_x: float, of_z: float) -> str:
    x, z = xz
    part = nodes.add("Mul", x, nodes.constant(of_x))
    if of_z == 0.0:
        return part
    return nodes.add("Add", part, nodes.add("Mul", z, nodes.constant(of_z)))


def _f_inverse(nodes: Nodes, f: str) -> tuple[str, str]:
    """The inverse of CIE f and its slope: M^2 (3 f - 2 M) and 3 M^2 with M = max(f, knee)."""
    curved = nodes.add("Max", f, nodes.constant(KNEE))
    slope = nodes.add("Mul", nodes.add("Mul", curved, curved), nodes.constant(3.0))
    rest = nodes.add("Sub", f, nodes.add("Mul", curved, nodes.constant(2 / 3)))
    return nodes.add("Mul", slope, rest), slope

"""Colour profiles of one formula, evaluated exactly: grey curves, and curves with a matrix.

Source: ICC.1:2022, sections 8.3 (matrix), 8.6 (grey), 10.6 (curves), 10.18 (parametric curves).
Profiles that are tables are Little CMS's work (`trtcolor.images.coded`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trtcolor.images.srgb import (
    Floats,
    adaptation_to_d50,
    code_from_linear,
    srgb_to_xyz_d50,
)

Curve = Callable[[Floats], Floats]

_CLASSES = {b"scnr", b"mntr", b"prtr", b"spac"}
_TABLES = {b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1"}
_CURVE_TOLERANCE = 0.3 / 255
_MATRIX_TOLERANCE = 0.002
_MAX_TAGS = 200


class ProfileError(ValueError):
    """A profile is broken."""


@dataclass(frozen=True)
class Profile:
    """What a profile says of the numbers in a file.

    Attributes:
        space: ``"grey"``, ``"rgb"``, ``"cmyk"`` or ``"lab"``.
        curves: from 0..1 as coded to 0..1 linear, one for grey, three for RGB; empty for a profile
            that is tables.
        matrix: (3, 3), linear RGB to linear sRGB, unbounded.
        perceptual: the grey curve gives L*/100, not Y.
    """

    space: str
    curves: tuple[Curve, ...] = ()
    matrix: Floats | None = None
    perceptual: bool = False

    @property
    def is_srgb(self) -> bool:
        """Whether to read the numbers as sRGB changes none by more than a third of an 8-bit step.

        So it is with every maker's own rendering of sRGB.
        """
        if not self.curves or self.perceptual:
            return False
        if self.matrix is not None and abs(self.matrix - np.eye(3)).max() > _MATRIX_TOLERANCE:
            return False
        codes = np.linspace(0, 1, 256)
        coded = (code_from_linear(curve(codes)) for curve in self.curves)
        return all(abs(codes - found).max() < _CURVE_TOLERANCE for found in coded)


def profile_from_icc(icc: bytes) -> Profile:
    """Read a profile.

    Raises:
        ProfileError: it is broken, or of a kind that describes no picture.
    """
    try:
        return _profile(icc)
    except (struct.error, IndexError, OverflowError) as error:
        raise ProfileError(f"cut short ({error})") from None


def _profile(icc: bytes) -> Profile:
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ProfileError("no ICC profile")
    if icc[12:16] not in _CLASSES:
        raise ProfileError(f"a profile of class {icc[12:16]!r}")
    space = {b"GRAY": "grey", b"RGB ": "rgb", b"CMYK": "cmyk", b"Lab ": "lab"}.get(icc[16:20])
    if space is None:
        raise ProfileError(f"a profile for {icc[16:20]!r}")
    tags = _tags(icc)
    if space == "grey" and "kTRC" in tags:
        return Profile(space, (_curve(tags["kTRC"]),), perceptual=icc[20:24] == b"Lab ")
    if space == "rgb" and not any(name.decode() in tags for name in _TABLES):
        columns = [_xyz(tags.get(f"{c}XYZ", b"")) for c in "rgb"]
        curves = tuple(_curve(tags.get(f"{c}TRC", b"")) for c in "rgb")
        return Profile(space, curves, _to_linear_srgb(np.array(columns).T))
    if not any(name.decode() in tags for name in _TABLES):
        raise ProfileError("a profile without curves or tables")
    return Profile(space)


def _tags(icc: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    if count > _MAX_TAGS:
        raise ProfileError(f"a profile of {count} tags")
    tags = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", icc, 132 + 12 * index)
        if offset + size > len(icc):
            raise ProfileError("cut short")
        tags[name.decode("latin-1")] = icc[offset : offset + size]
    return tags


def _xyz(tag: bytes) -> Floats:
    if tag[:4] != b"XYZ ":
        raise ProfileError("a matrix that is missing")
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return lambda x: x
        values = struct.unpack_from(f">{count}H", tag, 12)
        if count == 1:
            return lambda x: x ** (values[0] / 256)
        table = np.array(values) / 65535
        at = np.linspace(0, 1, count)
        return lambda x: np.interp(x, at, table)
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        if kind > 4:
            raise ProfileError(f"a curve of kind {kind}")
        return _parametric(kind, struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12))
    raise ProfileError("a curve that is missing")


def _parametric(kind: int, fixed: tuple[int, ...]) -> Curve:
    """ICC.1:2022, table 68: all five kinds are the last with constants left out."""
    g, a, b, c, d, e, f = (*(value / 65536 for value in fixed), *[0.0] * (7 - len(fixed)))
    if kind == 0:
        a, d = 1.0, 0.0
    if kind in (1, 2):
        if a == 0:
            raise ProfileError("a curve that divides by 0")
        c, d, e, f = 0.0, -b / a, c, c  # table 68 calls the offset c

    def curve(x: Floats) -> Floats:
        powered = np.maximum(a * x + b, 0) ** g + e
        return np.clip(np.where(x >= d, powered, c * x + f), 0, 1)

    return curve


def _to_linear_srgb(to_xyz_d50: Floats) -> Floats:
    """The profile's RGB to sRGB's; white stays white to the last bit where it is meant to."""
    white = to_xyz_d50.sum(axis=1)
    if not np.isfinite(white).all() or white.min() <= 0:
        raise ProfileError("a matrix without white")
    matrix: Floats = np.linalg.inv(srgb_to_xyz_d50()) @ to_xyz_d50
    sums = matrix.sum(axis=1, keepdims=True)
    return matrix / sums if abs(sums - 1).max() < 0.01 else matrix


def profile_from_gamma(gamma: float, chromaticities: tuple[float, ...] | None) -> Profile:
    """What PNG's gAMA and cHRM chunks say.

    Args:
        gamma: of the encoding, e.g. 1 / 2.2.
        chromaticities: x and y of white, red, green and blue; None for sRGB's.

    Raises:
        ProfileError: no such colours can be.
    """
    if not 0.01 < gamma < 100:
        raise ProfileError(f"a gamma of {gamma:g}")
    matrix = np.eye(3)
    if chromaticities is not None:
        xy = np.array(chromaticities, np.float64).reshape(4, 2)
        if not (xy[:, 1] > 0).all() or not np.isfinite(xy).all():
            raise ProfileError("chromaticities that no colour has")
        white, *primaries = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in xy)
        columns = np.array(primaries).T
        if abs(np.linalg.det(columns)) < 1e-9:
            raise ProfileError("chromaticities that are no triangle")
        to_xyz = columns * np.linalg.solve(columns, white)
        matrix = _to_linear_srgb(adaptation_to_d50(white) @ to_xyz)
    return Profile("rgb", (lambda x: x ** (1 / gamma),) * 3, matrix)


ADOBE_RGB = profile_from_gamma(256 / 563, (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06))
"""Adobe RGB (1998): gamma 2 + 51/256."""

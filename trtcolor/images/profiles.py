"""Colour profiles of one formula, evaluated exactly: grey curves, and curves with a matrix.

Source: ICC.1:2022, sections 8.3 (matrix), 8.6 (grey), 10.6 (curves), 10.18 (parametric curves).
Profiles that are tables are Little CMS's work (`trtcolor.images.coded`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

_SRGB_D65 = np.array(  # csrc/color.h
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])

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


@cache
def _srgb_d50() -> Floats:
    """Linear sRGB to XYZ under D50, adapted by Bradford's matrix."""
    cones = _BRADFORD @ _SRGB_D65.sum(axis=1)
    scale = np.diag((_BRADFORD @ _D50) / cones)
    adapted: Floats = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ _SRGB_D65
    return adapted


def _to_linear_srgb(to_xyz_d50: Floats) -> Floats:
    """The profile's RGB to sRGB's; white stays white to the last bit where it is meant to."""
    white = to_xyz_d50.sum(axis=1)
    if not np.isfinite(white).all() or white.min() <= 0:
        raise ProfileError("a matrix without white")
    matrix: Floats = np.linalg.inv(_srgb_d50()) @ to_xyz_d50
    sums = matrix.sum(axis=1, keepdims=True)
    return matrix / sums if abs(sums - 1).max() < 0.01 else matrix


def linear_srgb_from_xyz_d50(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 3) XYZ under D50 with white at Y = 1 to unbounded linear sRGB."""
    return xyz @ np.linalg.inv(_srgb_d50()).T.astype(np.float32)


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
        cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
        matrix = _to_linear_srgb(np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD @ to_xyz)
    return Profile("rgb", (lambda x: x ** (1 / gamma),) * 3, matrix)


ADOBE_RGB = profile_from_gamma(256 / 563, (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06))
"""Adobe RGB (1998): gamma 2 + 51/256."""


def code_from_linear(linear: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1: linear light to sRGB's code, both 0..1; clamped."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@cache
def srgb_icc() -> bytes:
    """A small sRGB profile (ICC version 4), the same bytes every time."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    def text(words: str) -> bytes:
        data = words.encode("utf-16-be")
        return struct.pack(">4sIII4sII", b"mluc", 0, 1, 12, b"enUS", len(data), 28) + data

    matrix = _srgb_d50()
    curve = b"para" + struct.pack(">IHH", 0, 3, 0)
    curve += fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    adaptation = (
        np.linalg.inv(_BRADFORD)
        @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ _SRGB_D65.sum(axis=1)))
        @ _BRADFORD
    )
    tags: list[tuple[bytes, bytes]] = [
        (b"desc", text("sRGB IEC61966-2.1")),
        (b"cprt", text("No copyright, use freely")),
        (b"wtpt", b"XYZ \0\0\0\0" + fixed(*_D50)),
        (b"chad", b"sf32\0\0\0\0" + fixed(*adaptation.ravel())),
        *(
            (c + b"XYZ", b"XYZ \0\0\0\0" + fixed(*matrix[:, i]))
            for i, c in enumerate((b"r", b"g", b"b"))
        ),
        *((c + b"TRC", curve) for c in (b"r", b"g", b"b")),
    ]
    table, body, places = struct.pack(">I", len(tags)), b"", {}
    for name, data in tags:
        if data not in places:
            places[data] = 128 + 4 + 12 * len(tags) + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    head = struct.pack(
        ">I4xI4s4s4s6H4s4xI4x4x8xI",
        128 + len(table) + len(body),
        0x04300000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        2026,
        1,
        1,
        0,
        0,
        0,
        b"acsp",
        0,
        0,
    )
    head += fixed(*_D50)
    return head.ljust(128, b"\0") + table + body

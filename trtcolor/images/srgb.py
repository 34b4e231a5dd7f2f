"""sRGB: its matrix, its curve, how it lies under D50, and a profile that says so.

Source: IEC 61966-2-1 with the matrix of csrc/color.h; D50 and the adaptation of ICC.1:2022.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SRGB_TO_XYZ = np.array(  # csrc/color.h
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
D50 = np.array([0.9642, 1.0, 0.8249])


def adaptation_to_d50(white: Floats) -> Floats:
    """(3, 3): XYZ under a white to XYZ under D50, by Bradford's matrix."""
    scale = np.diag((_BRADFORD @ D50) / (_BRADFORD @ white))
    adaptation: Floats = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD
    return adaptation


@cache
def srgb_to_xyz_d50() -> Floats:
    """(3, 3): linear sRGB to XYZ under D50."""
    adapted: Floats = adaptation_to_d50(SRGB_TO_XYZ.sum(axis=1)) @ SRGB_TO_XYZ
    return adapted


def linear_srgb_from_xyz_d50(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 3) XYZ under D50 with white at Y = 1 to unbounded linear sRGB."""
    return xyz @ np.linalg.inv(srgb_to_xyz_d50()).T.astype(np.float32)


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

    matrix = srgb_to_xyz_d50()
    curve = b"para" + struct.pack(">IHH", 0, 3, 0)
    curve += fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    adaptation = adaptation_to_d50(SRGB_TO_XYZ.sum(axis=1))
    tags: list[tuple[bytes, bytes]] = [
        (b"desc", text("sRGB IEC61966-2.1")),
        (b"cprt", text("No copyright, use freely")),
        (b"wtpt", b"XYZ \0\0\0\0" + fixed(*D50)),
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
    head += fixed(*D50)
    return head.ljust(128, b"\0") + table + body

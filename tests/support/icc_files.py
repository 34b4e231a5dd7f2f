"""ICC profiles from their definition (ICC.1:2022), small and whole."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Columns of linear RGB to XYZ under D50, as the profiles of their makers have them.
SRGB_COLUMNS = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.71410),
)
ADOBE_COLUMNS = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
P3_COLUMNS = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)


def grey_icc(
    gamma: float | None = None, table: Sequence[float] = (), *, lab: bool = False
) -> bytes:
    """A grey profile: a gamma or a table of 0..1, to Y or, with `lab`, to L*/100."""
    tags = {b"wtpt": xyz(*D50), b"kTRC": curve(gamma, table)}
    return profile(b"GRAY", b"Lab " if lab else b"XYZ ", tags)


def rgb_icc(columns: Sequence[Sequence[float]], trc: bytes) -> bytes:
    """An RGB profile of a matrix and a curve, as from `curve` or `parametric`."""
    tags = {b"wtpt": xyz(*D50)}
    for name, column in zip((b"r", b"g", b"b"), columns, strict=True):
        tags[name + b"XYZ"] = xyz(*column)
        tags[name + b"TRC"] = trc
    return profile(b"RGB ", b"XYZ ", tags)


def cmyk_icc() -> bytes:
    """A printer whose inks each take their part of the light, as a table of 5^4 L*a*b*."""
    c, m, y, k = np.meshgrid(*[np.linspace(0, 1, 5)] * 4, indexing="ij")
    lightness = 100 * (1 - 0.25 * c) * (1 - 0.4 * m) * (1 - 0.05 * y) * (1 - 0.9 * k)
    a = (-30 * c + 60 * m - 5 * y) * (1 - k)
    b = (-40 * c - 5 * m + 80 * y) * (1 - k)
    lab = np.stack((lightness * 652.8, (a + 128) * 256, (b + 128) * 256), axis=-1)
    grid = np.rint(lab).astype(">u2").tobytes()  # version 2's coding: 0xFF00 is 100
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    ramp = struct.pack(">2H", 0, 65535)
    lut = b"mft2\0\0\0\0" + bytes((4, 3, 5, 0)) + identity + struct.pack(">2H", 2, 2)
    lut += 4 * ramp + grid + 3 * ramp
    tags = {b"wtpt": xyz(*D50), b"A2B0": lut, b"A2B1": lut}
    return profile(b"CMYK", b"Lab ", tags, kind=b"prtr")


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def curve(gamma: float | None = None, table: Sequence[float] = ()) -> bytes:
    entries = [round(gamma * 256)] if gamma else [round(value * 65535) for value in table]
    return b"curv\0\0\0\0" + struct.pack(f">I{len(entries)}H", len(entries), *entries)


def parametric(kind: int, *values: float) -> bytes:
    fixed = struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed


def profile(
    space: bytes, connection: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr"
) -> bytes:
    tags = {b"desc": _description(), b"cprt": b"text\0\0\0\0none\0"} | tags
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI", start + len(body), 0x02400000) + kind + space + connection
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + xyz(*D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _description() -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)

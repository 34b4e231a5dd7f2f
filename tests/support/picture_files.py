"""Picture files of 16 bits from their definitions."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def png16(path: Path, array: NDArray[np.uint16], *, transparent: bytes = b"") -> None:
    """A 16-bit PNG from its definition, each row with the filter "None"."""
    height, width, channels = array.shape
    rows = array.astype(">u2").view(np.uint8).reshape(height, -1)
    data = zlib.compress(np.insert(rows, 0, 0, axis=1).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 0, 4, 2, 6)[channels], 0, 0, 0)
    with path.open("wb") as stream:
        stream.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in (
            (b"IHDR", header),
            (b"tRNS", transparent),
            (b"IDAT", data),
            (b"IEND", b""),
        ):
            if content or kind == b"IEND":
                stream.write(struct.pack(">I", len(content)) + kind + content)
                stream.write(struct.pack(">I", zlib.crc32(kind + content)))


def tiff16(
    path: Path,
    array: NDArray[np.uint16],
    order: str,
    *,
    white_is_zero: bool = False,
    planar: int = 1,
) -> None:
    """An uncompressed 16-bit TIFF from its definition (TIFF 6.0)."""
    height, width, channels = array.shape
    entries = 10 + (channels == 4)
    bits_at = 8 + 2 + 12 * entries + 4
    data_at = bits_at + 8

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        packed = struct.pack(order + ("HH" if kind == 3 else "I"), value, *([0] * (kind == 3)))
        return struct.pack(order + "HHI", tag, kind, count) + packed

    directory = [
        entry(256, 4, 1, width),
        entry(257, 4, 1, height),
        entry(258, 3, 1, 16) if channels == 1 else entry(258, 4, channels, bits_at),
        entry(259, 3, 1, 1),
        entry(262, 3, 1, (0 if white_is_zero else 1) if channels == 1 else 2),
        entry(273, 4, 1, data_at),
        entry(277, 3, 1, channels),
        entry(278, 4, 1, height),
        entry(279, 4, 1, array.nbytes),
        entry(284, 3, 1, planar),
    ]
    if channels > 1:  # BitsPerSample is SHORT
        directory[2] = directory[2][:2] + struct.pack(order + "H", 3) + directory[2][4:]
    if channels == 4:
        directory.append(entry(338, 3, 1, 2))
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    body = struct.pack(order + "H", entries) + b"".join(directory) + bytes(4)
    bits = struct.pack(order + "4H", 16, 16, 16, 16)
    path.write_bytes(head + body + bits + array.astype(order + "u2").tobytes())

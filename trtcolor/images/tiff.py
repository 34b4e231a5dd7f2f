"""TIFF files written: 8 and 16 bits, grey and RGB with or without alpha, a page after another.

Strips of about 1 MiB, deflate with horizontal differences (TIFF 6.0, section 14) or uncompressed.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trtcolor.images.directory import (
    ORIENTATION,
    Directory,
    Entry,
    Order,
    directory_bytes,
    directory_from_block,
)
from trtcolor.images.encode import Content
from trtcolor.images.metadata import IPTC_TAG, PHOTOSHOP_TAG, STRUCTURE, XMP_TAG
from trtcolor.images.picture import Metadata

_SHORT, _LONG, _RATIONAL = 3, 4, 5
_UNDEFINED, _BYTE = 7, 1
_ICC_TAG = 34675
_STRIP_BYTES = 1 << 20
_LIMIT = (1 << 32) - (1 << 20)
_DEFLATE_LEVEL = 4


class TiffWriter:
    """Pages are appended to a stream; nothing before is touched but the link to the new page."""

    def __init__(self, stream: BinaryIO, order: Order = "<") -> None:
        """Args: order: "<" or ">", the bytes' in all pages; see `order_of`."""
        self.stream = stream
        self.order = order
        self.link_at = 4
        self.end = 8
        stream.write((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))

    def add(self, content: Content, *, compressed: bool) -> None:
        """Append a page.

        Args:
            content: pixels of uint8 or uint16, with or without alpha; metadata, of which an EXIF
                block of another byte order than the file's is left out.
            compressed: by deflate.

        Raises:
            ValueError: the file would be larger than 4 GiB, which TIFF cannot hold.
        """
        pixels = content.pixels
        rows = min(len(pixels), max(1, _STRIP_BYTES // pixels[0].nbytes))
        offsets, sizes = [], []
        for top in range(0, len(pixels), rows):
            strip = self._strip(pixels[top : top + rows], compressed)
            if self.end + len(strip) > _LIMIT:
                raise ValueError("a TIFF holds 4 GiB at most; choose PNG")
            offsets.append(self.end)
            sizes.append(len(strip))
            self._append(strip)
        directory = self._directory(pixels, content.icc, content.metadata)
        directory.set_numbers(259, _SHORT, 8 if compressed else 1)
        directory.set_numbers(273, _LONG, *offsets)
        directory.set_numbers(278, _LONG, rows)
        directory.set_numbers(279, _LONG, *sizes)
        if compressed:
            directory.set_numbers(317, _SHORT, 2)
        at = self.end
        table = directory_bytes(directory, at)
        link_at = at + 2 + 12 * (len(directory.entries) + len(directory.children))
        self._append(table)
        self.stream.seek(self.link_at)
        self.stream.write(struct.pack(self.order + "I", at))
        self.stream.seek(self.end)
        self.link_at = link_at

    def _append(self, data: bytes) -> None:
        self.stream.write(data)
        self.stream.write(bytes(len(data) & 1))
        self.end += len(data) + (len(data) & 1)

    def _strip(self, pixels: NDArray[Any], compressed: bool) -> bytes:
        samples = pixels.astype(pixels.dtype.newbyteorder("="), copy=compressed)
        if compressed:
            samples[:, 1:] -= pixels[:, :-1]
        data = np.ascontiguousarray(samples, dtype=pixels.dtype.newbyteorder(self.order)).tobytes()
        return zlib.compress(data, _DEFLATE_LEVEL) if compressed else data

    def _directory(self, pixels: NDArray[Any], icc: bytes, metadata: Metadata) -> Directory:
        directory = Directory(self.order)
        if metadata.exif and order_of(metadata) == self.order:
            directory = directory_from_block(metadata.exif)
            for tag in STRUCTURE & directory.entries.keys():
                del directory.entries[tag]
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        directory.set_numbers(256, _LONG, pixels.shape[1])
        directory.set_numbers(257, _LONG, pixels.shape[0])
        directory.set_numbers(258, _SHORT, *[8 * pixels.dtype.itemsize] * channels)
        directory.set_numbers(262, _SHORT, 2 if channels > 2 else 1)
        directory.set_numbers(ORIENTATION, _SHORT, 1)
        directory.set_numbers(277, _SHORT, channels)
        directory.set_numbers(284, _SHORT, 1)
        if channels in (2, 4):
            directory.set_numbers(338, _SHORT, 2)  # alpha that is not multiplied in
        if metadata.dpi:
            for tag, dots in zip((282, 283), metadata.dpi, strict=True):
                ratio = struct.pack(self.order + "II", round(dots * 1000), 1000)
                directory.entries[tag] = Entry(_RATIONAL, ratio)
            directory.set_numbers(296, _SHORT, 2)
        for tag, kind, data in (
            (XMP_TAG, _BYTE, metadata.xmp),
            (IPTC_TAG, _UNDEFINED, metadata.iptc),
            (PHOTOSHOP_TAG, _BYTE, metadata.photoshop),
            (_ICC_TAG, _UNDEFINED, icc),
        ):
            if data:
                directory.entries[tag] = Entry(kind, data)
        return directory


def order_of(metadata: Metadata) -> Order:
    """The byte order that keeps the EXIF block as it is."""
    return ">" if metadata.exif.startswith(b"MM") else "<"

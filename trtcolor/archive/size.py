"""How much memory a picture takes on its way, from its header alone."""

from __future__ import annotations

from pathlib import Path

from trtcolor.images import picture_size

A_PIXEL = 40
"""Bytes of a pixel on its way, at most: 7 of a grey PNG, 9 of a JPEG, 15 of an RGB TIFF of 16 bits,
16 of a WebP and 38 of a CMYK JPEG were measured, at 20 million pixels."""


def bytes_needed(path: Path, max_pixels: int) -> int:
    """Bytes that reading, colouring and writing a picture take at most, the network apart.

    Of a file with several pages, those of the largest one. A file that will be refused takes none.
    """
    pixels = picture_size(path)
    return 0 if pixels is None or pixels > max_pixels else A_PIXEL * pixels

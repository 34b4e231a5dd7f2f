"""How much memory a picture takes on its way, from its header alone."""

from __future__ import annotations

from pathlib import Path

from trtcolor.images import picture_size

A_PIXEL = 32
"""Bytes of a picture of 8 bits a sample on its way, at most (see `bytes_needed`)."""


def bytes_needed(path: Path, max_pixels: int) -> int:
    """Bytes that reading, colouring and writing a picture take at most, the network apart.

    Those of its largest page, of 16 bits; a file whose header cannot be read will be refused
    before it takes any.
    """
    pixels = picture_size(path)
    return 0 if pixels is None or pixels > max_pixels else A_PIXEL * pixels

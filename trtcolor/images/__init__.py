"""Picture files: read into an array, written whole or not at all, faithful copies of what came.

`read_picture` gives sRGB-coded pixels, upright, whatever colour space the file has, and with them
all that a copy takes over; `write_picture` writes such a copy. Formats are `READ_FORMATS` and
`WRITE_FORMATS`; AVIF comes with Pillow from 11.3, HEIF and rare TIFFs with the extra ``pictures``.
"""

from __future__ import annotations

from trtcolor.images.picture import (
    MAX_PIXELS,
    READ_FORMATS,
    WRITE_FORMATS,
    Metadata,
    Origin,
    Picture,
)
from trtcolor.images.reading import picture_size, read_pages, read_picture
from trtcolor.images.writing import check_output, write_pages, write_picture

__all__ = [
    "MAX_PIXELS",
    "READ_FORMATS",
    "WRITE_FORMATS",
    "Metadata",
    "Origin",
    "Picture",
    "check_output",
    "picture_size",
    "read_pages",
    "read_picture",
    "write_pages",
    "write_picture",
]

"""Metadata made true of pixels that were turned upright and converted to sRGB."""

from __future__ import annotations

import io
import re
import struct

from PIL import Image

from trtcolor.images.directory import (
    EXIF,
    INTEROPERABILITY,
    ORIENTATION,
    Directory,
    Entry,
    directory_from_block,
    read_directory,
)

__all__ = ["adobe_rgb", "exif_made_true", "without_orientation", "xmp_made_true"]

_COLOR_SPACE, _SRGB = 0xA001, 1
_WIDTH, _HEIGHT = 0xA002, 0xA003
_THUMBNAIL_AT, _THUMBNAIL_LENGTH = 0x0201, 0x0202


def adobe_rgb(exif: bytes) -> bool:
    """Whether the block says that its pixels are Adobe RGB (1998) (DCF 2.0's "R03")."""
    try:
        details = directory_from_block(exif).children.get(EXIF)
    except ValueError:
        return False
    if details is None:
        return False
    shared = details.children.get(INTEROPERABILITY)
    index = shared.entries.get(1) if shared else None
    named = index is not None and index.data.startswith(b"R03")
    space = details.number(_COLOR_SPACE)
    return space == 2 or (named and space != _SRGB)


def exif_made_true(exif: bytes, *, turned: bool) -> bytes:
    """The block with orientation 1, the colour space sRGB and no thumbnail.

    Bytes are changed where they are, so that whatever a maker's note points to stays in its place.
    A block in which that cannot be done is left out: a viewer would turn the copy once more.

    Args:
        exif: the block.
        turned: whether width and height were exchanged.
    """
    try:
        first = directory_from_block(exif)
    except ValueError:
        return b""
    block = bytearray(exif)
    _overwrite(block, first, ORIENTATION, 1)
    details = first.children.get(EXIF)
    if details is not None:
        _overwrite(block, details, _COLOR_SPACE, _SRGB)
        width, height = details.number(_WIDTH), details.number(_HEIGHT)
        if turned and width is not None and height is not None:
            _overwrite(block, details, _WIDTH, height)
            _overwrite(block, details, _HEIGHT, width)
        shared = details.children.get(INTEROPERABILITY)
        if shared is not None and shared.entries.get(1, Entry(2, b"")).data.startswith(b"R03"):
            at = shared.entries[1].at
            block[at : at + 3] = b"R98"
    _cut_thumbnail(block, first)
    return bytes(block) if _says_upright(bytes(block)) else b""


def _says_upright(exif: bytes) -> bool:
    """Whether Pillow, which is more patient with broken blocks, finds no other orientation."""
    found = Image.Exif()
    try:
        found.load(exif)
        return bool(found.get(ORIENTATION, 1) == 1)
    except Exception:  # it may raise nearly anything
        return False


def without_orientation(exif: bytes) -> bytes:
    """The block with that tag taken out of its directory and everything else in its place."""
    try:
        first = directory_from_block(exif)
    except ValueError:
        return exif
    entry = first.entries.get(ORIENTATION)
    if entry is None or not first.table_at < entry.at < first.link_at:
        return exif
    block = bytearray(exif)
    start, end = entry.at - 8, first.link_at + 4  # 12 bytes of which the value is the last 4
    block[start:end] = block[start + 12 : end] + bytes(12)
    at = first.table_at - 2
    (count,) = struct.unpack_from(first.order + "H", block, at)
    struct.pack_into(first.order + "H", block, at, count - 1)
    return bytes(block)


def _overwrite(block: bytearray, directory: Directory, tag: int, value: int) -> None:
    entry = directory.entries.get(tag)
    code = {1: "B", 3: "H", 4: "I"}.get(entry.kind) if entry else None
    if entry is not None and code is not None and value < 1 << 8 * struct.calcsize("=" + code):
        struct.pack_into(directory.order + code, block, entry.at, value)


def _cut_thumbnail(block: bytearray, first: Directory) -> None:
    """Unlink the second directory and blank its picture; at the block's end, drop the bytes."""
    if not first.next:
        return
    try:
        second = read_directory(io.BytesIO(bytes(block)), 1)
    except ValueError:
        second = None
    struct.pack_into(first.order + "I", block, first.link_at, 0)
    start = second.number(_THUMBNAIL_AT) if second else None
    length = second.number(_THUMBNAIL_LENGTH) if second else None
    if not start or not length or start + length > len(block):
        return
    if bytes(block[start : start + 2]) != b"\xff\xd8":
        return  # no JPEG: perhaps not what the tag says
    if start + length >= len(block) - 1:
        del block[start:]
    else:
        block[start : start + length] = bytes(length)


_XMP_THUMBNAILS = re.compile(rb"<xmp:Thumbnails>.*?</xmp:Thumbnails>\s*", re.DOTALL)


def xmp_made_true(xmp: bytes, *, turned: bool) -> bytes:
    """The packet with orientation 1, the colour space sRGB and no thumbnail.

    Args:
        xmp: UTF-8, as nearly all are; another is given back as it is.
        turned: whether width and height were exchanged.
    """
    xmp = _XMP_THUMBNAILS.sub(b"", xmp)
    xmp = _with_value(xmp, b"tiff:Orientation", b"1")
    xmp = _with_value(xmp, b"exif:ColorSpace", b"1")
    if _value(xmp, b"photoshop:ICCProfile") is not None:
        xmp = _with_value(xmp, b"photoshop:ICCProfile", b"sRGB IEC61966-2.1")
    pairs = (
        (b"exif:PixelXDimension", b"exif:PixelYDimension"),
        (b"tiff:ImageWidth", b"tiff:ImageLength"),
    )
    for across, down in pairs if turned else ():
        width, height = _value(xmp, across), _value(xmp, down)
        if width is not None and height is not None:
            xmp = _with_value(xmp, across, height)
            xmp = _with_value(xmp, down, width)
    return xmp


def _pattern(name: bytes) -> re.Pattern[bytes]:
    """A property as an attribute or as an element."""
    return re.compile(
        rb"(\b%s\s*=\s*[\"']|<%s>)([^\"'<]{0,200})" % (re.escape(name), re.escape(name))
    )


def _value(xmp: bytes, name: bytes) -> bytes | None:
    found = _pattern(name).search(xmp)
    return found[2] if found else None


def _with_value(xmp: bytes, name: bytes, new: bytes) -> bytes:
    return _pattern(name).sub(lambda found: found[1] + new, xmp)

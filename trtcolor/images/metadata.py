"""What a file says beside its pixels, gathered from its container."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from trtcolor.images.directory import Directory, block_from_directory, read_directory
from trtcolor.images.picture import Metadata
from trtcolor.images.upright import exif_made_true, xmp_made_true

XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP_SEGMENT = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP_SEGMENT = b"Photoshop 3.0\0"
EXIF_SEGMENT = b"Exif\0\0"
XMP_KEYWORD = b"XML:com.adobe.xmp"
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG = 700, 33723, 34377
IPTC_RESOURCE = 0x0404

# How samples lie in the file, and what another colour space means: no longer true of a copy.
# TIFF 6.0; 700 and on: XMP, IPTC, Photoshop's resources and layers, ICC, which go other ways.
STRUCTURE = {
    *(255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288),
    *(289, 290, 291, 292, 293, 300, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327),
    *(328, 330, 332, 333, 334, 336, 338, 339, 340, 341, 342, 343, 344, 345, 347, 512, 513, 514),
    *(515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 34675, 37724),
    *(XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG),
}
# Two kinds of thumbnail and the ICC profile.
_STALE_RESOURCES = {0x0409, 0x040C, 0x040F}
_MAX_TEXT = 1 << 24


def metadata_of(kind: str, stream: BinaryIO, info: dict[Any, Any], page: int) -> Metadata:
    """Gather what a file says, as it says it.

    Args:
        kind: Pillow's name of the format.
        stream: the file, which its decoder has accepted.
        info: Pillow's, of the opened picture.
        page: of a TIFF.
    """
    try:
        if kind == "JPEG":
            return _from_jpeg(stream, info)
        if kind == "PNG":
            return _from_png(stream, info)
        if kind == "TIFF":
            return _from_tiff(read_directory(stream, page))
    except (ValueError, struct.error, zlib.error):
        return Metadata()
    comment = info.get("comment")
    return Metadata(
        exif=_without_prefix(info.get("exif")),
        xmp=_bytes(info.get("xmp")),
        comments=(comment,) if isinstance(comment, bytes) and comment else (),
        dpi=_dpi(info),
    )


def made_true(metadata: Metadata, *, turned: bool) -> Metadata:
    """As it may stand beside pixels that are upright, coloured and sRGB.

    Args:
        metadata: as the file says it.
        turned: whether width and height were exchanged.
    """
    dpi = metadata.dpi
    return replace(
        metadata,
        exif=exif_made_true(metadata.exif, turned=turned) if metadata.exif else b"",
        xmp=xmp_made_true(metadata.xmp, turned=turned),
        photoshop=b"".join(
            whole
            for code, whole, _ in resources(metadata.photoshop)
            if code not in _STALE_RESOURCES
        ),
        dpi=(dpi[1], dpi[0]) if dpi and turned else dpi,
    )


def resources(photoshop: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Photoshop's image resource blocks: their number, the whole block, its data."""
    at = 0
    while photoshop[at : at + 4] == b"8BIM" and at + 12 <= len(photoshop):
        (code,) = struct.unpack_from(">H", photoshop, at + 4)
        name = 1 + photoshop[at + 6]
        start = at + 6 + name + (name & 1) + 4
        if start > len(photoshop):
            return
        (size,) = struct.unpack_from(">I", photoshop, start - 4)
        end = start + size
        if end > len(photoshop):
            return
        yield code, photoshop[at:end] + bytes(size & 1), photoshop[start:end]
        at = end + (size & 1)


# ---- JPEG --------------------------------------------------------------------------------------


def _from_jpeg(stream: BinaryIO, info: dict[Any, Any]) -> Metadata:
    exif, xmp, photoshop = b"", b"", b""
    extended: list[bytes] = []
    comments: list[bytes] = []
    for marker, content in _segments(stream):
        if marker == 0xE1 and content.startswith(EXIF_SEGMENT):
            exif += content[len(EXIF_SEGMENT) :]
        elif marker == 0xE1 and content.startswith(XMP_SEGMENT):
            xmp = content[len(XMP_SEGMENT) :]
        elif marker == 0xE1 and content.startswith(EXTENDED_XMP_SEGMENT):
            extended.append(content)
        elif marker == 0xED and content.startswith(PHOTOSHOP_SEGMENT):
            photoshop += content[len(PHOTOSHOP_SEGMENT) :]
        elif marker == 0xFE:
            comments.append(content)
    dpi = None
    if info.get("jfif_unit") in (1, 2):
        across, down = info["jfif_density"]
        scale = 2.54 if info["jfif_unit"] == 2 else 1.0
        dpi = (across * scale, down * scale) if across and down else None
    return Metadata(exif, xmp, tuple(extended), b"", photoshop, tuple(comments), (), dpi)


def _segments(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The segments of a JPEG before its first scan: (second byte of the marker, content)."""
    stream.seek(2)
    while True:
        head = stream.read(2)
        while head[1:] == b"\xff":  # fill bytes
            head = head[1:] + stream.read(1)
        if len(head) < 2 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return
        if head[1] == 0x01 or 0xD0 <= head[1] <= 0xD8:
            continue
        size = stream.read(2)
        if len(size) < 2:
            return
        content = stream.read(max(0, int.from_bytes(size, "big") - 2))
        yield head[1], content


# ---- PNG ---------------------------------------------------------------------------------------


def _from_png(stream: BinaryIO, info: dict[Any, Any]) -> Metadata:
    text: list[tuple[bytes, bytes]] = []
    found: dict[bytes, bytes] = {}
    for kind, content in _chunks(stream):
        keyword, _, rest = content.partition(b"\0")
        if kind == b"eXIf":
            found[b"exif"] = _without_prefix(content)
        elif kind == b"iTXt" and keyword == XMP_KEYWORD:
            found[b"xmp"] = _international(rest)
        elif kind in (b"tEXt", b"zTXt") and keyword.startswith(b"Raw profile type "):
            name = keyword.rsplit(b" ", 1)[1].lower()
            found.setdefault(name, _raw_profile(_inflated(rest[1:]) if kind == b"zTXt" else rest))
        else:
            text.append((kind, content))
    exif = found.get(b"exif") or found.get(b"app1", b"")
    photoshop = found.get(b"8bim") or found.get(b"iptc", b"")
    iptc = b"" if photoshop.startswith(b"8BIM") else photoshop
    return Metadata(
        exif=b"" if exif.startswith(b"http") else _without_prefix(exif),
        xmp=found.get(b"xmp", b""),
        iptc=iptc,
        photoshop=b"" if iptc else photoshop,
        text=tuple(text),
        dpi=_dpi(info),
    )


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Chunks of text, time and EXIF, before and behind the pixels."""
    at = 8
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size = int.from_bytes(head[:4], "big")
        if head[4:] in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"):
            content = stream.read(size)
            if len(content) == size:
                yield head[4:], content
        at += 12 + size


def _international(rest: bytes) -> bytes:
    """The text of an iTXt chunk: flag, method, language, translated keyword, text."""
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        return b""
    return _inflated(parts[2]) if rest[:1] == b"\1" else parts[2]


def _raw_profile(text: bytes) -> bytes:
    """ImageMagick's way: a name, a length and hexadecimal digits, each on lines of their own."""
    found = re.fullmatch(rb"\n?[^\n]*\n\s*(\d+)\s+([0-9a-fA-F\s]*)", text)
    if not found:
        return b""
    digits = b"".join(found[2].split())
    return bytes.fromhex(digits[: len(digits) & ~1].decode())


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj()
    text = inflate.decompress(data, _MAX_TEXT)
    if inflate.unconsumed_tail:
        raise ValueError("a text of more than 16 MiB")
    return text


# ---- TIFF and the rest -------------------------------------------------------------------------


def _from_tiff(directory: Directory) -> Metadata:
    def value(tag: int) -> bytes:
        entry = directory.entries.get(tag)
        return entry.data if entry else b""

    rest = Directory(
        directory.order,
        {tag: entry for tag, entry in directory.entries.items() if tag not in STRUCTURE},
        directory.children,
    )
    block = block_from_directory(rest) if rest.entries or rest.children else b""
    return Metadata(
        exif=block,
        xmp=value(XMP_TAG),
        iptc=value(IPTC_TAG),
        photoshop=value(PHOTOSHOP_TAG),
    )


def _without_prefix(exif: Any) -> bytes:
    return _bytes(exif).removeprefix(EXIF_SEGMENT)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) else b""


def _dpi(info: dict[Any, Any]) -> tuple[float, float] | None:
    try:
        across, down = (float(number) for number in info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 1e6 and 0 < down < 1e6 else None

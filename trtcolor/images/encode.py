"""Pixels and metadata into one file's bytes, a function a format."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trtcolor.images import sixteen
from trtcolor.images.metadata import (
    EXIF_SEGMENT,
    IPTC_RESOURCE,
    PHOTOSHOP_SEGMENT,
    XMP_KEYWORD,
    XMP_SEGMENT,
    resources,
)
from trtcolor.images.picture import Metadata
from trtcolor.images.upright import without_orientation

PNG_LEVEL = 4
"""Of zlib's 9: half of the time of its default, 6, for photographs 0 to 4 % larger."""

_SEGMENT_BYTES = 65_533


@dataclass(frozen=True)
class Content:
    """What a file is to hold.

    Attributes:
        pixels: uint8 (H, W), (H, W, 3) or (H, W, 4); uint16 too for PNG and PNM.
        icc: a profile, or nothing.
        quality: 1..100, of what loses something.
        lossless: of a WebP, to lose nothing.
    """

    pixels: NDArray[Any]
    metadata: Metadata
    icc: bytes
    quality: int
    lossless: bool = False


def encode(stream: BinaryIO, kind: str, content: Content) -> tuple[str, ...]:
    """Write a file of any format but TIFF.

    Args:
        stream: to write to.
        kind: Pillow's name of the format.
        content: what it holds.

    Returns:
        What of the metadata the format has no place for, a few words each.
    """
    if kind == "JPEG":
        return _encode_jpeg(stream, content)
    if kind == "PNG":
        return _encode_png(stream, content)
    if kind == "PPM" and content.pixels.dtype == np.uint16:
        sixteen.encode_pnm(stream, content.pixels)
        return _left_out(content.metadata, ())
    if kind in ("WEBP", "AVIF", "HEIF"):
        return _encode_boxes(stream, kind, content)
    dpi = content.metadata.dpi if kind == "BMP" else None
    Image.fromarray(content.pixels).save(stream, kind, **({"dpi": dpi} if dpi else {}))
    return _left_out(content.metadata, ("dpi",) if kind == "BMP" else ())


def _encode_boxes(stream: BinaryIO, kind: str, content: Content) -> tuple[str, ...]:
    """WebP, AVIF and HEIF: containers with a place each for EXIF, XMP and a profile."""
    metadata = content.metadata
    # Pillow's AVIF turns an orientation into a box of its own and codes the rest of the block anew
    exif = without_orientation(metadata.exif) if kind == "AVIF" else metadata.exif
    options = {"exif": exif, "xmp": metadata.xmp, "icc_profile": content.icc}
    how: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": content.lossless},
        "AVIF": {"subsampling": "4:4:4"},
        "HEIF": {"chroma": 444},
    }
    Image.fromarray(content.pixels).save(
        stream,
        kind,
        quality=content.quality,
        **{name: data for name, data in options.items() if data},
        **how[kind],
    )
    return _left_out(metadata, ("exif", "xmp"))


def _left_out(metadata: Metadata, kept: tuple[str, ...]) -> tuple[str, ...]:
    names = {
        "exif": "EXIF",
        "xmp": "XMP",
        "extended_xmp": "extended XMP",
        "iptc": "IPTC",
        "photoshop": "IPTC and Photoshop's resources",
        "comments": "comments",
        "text": "text chunks",
        "dpi": "the resolution",
    }
    return tuple(
        words for name, words in names.items() if name not in kept and getattr(metadata, name)
    )


# ---- JPEG --------------------------------------------------------------------------------------


def _encode_jpeg(stream: BinaryIO, content: Content) -> tuple[str, ...]:
    metadata, pixels = content.metadata, content.pixels
    options: dict[str, Any] = {"quality": content.quality, "subsampling": 0}
    if content.icc:
        options["icc_profile"] = content.icc
    if metadata.dpi:
        options["dpi"] = tuple(round(dots) for dots in metadata.dpi)
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, :3] if pixels.ndim == 3 else pixels).save(
        buffer, "JPEG", **options
    )
    encoded = buffer.getvalue()
    start = 4 + int.from_bytes(encoded[4:6], "big")  # behind the JFIF segment
    stream.write(encoded[:start])
    kept = ["dpi", "text"]
    photoshop = _with_iptc(metadata)
    whole = [
        ("exif", 0xE1, EXIF_SEGMENT + metadata.exif if metadata.exif else b""),
        ("xmp", 0xE1, XMP_SEGMENT + metadata.xmp if metadata.xmp else b""),
    ]
    for name, marker, data in whole:
        if len(data) <= _SEGMENT_BYTES:
            kept.append(name)
            _segment(stream, marker, data)
    for data in metadata.extended_xmp:
        _segment(stream, 0xE1, data)
    step = _SEGMENT_BYTES - len(PHOTOSHOP_SEGMENT)
    for at in range(0, len(photoshop), step):
        _segment(stream, 0xED, PHOTOSHOP_SEGMENT + photoshop[at : at + step])
    for comment in (*metadata.comments, *_comments_of(metadata)):
        _segment(stream, 0xFE, comment[:_SEGMENT_BYTES])
    stream.write(encoded[start:])
    kept += ["extended_xmp", "iptc", "photoshop", "comments"]
    return _left_out(metadata, tuple(kept))


def _segment(stream: BinaryIO, marker: int, data: bytes) -> None:
    if data:
        stream.write(bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data)


def _with_iptc(metadata: Metadata) -> bytes:
    """Photoshop's resources with the IPTC records that lay elsewhere, unless it has some."""
    found = {code for code, _, _ in resources(metadata.photoshop)}
    if not metadata.iptc or IPTC_RESOURCE in found:
        return metadata.photoshop
    return metadata.photoshop + _resource(IPTC_RESOURCE, metadata.iptc)


def _resource(code: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", code, 0, len(data)) + data + bytes(len(data) & 1)


def _comments_of(metadata: Metadata) -> list[bytes]:
    """PNG's text that is neither compressed nor international, as "keyword: text"."""
    pairs = [data.partition(b"\0") for kind, data in metadata.text if kind == b"tEXt"]
    return [text if key == b"Comment" else key + b": " + text for key, _, text in pairs]


# ---- PNG ---------------------------------------------------------------------------------------


def _encode_png(stream: BinaryIO, content: Content) -> tuple[str, ...]:
    buffer = io.BytesIO()
    if content.pixels.dtype == np.uint16:
        sixteen.encode_png(buffer, content.pixels)
    else:
        Image.fromarray(content.pixels).save(buffer, "PNG", compress_level=PNG_LEVEL)
    encoded = buffer.getbuffer()
    stream.write(encoded[:33])  # the signature and IHDR
    metadata = content.metadata
    if content.icc:
        _chunk(stream, b"iCCP", b"sRGB\0\0" + zlib.compress(content.icc))
    if metadata.dpi:
        across, down = (round(dots / 0.0254) for dots in metadata.dpi)
        _chunk(stream, b"pHYs", struct.pack(">IIB", across, down, 1))
    if metadata.exif:
        _chunk(stream, b"eXIf", metadata.exif)
    if metadata.xmp:
        _chunk(stream, b"iTXt", XMP_KEYWORD + b"\0\0\0\0\0" + metadata.xmp)
    iptc = metadata.iptc or next(
        (data for code, _, data in resources(metadata.photoshop) if code == IPTC_RESOURCE), b""
    )
    if iptc:
        _chunk(stream, b"zTXt", _raw_profile(b"iptc", _resource(IPTC_RESOURCE, iptc)))
    for kind, data in metadata.text:
        _chunk(stream, kind, data)
    for comment in metadata.comments:
        _chunk(stream, b"tEXt", b"Comment\0" + comment.replace(b"\0", b" "))
    stream.write(encoded[33:])
    others = any(code != IPTC_RESOURCE for code, _, _ in resources(metadata.photoshop))
    kept = ["dpi", "exif", "xmp", "iptc", "text", "comments"]
    return _left_out(metadata, (*kept, *([] if others else ["photoshop"])))


def _raw_profile(name: bytes, data: bytes) -> bytes:
    """A chunk as ImageMagick and exiftool write and read it."""
    digits = data.hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = b"\n%s\n%8d\n%s\n" % (name, len(data), lines)
    return b"Raw profile type " + name + b"\0\0" + zlib.compress(text)


def _chunk(stream: BinaryIO, kind: bytes, data: bytes) -> None:
    stream.write(struct.pack(">I", len(data)) + kind + data)
    stream.write(struct.pack(">I", zlib.crc32(kind + data)))

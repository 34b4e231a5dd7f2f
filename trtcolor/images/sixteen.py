"""Pictures of 16 bits a sample, which Pillow reads in colour as 8 bits and writes only in grey."""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

# TIFF 6.0, section 8
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_PLANAR_CONFIGURATION, _SEPARATE = 284, 2

_LEVEL = 4  # of zlib, as trtcolor.images.encode.PNG_LEVEL


def is_grey(image: ImageFile.ImageFile) -> bool:
    """Whether a picture that was opened, not yet decoded, is 16-bit grey."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def is_colour(image: ImageFile.ImageFile) -> bool:
    """Whether it is 16-bit colour, or grey and alpha, which Pillow would cut to 8 bits."""
    if image.format == "PPM" and image.mode == "RGB":
        options = image.tile[0].args  # the raw mode, or that and the largest sample
        return isinstance(options, tuple) and bool(options[1] > 255)
    return image.mode in ("RGB", "RGBA", "CMYK") and ";16" in _raw_mode(image)


def bits(image: ImageFile.ImageFile) -> int:
    """A sample in the file; before decoding only."""
    if image.mode == "1":
        return 1
    if _raw_mode(image) == "I;12":
        return 12
    return 16 if is_grey(image) or is_colour(image) else 8


def decode_grey(image: ImageFile.ImageFile) -> NDArray[np.uint16]:
    """(H, W) grey, or (H, W, 2) grey and alpha."""
    twelve = bits(image) == 12
    pixels = np.asarray(image).astype(np.uint16)
    if twelve:
        pixels = ((pixels.astype(np.uint32) * 65535 + 2047) // 4095).astype(np.uint16)
    if _tiff_tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO:  # turned by Pillow up to 8 bits only
        pixels = 65535 - pixels
    return _with_transparency(pixels, image)


def decode_colour(image: ImageFile.ImageFile, again: ImageFile.ImageFile) -> NDArray[np.uint16]:
    """All 16 bits of a colour picture, of which Pillow unpacks the high bytes only.

    It finds those by the byte order in its raw mode: decoded a second time as if in the other
    order, the same file gives the low bytes.

    Args:
        image: opened, not yet decoded.
        again: the same file opened once more.

    Returns:
        (H, W, 3) RGB, (H, W, 4) RGBA or CMYK, or (H, W, 2) grey and alpha.

    Raises:
        NotImplementedError: a kind of sample for which this does not hold.
    """
    found = _raw_mode(image)
    if found == "LA;16B":  # as long as four bytes, and so decoded
        _set_raw_mode(image, "RGBA")
        return np.ascontiguousarray(image).view(">u2").astype(np.uint16)
    if image.format == "PPM":
        return _decode_ppm(image)
    kind, order = found.split(";16")
    if kind not in ("RGB", "RGBA", "RGBX", "CMYK"):
        raise NotImplementedError(f"16-bit samples of Pillow's raw mode {found!r}")
    big_endian = order == "B" or (order == "N" and sys.byteorder == "big")
    _set_raw_mode(again, f"{kind};16{'L' if big_endian else 'B'}")
    pixels = np.asarray(image).astype(np.uint16)
    pixels <<= 8
    pixels |= np.asarray(again)
    return _with_transparency(pixels, image)


def _decode_ppm(image: ImageFile.ImageFile) -> NDArray[np.uint16]:
    tile = image.tile[0]
    if tile.codec_name != "ppm" or image.fp is None or not isinstance(tile.args, tuple):
        raise NotImplementedError("16-bit colour in a PNM of text")
    image.fp.seek(tile.offset)
    shape = (image.height, image.width, 3)
    data = image.fp.read(2 * image.height * image.width * 3)
    samples = np.frombuffer(data, ">u2").reshape(shape).astype(np.uint32)
    largest = int(tile.args[1])
    scaled = (samples * np.uint32(65535) + np.uint32(largest // 2)) // np.uint32(largest)
    pixels: NDArray[np.uint16] = np.minimum(scaled, 65535).astype(np.uint16)
    return pixels


def in_separate_planes(image: ImageFile.ImageFile) -> bool:
    """Whether it is a TIFF of 16-bit planes, which Pillow decodes to noise."""
    depths = _tiff_tag(image, _BITS_PER_SAMPLE) or ()
    separate = _tiff_tag(image, _PLANAR_CONFIGURATION) == _SEPARATE
    return bool(separate and len(depths) > 1 and max(depths) > 8)


def encode_png(stream: BinaryIO, pixels: NDArray[np.uint16]) -> None:
    """Write a PNG: filter "Sub", one IDAT chunk for 256 rows (PNG specification, sections 5, 9).

    Args:
        stream: to write to.
        pixels: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA.
    """

    def chunk(kind: bytes, data: bytes) -> None:
        stream.write(struct.pack(">I", len(data)) + kind + data)
        stream.write(struct.pack(">I", zlib.crc32(kind + data)))

    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    pixel_bytes = 2 * channels
    colour_type = {1: 0, 3: 2, 4: 6}[channels]
    stream.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    deflate = zlib.compressobj(_LEVEL)
    for start in range(0, height, 256):
        samples = np.ascontiguousarray(pixels[start : start + 256], dtype=">u2")
        rows = samples.view(np.uint8).reshape(len(samples), width * pixel_bytes)
        filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        filtered[:, 0] = 1
        filtered[:, 1:] = rows
        filtered[:, 1 + pixel_bytes :] -= rows[:, :-pixel_bytes]
        chunk(b"IDAT", deflate.compress(filtered.tobytes()))
    chunk(b"IDAT", deflate.flush())
    chunk(b"IEND", b"")


def encode_pnm(stream: BinaryIO, pixels: NDArray[np.uint16]) -> None:
    """Write a binary PNM, (H, W) grey or (H, W, 3) RGB (netpbm's pgm and ppm, version 5)."""
    height, width = pixels.shape[:2]
    stream.write(b"P%d\n%d %d\n65535\n" % (5 if pixels.ndim == 2 else 6, width, height))
    stream.write(np.ascontiguousarray(pixels, dtype=">u2").data)


def _with_transparency(pixels: NDArray[np.uint16], image: Image.Image) -> NDArray[np.uint16]:
    """Add alpha to grey or RGB of which one value is named transparent (the tRNS chunk of PNG)."""
    transparent = image.info.get("transparency")
    if transparent is None or (pixels.ndim == 3 and pixels.shape[2] == 4):
        return pixels
    planes = pixels.reshape(*pixels.shape[:2], -1)
    opaque = (planes != np.asarray(transparent)).any(axis=2, keepdims=True)
    return np.concatenate((planes, opaque * np.uint16(65535)), axis=2)


def _tiff_tag(image: ImageFile.ImageFile, tag: int) -> Any:
    return image.tag_v2.get(tag) if isinstance(image, TiffImagePlugin.TiffImageFile) else None


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How samples lie in the file in Pillow's words, e.g. ``RGB;16B``; before decoding only."""
    options = image.tile[0].args if image.tile else None
    mode = options[0] if isinstance(options, tuple) and options else options
    return mode if isinstance(mode, str) else ""


def _set_raw_mode(image: ImageFile.ImageFile, mode: str) -> None:
    for index, tile in enumerate(image.tile):
        options = (mode, *tile.args[1:]) if isinstance(tile.args, tuple) else mode
        image.tile[index] = tile._replace(args=options)

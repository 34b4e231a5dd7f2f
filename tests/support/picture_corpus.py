"""Small picture files of every kind that is read, for mutation and for copies."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import icc_files
import numpy as np
import tifffile
from noise import picture as noise
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from trtcolor.images.formats import readable_formats

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" tiff:Orientation="6" dc:source="box 7"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def exif_block() -> bytes:
    """Orientation 6, a maker, a date, sizes, a place and a thumbnail."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    exif.get_ifd(0x8769).update({0x9003: "1931:05:04 03:02:01", 0xA001: 1, 0xA002: 24, 0xA003: 20})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 30.0, 0.0)})
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    thumbnail = _encoded(noise(8, 8), "JPEG")
    order = "little" if block[:2] == b"II" else "big"
    at = int.from_bytes(block[4:8], order)
    link_at = at + 2 + 12 * int.from_bytes(block[at : at + 2], order)
    second = len(block) + len(block) % 2
    entries = ((0x0103, 3, 6), (0x0201, 4, second + 42), (0x0202, 4, len(thumbnail)))
    ifd = (3).to_bytes(2, order)
    for tag, kind, value in entries:
        ifd += tag.to_bytes(2, order) + kind.to_bytes(2, order) + (1).to_bytes(4, order)
        ifd += value.to_bytes(2, order) + bytes(2) if kind == 3 else value.to_bytes(4, order)
    linked = block[:link_at] + second.to_bytes(4, order) + block[link_at + 4 :]
    return linked.ljust(second, b"\0") + ifd + bytes(4) + thumbnail


def corpus() -> dict[str, bytes]:
    """Names with a suffix, and the files."""
    exif, adobe = exif_block(), icc_files.rgb_icc(icc_files.ADOBE_COLUMNS, icc_files.curve(2.2))
    grey_icc = icc_files.grey_icc(2.2)
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "old town")
    text.add_text("Description", "a long one " * 40, zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    gama = PngImagePlugin.PngInfo()
    gama.add(b"gAMA", (60000).to_bytes(4, "big"))
    rgb, grey, deep = noise(20, 24, 3), noise(20, 24), noise(20, 24, dtype=np.uint16)
    palette = Image.fromarray(rgb).quantize(7)
    files = {
        "grey.png": _encoded(grey, "PNG", icc_profile=grey_icc, exif=exif, dpi=(300, 300)),
        "text.png": _encoded(rgb, "PNG", pnginfo=text),
        "gama.png": _encoded(deep, "PNG", pnginfo=gama),
        "alpha.png": _encoded(noise(20, 24, 4), "PNG", icc_profile=adobe),
        "palette.png": _saved(palette, "PNG", transparency=2),
        "bilevel.png": _saved(Image.fromarray(grey).convert("1"), "PNG"),
        "animated.png": _saved(palette, "PNG", save_all=True, append_images=[palette]),
        "grey.jpg": _encoded(
            grey, "JPEG", exif=b"Exif\0\0" + exif, xmp=XMP, comment=b"box 7", dpi=(300, 300)
        ),
        "rgb.jpg": _encoded(rgb, "JPEG", icc_profile=adobe, progressive=True),
        "cmyk.jpg": _saved(
            Image.fromarray(noise(20, 24, 4), "CMYK"), "JPEG", icc_profile=icc_files.cmyk_icc()
        ),
        "grey.tif": _encoded(grey, "TIFF", icc_profile=grey_icc, exif=exif),
        "lzw.tif": _encoded(rgb, "TIFF", compression="tiff_lzw", dpi=(300, 300)),
        "bilevel.tif": _saved(Image.fromarray(grey).convert("1"), "TIFF", compression="group4"),
        "jpeg.tif": _encoded(rgb, "TIFF", compression="jpeg"),
        "palette.tif": _saved(palette, "TIFF", compression="packbits"),
        "deep.tif": _tiff(deep, "minisblack", iccprofile=grey_icc, compression="zlib"),
        "pages.tif": _tiff(noise(3, 20, 24), "miniswhite", compression="zlib"),
        "deep-rgb.tif": _tiff(noise(20, 24, 3, dtype=np.uint16), "rgb", byteorder=">"),
        "planes.tif": _tiff(noise(3, 20, 24, dtype=np.uint16), "rgb", planarconfig="separate"),
        "tiles.tif": _tiff(noise(32, 32, 3), "rgb", tile=(16, 16), compression="zlib"),
        "big.tif": _tiff(deep, "minisblack", bigtiff=True),
        "cmyk.tif": _tiff(
            noise(20, 24, 4, dtype=np.uint16), "separated", iccprofile=icc_files.cmyk_icc()
        ),
        "lab.tif": _tiff(noise(20, 24, 3), "cielab"),
        "deep-lab.tif": _tiff(noise(20, 24, 3, dtype=np.uint16), "cielab"),
        "rgb.webp": _encoded(rgb, "WEBP", exif=exif, xmp=XMP, icc_profile=adobe),
        "lossless.webp": _encoded(noise(20, 24, 4), "WEBP", lossless=True),
        "animated.gif": _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(9)]),
        "rgb.bmp": _encoded(rgb, "BMP"),
        "palette.bmp": _saved(palette, "BMP"),
        "grey.pgm": _encoded(grey, "PPM"),
        "deep.pgm": b"P5\n24 20\n65535\n" + deep.astype(">u2").tobytes(),
        "deep.ppm": b"P6\n24 20\n1023\n" + (noise(20, 24, 3, dtype=np.uint16) & 1023).tobytes(),
        "plain.pbm": b"P1\n8 2\n" + b"0 1 " * 8,
    }
    if "AVIF" in readable_formats():
        files["rgb.avif"] = _encoded(rgb, "AVIF", exif=exif, xmp=XMP)
    if "HEIF" in readable_formats():
        files["rgb.heic"] = _encoded(rgb, "HEIF", exif=exif, xmp=XMP)
    return files


def _encoded(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    return _saved(Image.fromarray(pixels), kind, **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    return _bytes(lambda stream: image.save(stream, kind, **options))


def _tiff(pixels: NDArray[Any], photometric: str, **options: Any) -> bytes:
    pages = pixels if len(pixels) == 3 and options.get("planarconfig") is None else None
    options |= {"photometric": photometric, "metadata": None}
    bigtiff, order = options.pop("bigtiff", False), options.pop("byteorder", None)

    def write(stream: io.BytesIO) -> None:
        with tifffile.TiffWriter(stream, bigtiff=bigtiff, byteorder=order) as writer:
            for page in (pixels,) if pages is None else pages:
                writer.write(page, **options)

    return _bytes(write)


def _bytes(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()

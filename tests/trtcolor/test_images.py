"""Pictures are read as they are meant, or refused."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import picture as pixels
from numpy.typing import NDArray
from PIL import Image

from trtcolor.errors import PictureError
from trtcolor.images import read_picture


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


@pytest.mark.parametrize(
    "name",
    [
        *("grey.png", "grey.tif", "grey.bmp", "grey.pgm"),
        *("rgb.png", "rgb.tif", "rgb.bmp", "rgb.ppm", "rgb.webp"),
    ],
)
def test_eight_bit_pictures_are_read_as_they_are(name: str, tmp_path: Path) -> None:
    array = pixels(7, 9) if name.startswith("grey") else pixels(7, 9, 3)
    Image.fromarray(array).save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(read_picture(tmp_path / name).pixels, array)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_read(channels: int, tmp_path: Path) -> None:
    array = pixels(7, 9, channels)
    Image.fromarray(array).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, array)


def test_the_format_is_told_from_the_content(tmp_path: Path) -> None:
    Image.fromarray(pixels(7, 9)).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").format == "PNG"


def test_bilevel_palette_and_cmyk_pictures_are_converted(tmp_path: Path) -> None:
    rgb = Image.fromarray(pixels(8, 8, 3))
    rgb.convert("1").save(tmp_path / "bilevel.png")
    assert set(np.unique(read_picture(tmp_path / "bilevel.png").pixels)) == {0, 255}
    palette = rgb.quantize(4)
    palette.save(tmp_path / "palette.png")
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_picture(tmp_path / "palette.png").pixels, expected)
    rgb.convert("CMYK").save(tmp_path / "cmyk.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "cmyk.tif").pixels, np.asarray(rgb))


def test_a_colour_named_transparent_becomes_alpha(tmp_path: Path) -> None:
    palette = Image.fromarray(pixels(8, 8, 3)).quantize(4)
    palette.save(tmp_path / "p.png", transparency=2)
    alpha = read_picture(tmp_path / "p.png").pixels[..., 3]
    np.testing.assert_array_equal(alpha == 0, np.asarray(palette) == 2)
    grey = pixels(8, 8)
    Image.fromarray(grey).save(tmp_path / "g.png", transparency=int(grey[3, 4]))
    read = read_picture(tmp_path / "g.png").pixels
    np.testing.assert_array_equal(read[..., 0], grey)
    np.testing.assert_array_equal(read[..., 1] == 0, grey == grey[3, 4])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_all_sixteen_bits_of_a_png_are_read(channels: int, tmp_path: Path) -> None:
    array = pixels(7, 9, channels, dtype=np.uint16)
    png16(tmp_path / "a.png", array)
    expected = array[..., 0] if channels == 1 else array
    read = read_picture(tmp_path / "a.png").pixels
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sixteen_bit_colour_named_transparent_becomes_alpha(
    channels: int, tmp_path: Path
) -> None:
    array = pixels(7, 9, channels, dtype=np.uint16)
    png16(tmp_path / "a.png", array, transparent=array[2, 3].astype(">u2").tobytes())
    read = read_picture(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(read[..., :-1], array)
    expected = np.full((7, 9), 65535)
    expected[2, 3] = 0
    np.testing.assert_array_equal(read[..., -1], expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_all_sixteen_bits_of_a_tiff_are_read(order: str, channels: int, tmp_path: Path) -> None:
    array = pixels(7, 9, channels, dtype=np.uint16)
    tiff16(tmp_path / "a.tif", array, order)
    expected = array[..., 0] if channels == 1 else array
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, expected)


def test_a_tiff_whose_white_is_zero_is_turned(tmp_path: Path) -> None:
    array = pixels(7, 9, 1, dtype=np.uint16)
    tiff16(tmp_path / "a.tif", array, "<", white_is_zero=True)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, 65535 - array[..., 0])


def test_sixteen_bit_planes_of_a_tiff_are_put_together(tmp_path: Path) -> None:
    planes = pixels(3, 7, 9, dtype=np.uint16)
    pytest.importorskip("tifffile").imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    read = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.pixels, np.moveaxis(planes, 0, -1))


def test_planes_without_the_extra_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planes = pixels(3, 7, 9, dtype=np.uint16)
    pytest.importorskip("tifffile").imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    monkeypatch.setitem(sys.modules, "tifffile", None)
    refused(tmp_path / "a.tif", r"pip install 'trtcolor\[pictures\]'")


@pytest.mark.parametrize("largest", [65535, 1023])
def test_sixteen_bit_colour_pnm_is_read(largest: int, tmp_path: Path) -> None:
    array = pixels(7, 9, 3, dtype=np.uint16) & largest
    head = b"P6 9 7 %d\n" % largest
    (tmp_path / "a.ppm").write_bytes(head + array.astype(">u2").tobytes())
    expected = np.rint(array * (65535 / largest))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.ppm").pixels, expected)
    (tmp_path / "a.ppm").write_bytes(head + array.astype(">u2").tobytes()[:-1])
    refused(tmp_path / "a.ppm", "damaged or cut short")


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


def test_sixteen_bit_grey_pnm_is_read(tmp_path: Path) -> None:
    array = pixels(7, 9, dtype=np.uint16)
    (tmp_path / "a.pgm").write_bytes(b"P5 9 7 65535\n" + array.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_picture(tmp_path / "a.pgm").pixels, array)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_the_exif_orientation_is_applied(suffix: str, orientation: int, tmp_path: Path) -> None:
    corners = np.zeros((32, 48, 3), np.uint8)
    corners[:16, :24, 0] = corners[16:, 24:, 1] = 255
    corners[16:, :24] = 255
    upright = {
        1: corners,
        2: corners[:, ::-1],
        3: corners[::-1, ::-1],
        4: corners[::-1],
        5: corners.swapaxes(0, 1),
        6: np.rot90(corners, -1),
        7: np.rot90(corners, 2).swapaxes(0, 1),
        8: np.rot90(corners),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    Image.fromarray(corners).save(path, exif=exif)
    read = read_picture(path).pixels
    assert read.shape == upright[orientation].shape
    assert np.abs(read.astype(int) - upright[orientation]).mean() < 8


def test_the_first_picture_of_an_animation_is_read(tmp_path: Path) -> None:
    first, second = (Image.new("L", (4, 4), level) for level in (10, 200))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert (read_picture(tmp_path / "a.gif").pixels == 10).all()


def test_floating_point_and_32_bit_pictures_are_refused(tmp_path: Path) -> None:
    for mode in ("F", "I"):
        Image.new(mode, (4, 4)).save(tmp_path / "a.tif")
        with pytest.raises(PictureError, match="convert it first"):
            read_picture(tmp_path / "a.tif")


def refused(path: Path, message: str, **arguments: Any) -> None:
    with pytest.raises(PictureError, match=message) as caught:
        read_picture(path, **arguments)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.png", "No such file")
    refused(tmp_path, "Is a directory")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "0 bytes")
    (tmp_path / "text.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    refused(tmp_path / "text.png", "no picture that can be read")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_picture_that_is_cut_short_is_refused(suffix: str, part: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(64, 64, 3)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    refused(path, "damaged or cut short|no picture that can be read")


def test_a_cut_sixteen_bit_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    png16(path, pixels(64, 64, 3, dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:9000])
    refused(path, "damaged or cut short")


def test_random_damage_is_never_anything_but_a_picture_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "a"
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM"):
        Image.fromarray(pixels(24, 24, 3)).save(path, kind)
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(40):
            broken = content.copy()
            broken[rng.integers(0, min(len(broken), 200), 3)] = rng.integers(0, 256, 3)
            path.write_bytes(broken.tobytes())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.suppress(PictureError):
                    read_picture(path, max_pixels=10**6)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    with path.open("wb") as stream:
        stream.write(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header)
        stream.write(struct.pack(">I", zlib.crc32(b"IHDR" + header)))
        stream.write(struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))
    refused(path, "60000x60000, more than 178956970 pixels")


def test_the_limit_is_the_callers_and_pillows_own_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(pixels(20, 20)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "a.png", max_pixels=400).pixels.shape == (20, 20)
    assert Image.MAX_IMAGE_PIXELS == 10
    refused(tmp_path / "a.png", "more than 399 pixels", max_pixels=399)

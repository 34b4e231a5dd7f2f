"""Pictures are read as they are meant, or refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from noise import picture as pixels
from picture_files import png16, tiff16
from PIL import Image

from trtcolor.images import read_picture


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


@pytest.mark.parametrize("largest", [65535, 1023])
def test_sixteen_bit_colour_pnm_is_read(largest: int, tmp_path: Path) -> None:
    array = pixels(7, 9, 3, dtype=np.uint16) & largest
    head = b"P6 9 7 %d\n" % largest
    (tmp_path / "a.ppm").write_bytes(head + array.astype(">u2").tobytes())
    expected = np.rint(array * (65535 / largest))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.ppm").pixels, expected)


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

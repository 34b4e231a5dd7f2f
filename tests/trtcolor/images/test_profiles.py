"""Colour profiles are read as Little CMS reads them, and said to be broken where they are."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icc_files import (
    ADOBE_COLUMNS,
    P3_COLUMNS,
    SRGB_COLUMNS,
    cmyk_icc,
    curve,
    grey_icc,
    parametric,
    rgb_icc,
)
from noise import picture as noise
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from trtcolor.images import read_picture, write_picture
from trtcolor.images.profiles import ProfileError, profile_from_icc
from trtcolor.images.srgb import srgb_icc

SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES = (
    curve(),
    curve(1.8),
    curve(table=np.linspace(0, 1, 64) ** 2),
    parametric(0, 2.2),
    parametric(1, 2.0, 0.9, 0.1),
    parametric(2, 2.0, 0.8, 0.1, 0.1),
    SRGB_CURVE,
    parametric(4, 2.0, 0.9, 0.1, 0.5, 0.2, 0.0, 0.05),
)


def lcms_xyz(samples: NDArray[Any], icc: bytes, space: str) -> NDArray[np.float64]:
    xyz = imagecodecs.cms_profile("xyz")
    found = imagecodecs.cms_transform(
        samples, icc, xyz, colorspace=space, outcolorspace="xyz", outdtype="float64", intent=1
    )
    return np.asarray(found)


@pytest.mark.parametrize("trc", CURVES, ids=range(len(CURVES)))
def test_curves_are_little_cms_curves(trc: bytes) -> None:
    icc = rgb_icc(SRGB_COLUMNS, trc)
    codes = np.arange(0, 65536, 7, dtype=np.uint16)
    ours = profile_from_icc(icc).curves[0](codes / 65535)
    theirs = lcms_xyz(np.repeat(codes[None, :, None], 3, axis=2), icc, "rgb")[0, :, 1]
    np.testing.assert_allclose(ours, theirs, atol=5e-5)


@pytest.mark.parametrize("columns", [SRGB_COLUMNS, ADOBE_COLUMNS, P3_COLUMNS])
def test_matrices_keep_white_white_and_grey_grey(columns: Any) -> None:
    matrix = profile_from_icc(rgb_icc(columns, curve(2.2))).matrix
    assert matrix is not None
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


def test_every_makers_srgb_is_srgb(tmp_path: Path) -> None:
    table = [*np.linspace(0, 1, 1024)]
    coarse = curve(
        table=[x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in table]
    )
    lcms = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (srgb_icc(), lcms, rgb_icc(SRGB_COLUMNS, SRGB_CURVE), rgb_icc(SRGB_COLUMNS, coarse)):
        array = noise(7, 9, 3)
        Image.fromarray(array).save(tmp_path / "a.png", icc_profile=icc)
        read = read_picture(tmp_path / "a.png")
        np.testing.assert_array_equal(read.pixels, array)
        assert read.origin.icc == icc
        write_picture(tmp_path / "b.png", read.pixels, like=read, overwrite=True)
        with Image.open(tmp_path / "b.png") as copy:
            assert copy.info["icc_profile"] == icc


def test_the_profile_that_is_written_is_srgb_by_little_cms() -> None:
    assert srgb_icc() == srgb_icc()
    codes = noise(40, 50, 3)
    ours = lcms_xyz(codes, srgb_icc(), "rgb")
    theirs = lcms_xyz(codes, imagecodecs.cms_profile("srgb"), "rgb")
    np.testing.assert_allclose(ours, theirs, atol=5e-5)
    opened = ImageCms.ImageCmsProfile(io.BytesIO(srgb_icc()))
    assert ImageCms.getProfileDescription(opened).strip() == "sRGB IEC61966-2.1"


def test_other_colours_come_with_16_bits_and_go_with_8(tmp_path: Path) -> None:
    Image.fromarray(noise(7, 9)).save(tmp_path / "a.tif", icc_profile=grey_icc(1.8))
    read = read_picture(tmp_path / "a.tif")
    assert (read.pixels.dtype, read.bits) == (np.uint16, 8)
    write_picture(tmp_path / "b.tif", np.repeat(read.pixels[..., None], 3, axis=2), like=read)
    copy = read_picture(tmp_path / "b.tif")
    assert copy.pixels.dtype == np.uint8
    assert copy.origin.icc == srgb_icc()


def test_a_colour_outside_srgb_keeps_its_lightness(tmp_path: Path) -> None:
    green = np.zeros((4, 4, 3), np.uint8)
    green[..., 1] = 255
    Image.fromarray(green).save(tmp_path / "a.png", icc_profile=rgb_icc(ADOBE_COLUMNS, curve(2.2)))
    pixels = read_picture(tmp_path / "a.png").pixels / 65535
    luminance = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4) @ [
        *(0.212671, 0.715160, 0.072169)
    ]
    np.testing.assert_allclose(luminance, 0.6273, atol=5e-4)


@given(st.integers(0, 127), st.integers(0, 7), st.integers(0, 400))
@example(36, 0, 200)
def test_a_broken_profile_is_a_profile_error_or_still_one(at: int, bit: int, length: int) -> None:
    icc = bytearray(rgb_icc(ADOBE_COLUMNS, curve(2.2)))
    icc[at] ^= 1 << bit
    try:
        profile = profile_from_icc(bytes(icc[: max(length, 1)] if length < 300 else icc))
    except ProfileError:
        return
    assert profile.space in ("grey", "rgb", "cmyk", "lab")


@pytest.mark.parametrize("icc", [b"no profile" * 20, rgb_icc(ADOBE_COLUMNS, curve(2.2))[:300]])
def test_a_broken_profile_is_told_and_srgb_taken(icc: bytes, tmp_path: Path) -> None:
    array = noise(7, 9, 3)
    Image.fromarray(array).save(tmp_path / "a.png", icc_profile=icc)
    read = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(read.pixels, array)
    (warning,) = read.warnings
    assert warning.startswith("the colour profile is broken (")
    write_picture(tmp_path / "b.png", array, like=read)
    assert read_picture(tmp_path / "b.png").origin.icc == srgb_icc()


def test_a_profile_for_another_kind_of_picture_is_told_and_left_out(tmp_path: Path) -> None:
    array = noise(7, 9, 3)
    Image.fromarray(array).save(tmp_path / "a.jpg", quality=100, icc_profile=grey_icc(1.0))
    (warning,) = read_picture(tmp_path / "a.jpg").warnings
    assert "is for grey and the samples are rgb" in warning


def test_a_grey_picture_may_carry_a_profile_for_rgb(tmp_path: Path) -> None:
    array = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for icc in (rgb_icc(ADOBE_COLUMNS, curve(2.2)), grey_icc(2.2)):
        Image.fromarray(array).save(tmp_path / "a.tif", icc_profile=icc)
        read = read_picture(tmp_path / "a.tif")
        assert read.warnings == ()
        luminance = (read.pixels[3, 7] / 65535 + 0.055) ** 2.4 / 1.055**2.4
        assert luminance == pytest.approx((array[3, 7] / 255) ** (563 / 256), abs=1e-4)


@pytest.mark.parametrize(("gamma", "changed"), [(45455, False), (100000, True), (55556, True)])
def test_the_gamma_of_a_png_counts_but_for_srgbs_own(
    gamma: int, changed: bool, tmp_path: Path
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", gamma.to_bytes(4, "big"))
    array = noise(7, 9)
    Image.fromarray(array).save(tmp_path / "a.png", pnginfo=info)
    pixels = read_picture(tmp_path / "a.png").pixels
    assert (pixels.dtype == np.uint16) == changed
    if changed:
        codes = pixels / 65535
        linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(linear, (array / 255) ** (100000 / gamma), atol=2e-5)


def test_exifs_adobe_rgb_counts_where_no_profile_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA005: {1: "R03"}})
    array = np.full((8, 8, 3), 128, np.uint8)
    array[..., 1] = 200
    Image.fromarray(array).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    meant = read_picture(tmp_path / "a.jpg")
    icc = rgb_icc(ADOBE_COLUMNS, curve(563 / 256))
    Image.fromarray(array).save(tmp_path / "b.jpg", icc_profile=icc, quality=100, subsampling=0)
    said = read_picture(tmp_path / "b.jpg")
    np.testing.assert_allclose(meant.pixels, said.pixels.astype(float), atol=20)  # of 65535
    assert b"R98" in meant.origin.metadata.exif


def test_cmyk_without_a_profile_is_told_to_be_a_guess(tmp_path: Path) -> None:
    Image.fromarray(noise(7, 9, 4), "CMYK").save(tmp_path / "a.tif")
    (warning,) = read_picture(tmp_path / "a.tif").warnings
    assert "its lightness is a guess" in warning


def test_tables_without_imagecodecs_are_converted_at_8_bits_and_refused_at_16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tifffile

    from trtcolor.errors import PictureError

    Image.fromarray(noise(7, 9, 4), "CMYK").save(tmp_path / "a.tif", icc_profile=cmyk_icc())
    exact = read_picture(tmp_path / "a.tif")
    deep = noise(7, 9, 4, dtype=np.uint16)
    words = {"photometric": "separated", "iccprofile": cmyk_icc()}
    tifffile.imwrite(tmp_path / "deep.tif", deep, **words)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    near = read_picture(tmp_path / "a.tif")
    assert near.pixels.dtype == np.uint8
    inside = ((near.pixels > 0) & (near.pixels < 255)).all(axis=2)
    assert inside.any()
    assert abs(near.rgb8[inside].astype(int) - exact.rgb8[inside]).max() <= 2
    with pytest.raises(PictureError, match=r"pip install 'trtcolor\[pictures\]'"):
        read_picture(tmp_path / "deep.tif")

"""What a run over a folder writes is as faithful to the files as one picture's copy is."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import outcomes, records
from noise import picture
from numpy.typing import NDArray
from picture_files import png16, tiff16
from PIL import Image, PngImagePlugin

from trtcolor.archive.find import find_pictures
from trtcolor.archive.run import color_pictures
from trtcolor.archive.settings import PictureSettings
from trtcolor.color import lab_from_rgb
from trtcolor.colorizer import Colorizer
from trtcolor.images import read_picture

TAGS = {"EXIF:Artist": "Jürgen Weiß", "XMP:Title": "Old town", "IPTC:Headline": "Market square"}


@pytest.fixture
def color(tmp_path: Path, make_bundle: Callable[..., Path]) -> Iterator[Callable[..., Path]]:
    """A function that colours the folder ``in`` and returns that of the outputs."""
    (tmp_path / "in").mkdir()
    with Colorizer(make_bundle(render_size=32), threads=1) as colorizer:

        def run(**settings: Any) -> Path:
            output = tmp_path / "out"
            found = find_pictures([str(tmp_path / "in")], output=output)
            color_pictures(colorizer, found, output, PictureSettings(**settings))
            return output

        yield run


def lightness(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """L* of sRGB codes, grey or RGB."""
    codes = pixels.reshape(*pixels.shape[:2], -1)
    rgb = np.repeat(codes, 3, axis=2) if codes.shape[2] < 3 else codes[..., :3]
    scaled = np.ascontiguousarray(rgb / np.iinfo(pixels.dtype).max, dtype=np.float32)
    return np.asarray(lab_from_rgb(scaled), np.float64)[..., 0]


def test_16_bits_stay_16_and_the_lightness_is_the_sources(
    color: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    png16(folder / "grey.png", picture(40, 50, 1, dtype=np.uint16))
    tiff16(folder / "big.tif", picture(40, 50, 3, dtype=np.uint16, seed=2), ">")
    Image.fromarray(picture(40, 50, seed=3)).save(folder / "eight.png")
    output = color()
    bits = {record["output"]: record["bits"] for record in records(output)}
    assert bits == {"grey.png": 16, "big.tif": 16, "eight.png": 8}
    for name, limit in (("grey.png", 0.01), ("big.tif", 0.01), ("eight.png", 0.6)):
        before, after = (read_picture(parent / name) for parent in (folder, output))
        assert after.bits == bits[name]
        assert np.ptp(after.pixels[..., :3].astype(int), axis=2).max() > 0, "it is grey"
        assert np.abs(lightness(after.pixels) - lightness(before.pixels)).max() <= limit


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool, which compares, is missing")
@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png", ".webp"])
def test_what_a_file_says_is_kept_or_left_out_as_told(
    suffix: str, color: Callable[..., Path], tmp_path: Path
) -> None:
    tags = {name: value for name, value in TAGS.items() if "IPTC" not in name or suffix != ".webp"}
    file = tmp_path / "in" / f"a{suffix}"
    Image.fromarray(picture(40, 60)).save(file)
    words = [f"-{name}={value}" for name, value in tags.items()]
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", "-EXIF:Orientation#=6", *words, file], check=True
    )

    def told(path: Path) -> dict[str, Any]:
        asked = ["-EXIF:Orientation#", *(f"-{name}" for name in TAGS)]
        return dict(json.loads(subprocess.check_output(["exiftool", "-G", "-j", *asked, path]))[0])

    said = told(color() / file.name)
    assert {name: said.get(name) for name in tags} == tags
    assert said.get("EXIF:Orientation", 1) == 1
    with Image.open(tmp_path / "out" / file.name) as image:
        assert image.size == (40, 60)  # upright
    shutil.rmtree(tmp_path / "out")
    assert not set(told(color(keep_metadata=False) / file.name)) & set(TAGS)


def test_transparency_resolution_and_text_are_kept(
    color: Callable[..., Path], tmp_path: Path
) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a street")
    pixels = picture(30, 40, 4)
    Image.fromarray(pixels).save(tmp_path / "in" / "a.png", dpi=(300, 300), pnginfo=text)
    with Image.open(color() / "a.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.info["Title"] == "a street"
        assert (np.asarray(image)[..., 3] == pixels[..., 3]).all()


def test_transparency_that_a_format_cannot_hold_is_not_lost_silently(
    color: Callable[..., Path], tmp_path: Path
) -> None:
    Image.fromarray(picture(30, 40, 4)).save(tmp_path / "in" / "a.png")
    Image.fromarray(picture(30, 40)).save(tmp_path / "in" / "b.png")
    said = outcomes(color(format="jpeg"))
    assert {name: outcome for name, (outcome, _) in said.items()} == {
        "a.jpg": "failed",
        "b.jpg": "coloured",
    }
    assert "no transparency" in said["a.jpg"][1]


def test_a_cmyk_picture_keeps_its_lightness(color: Callable[..., Path], tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    inks = np.stack([ramp // 3, ramp // 4, ramp // 4, ramp], axis=2)
    Image.fromarray(inks, "CMYK").save(tmp_path / "in" / "a.jpg", quality=95)
    output = color()
    with Image.open(output / "a.jpg") as image:
        assert image.mode == "RGB"
    before, after = (read_picture(path / "a.jpg").pixels for path in (tmp_path / "in", output))
    assert np.abs(lightness(after) - lightness(before)).mean() <= 1


def test_a_picture_over_the_limit_is_named_and_the_others_are_coloured(
    color: Callable[..., Path], tmp_path: Path
) -> None:
    for name, side in (("small.png", 20), ("large.png", 21)):
        Image.fromarray(picture(side, side)).save(tmp_path / "in" / name)
    said = outcomes(color(max_pixels=400))
    assert said["small.png"] == ("coloured", "")
    assert said["large.png"][0] == "failed"
    assert "large.png" in said["large.png"][1]
    assert "21x21, more than 400 pixels" in said["large.png"][1]
    assert not (tmp_path / "out" / "large.png").exists()

"""What is no picture, or none that can be told right, is refused in one sentence."""

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
from picture_files import png16
from PIL import Image

from trtcolor.errors import PictureError
from trtcolor.images import read_picture


def refused(path: Path, message: str, **arguments: Any) -> None:
    with pytest.raises(PictureError, match=message) as caught:
        read_picture(path, **arguments)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_floating_point_and_32_bit_pictures_are_refused(tmp_path: Path) -> None:
    for mode in ("F", "I"):
        Image.new(mode, (4, 4)).save(tmp_path / "a.tif")
        with pytest.raises(PictureError, match="convert it first"):
            read_picture(tmp_path / "a.tif")


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


def test_a_cut_sixteen_bit_pnm_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ppm").write_bytes(b"P6 9 7 65535\n" + bytes(6 * 63 - 1))
    refused(tmp_path / "a.ppm", "damaged or cut short")


def test_planes_without_the_extra_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planes = pixels(3, 7, 9, dtype=np.uint16)
    pytest.importorskip("tifffile").imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    monkeypatch.setitem(sys.modules, "tifffile", None)
    refused(tmp_path / "a.tif", r"pip install 'trtcolor\[pictures\]'")


def test_a_png_that_says_more_than_its_bytes_can_hold_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    png16(path, pixels(8, 8, 3, dtype=np.uint16))
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 13_000, 13_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    refused(path, "13000x13000 in [0-9]+ bytes")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    refused(tmp_path / "a.png", "a device or a pipe")

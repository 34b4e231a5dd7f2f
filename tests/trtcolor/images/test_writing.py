"""Pictures are written whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import picture as pixels
from numpy.typing import NDArray
from PIL import Image

from trtcolor.errors import OutputExistsError, PictureError
from trtcolor.images import (
    Picture,
    check_output,
    formats,
    read_picture,
    write_picture,
    writing,
)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4), (1, 1, 3)])
def test_what_is_written_without_loss_reads_back(
    suffix: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = pixels(*shape)
    write_picture(tmp_path / f"a{suffix}", array)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}").pixels, array)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (7, 9, 4), (1, 1, 3), (600, 3, 3)])
def test_sixteen_bits_read_back(shape: tuple[int, ...], suffix: str, tmp_path: Path) -> None:
    array = pixels(*shape, dtype=np.uint16)
    write_picture(tmp_path / f"a{suffix}", array)
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}").pixels, array)
    with Image.open(tmp_path / f"a{suffix}") as image:
        image.verify()  # checks each chunk's CRC


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_sixteen_bit_pnm_reads_back(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = pixels(*shape, dtype=np.uint16)
    write_picture(tmp_path / "a.pnm", array)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.pnm").pixels, array)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_come_close(suffix: str, tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    array = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2)
    write_picture(tmp_path / f"a{suffix}", array)
    assert np.abs(read_picture(tmp_path / f"a{suffix}").pixels.astype(int) - array).mean() < 3
    wide = array.astype(np.uint16) * 257
    write_picture(tmp_path / f"b{suffix}", wide)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_jpeg_keeps_chroma_at_full_resolution(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", pixels(16, 16, 3))
    with Image.open(tmp_path / "a.jpg") as image:
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_jpeg_drops_opaque_alpha_and_refuses_any_other(tmp_path: Path) -> None:
    array = pixels(8, 8, 4)
    with pytest.raises(PictureError, match="holds no transparency"):
        write_picture(tmp_path / "a.jpg", array)
    array[..., 3] = 255
    write_picture(tmp_path / "a.jpg", array)
    assert read_picture(tmp_path / "a.jpg").pixels.shape == (8, 8, 3)


@pytest.mark.parametrize("name", ["a", "a.gif", "a.exr", ".png", "a.png.txt"])
def test_an_ending_that_is_not_written_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="does not end like a picture"):
        check_output(tmp_path / name)


def test_an_output_that_cannot_be_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PictureError, match="is a folder"):
        check_output(tmp_path / "folder.png", overwrite=True)
    with pytest.raises(PictureError, match="is no folder"):
        check_output(tmp_path / "none" / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(PictureError, match="is no folder"):
        check_output(tmp_path / "file" / "a.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable_is_refused_beforehand(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PictureError, match="not writable"):
        check_output(tmp_path / "a.png")


def test_an_existing_output_is_kept_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="is there already"):
        check_output(path)
    with pytest.raises(OutputExistsError, match="is there already"):
        write_picture(path, pixels(4, 4))
    assert path.read_bytes() == b"mine"
    write_picture(path, pixels(4, 4), overwrite=True)
    np.testing.assert_array_equal(read_picture(path).pixels, pixels(4, 4))
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_dangling_link_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(OutputExistsError):
        write_picture(tmp_path / "a.png", pixels(4, 4))


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_appears_during_the_writing_is_not_touched(
    hard_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    encode = writing.encode

    def encode_and_be_overtaken(*arguments: Any) -> tuple[str, ...]:
        left_out = encode(*arguments)
        path.write_bytes(b"theirs")
        return left_out

    def no_links(*arguments: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(writing, "encode", encode_and_be_overtaken)
    if not hard_links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(OutputExistsError):
        write_picture(path, pixels(4, 4))
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_disk_without_hard_links_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*arguments: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    write_picture(tmp_path / "a.png", pixels(4, 4))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, pixels(4, 4))
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")

    def fail(stream: Any, *arguments: Any) -> None:
        stream.write(b"half a picture")
        raise error

    monkeypatch.setattr(writing, "encode", fail)
    expected = PictureError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_picture(path, pixels(4, 4), overwrite=True)
    assert path.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_picture_larger_than_its_format_is_a_picture_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="was not written"):
        write_picture(tmp_path / "a.webp", np.zeros((1, 20_000, 3), np.uint8))
    assert os.listdir(tmp_path) == []


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_picture(tmp_path / "a.png", pixels(4, 4))
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    ("array", "quality"),
    [
        (np.zeros((4, 4), np.float32), 95),
        (np.zeros((4, 4, 2), np.uint8), 95),
        (np.zeros(4, np.uint8), 95),
        (np.zeros((4, 4), np.uint8), 0),
        (np.zeros((4, 4), np.uint8), 101),
    ],
)
def test_pixels_or_a_quality_that_are_none_are_refused(
    array: NDArray[Any], quality: int, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="was needed"):
        write_picture(tmp_path / "a.png", array, quality=quality)


def test_a_format_may_be_named_whatever_the_ending(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.part", pixels(4, 4), format="PNG")
    assert read_picture(tmp_path / "a.part").format == "PNG"
    with pytest.raises(PictureError, match="'GIF' is no format that is written"):
        write_picture(tmp_path / "b", pixels(4, 4), format="GIF")


@pytest.mark.parametrize("suffix", [".avif", ".heic"])
def test_avif_and_heif_come_close_at_full_chroma(suffix: str, tmp_path: Path) -> None:
    array = np.zeros((32, 32, 3), np.uint8)
    array[::2, :, 0] = array[1::2, :, 2] = 200  # red and blue rows, which half the chroma would mix
    write_picture(tmp_path / f"a{suffix}", array, quality=100)
    assert abs(read_picture(tmp_path / f"a{suffix}").pixels.astype(int) - array).mean() < 4


def test_heif_without_its_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "a.heic", pixels(16, 16, 3))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    formats.readable_formats.cache_clear()
    try:
        for refused in (
            lambda: read_picture(tmp_path / "a.heic"),
            lambda: check_output(tmp_path / "b.heic"),
        ):
            with pytest.raises(PictureError, match=r"pip install 'trtcolor\[pictures\]'"):
                refused()
    finally:
        formats.readable_formats.cache_clear()


def test_a_wide_picture_whose_file_had_8_bits_gets_8_again(tmp_path: Path) -> None:
    wide = pixels(7, 9, 4, dtype=np.uint16)
    write_picture(tmp_path / "a.tif", wide, like=Picture(wide, "PNG", bits=8))
    found = read_picture(tmp_path / "a.tif")
    assert found.bits == 8
    np.testing.assert_array_equal(found.pixels, np.rint(wide / 257))

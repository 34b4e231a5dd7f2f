"""Pages of a TIFF are read and written one after the other, each with what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from noise import picture as noise
from numpy.typing import NDArray
from PIL import Image

from trtcolor.errors import PictureError
from trtcolor.images import Picture, picture_size, read_pages, read_picture, write_pages

PAGES = (
    noise(20, 24),
    noise(10, 30, dtype=np.uint16, seed=2),
    noise(8, 8, 3, seed=3),
    noise(20, 24, 4, seed=4),
)


@pytest.fixture
def four_pages(tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "four.tif", byteorder=">") as writer:
        for number, page in enumerate(PAGES):
            kind = "minisblack" if page.ndim == 2 else "rgb"
            words = {"photometric": kind, "description": f"page {number}", "metadata": None}
            if page.ndim == 3 and page.shape[2] == 4:
                words["extrasamples"] = ["unassalpha"]
            writer.write(page, **words)
    return tmp_path / "four.tif"


def as_colour(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def test_every_page_is_read_with_its_own_size_and_depth(four_pages: Path) -> None:
    read = list(read_pages(four_pages))
    assert [(page.page, page.pages, page.bits) for page in read] == [
        *((0, 4, 8), (1, 4, 16), (2, 4, 8), (3, 4, 8))
    ]
    for page, expected in zip(read, PAGES, strict=True):
        np.testing.assert_array_equal(page.pixels, expected)
    np.testing.assert_array_equal(read_picture(four_pages, page=2).pixels, PAGES[2])


def test_every_page_is_written_back_with_its_own_words(four_pages: Path, tmp_path: Path) -> None:
    pages = [(as_colour(page.pixels), page) for page in read_pages(four_pages)]
    write_pages(tmp_path / "copy.tif", pages)
    with tifffile.TiffFile(tmp_path / "copy.tif") as copy:
        assert copy.byteorder == ">"
        assert len(copy.pages) == 4
        for number, (page, expected) in enumerate(zip(copy.pages, PAGES, strict=True)):
            assert isinstance(page, tifffile.TiffPage)
            assert page.description == f"page {number}"
            assert page.iccprofile
            np.testing.assert_array_equal(page.asarray(), as_colour(expected))


def test_no_page_is_asked_for_before_the_one_before_it_is_written(
    four_pages: Path, tmp_path: Path
) -> None:
    sizes: list[int] = []

    def pages() -> Iterator[tuple[NDArray[Any], Picture | None]]:
        for page in read_pages(four_pages):
            sizes.append(sum(file.stat().st_size for file in tmp_path.glob(".*.part")))
            yield as_colour(np.tile(page.pixels, (40, 40) + (1,) * (page.pixels.ndim - 2))), None

    write_pages(tmp_path / "copy.tif", pages())
    assert sorted(set(sizes)) == sizes


def test_a_format_of_one_page_refuses_more_and_leaves_nothing(
    four_pages: Path, tmp_path: Path
) -> None:
    pages = ((as_colour(page.pixels), page) for page in read_pages(four_pages))
    with pytest.raises(PictureError, match=r"one page, and the picture has more; .* \.tif"):
        write_pages(tmp_path / "copy.png", pages)
    assert [file.name for file in tmp_path.iterdir()] == ["four.tif"]


def test_a_page_that_cannot_be_read_leaves_no_copy(four_pages: Path, tmp_path: Path) -> None:
    def pages() -> Iterator[tuple[NDArray[Any], Picture | None]]:
        yield as_colour(PAGES[0]), None
        raise PictureError("page 1 is damaged; a whole one was needed; copy the file again")

    with pytest.raises(PictureError, match="page 1 is damaged"):
        write_pages(tmp_path / "copy.tif", pages())
    assert [file.name for file in tmp_path.iterdir()] == ["four.tif"]


def test_no_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no page came"):
        write_pages(tmp_path / "copy.tif", [])
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_not_there_is_refused(four_pages: Path) -> None:
    with pytest.raises(PictureError, match="has 4 pages and page 4 was asked for"):
        read_picture(four_pages, page=4)
    with pytest.raises(ValueError, match="page is -1"):
        read_picture(four_pages, page=-1)


def test_a_tiff_whose_later_pages_are_cut_off_is_refused(tmp_path: Path) -> None:
    first, second = (Image.fromarray(noise(40, 40, seed=seed)) for seed in (1, 2))
    path = tmp_path / "a.tif"
    first.save(path, save_all=True, append_images=[second])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])
    with pytest.raises(PictureError, match="damaged or cut short"):
        list(read_pages(path))


def test_the_size_is_that_of_the_largest_page(four_pages: Path, tmp_path: Path) -> None:
    assert picture_size(four_pages) == 480
    Image.fromarray(noise(7, 9)).save(tmp_path / "a.png")
    assert picture_size(tmp_path / "a.png") == 63
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert picture_size(tmp_path / "a.png") is None
    assert picture_size(tmp_path / "none.png") is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_each_page_is_turned_by_its_own_orientation(dtype: type[Any], tmp_path: Path) -> None:
    pages = noise(4, 8, 9, 3, dtype=dtype)
    turns = (6, 1, 3, 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page, turn in zip(pages, turns, strict=True):
            words = {"photometric": "rgb", "metadata": None}
            writer.write(page, extratags=[(274, 3, 1, turn, True)], **words)
    upright = {1: pages[1], 3: np.rot90(pages[2], 2), 6: np.rot90(pages[0], -1)}
    upright[8] = np.rot90(pages[3])
    for page, turn in zip(read_pages(tmp_path / "a.tif"), turns, strict=True):
        np.testing.assert_array_equal(page.pixels, upright[turn])

"""Sheets of what was coloured: every pair where it belongs, page by page, nothing left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
from noise import picture
from numpy.typing import NDArray
from PIL import Image

from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, PictureError
from trtcolor.gallery import sheets
from trtcolor.gallery.sheets import (
    CELL,
    LONE_CELL,
    PLATE,
    Pair,
    before_after_sheet,
    check_sheet,
    comparison_sheet,
)
from trtcolor.sheet import GROUND

MakeBundle = Callable[..., Path]
BLUE, RED = (20, 20, 200), (200, 20, 20)


def plain(colour: tuple[int, int, int], height: int = 200, width: int = 200) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def places(sheet: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    """How many pixels have exactly this colour."""
    return int((sheet == colour).all(axis=2).sum())


def pairs(count: int) -> list[Pair]:
    return [Pair(f"{i}.png", plain(BLUE), plain(RED)) for i in range(count)]


def test_before_stands_left_of_after(tmp_path: Path) -> None:
    (page,) = before_after_sheet(pairs(1), tmp_path / "sheet.png")
    sheet = read(page)
    columns = [(sheet == colour).all(axis=2).any(axis=0).nonzero()[0] for colour in (BLUE, RED)]
    assert columns[0].max() < columns[1].min()


def test_a_lone_pair_is_shown_larger_than_each_of_many(tmp_path: Path) -> None:
    large = [Pair("a", plain(BLUE, 900, 900), plain(RED, 900, 900))]
    (one,) = before_after_sheet(large, tmp_path / "one.png")
    (two,) = before_after_sheet(large * 2, tmp_path / "two.png")
    assert places(read(one), RED) == LONE_CELL**2
    assert places(read(two), RED) == 2 * CELL**2


def test_files_and_pixels_of_any_kind_give_the_same_sheet(tmp_path: Path) -> None:
    grey = picture(60, 80)
    deep = grey.astype(np.uint16) * 257
    rgba = np.dstack([grey] * 3 + [np.full_like(grey, 255)])
    Image.fromarray(grey).save(tmp_path / "grey.png")
    kinds = [grey, grey[..., None], deep, np.dstack([grey] * 3), rgba, tmp_path / "grey.png"]
    made = [
        read(before_after_sheet([Pair("x", kind, plain(RED))], tmp_path / f"{i}.png")[0])
        for i, kind in enumerate(kinds)
    ]
    assert all((other == made[0]).all() for other in made)


def test_what_is_transparent_shows_the_ground(tmp_path: Path) -> None:
    clear = np.zeros((100, 100, 4), np.uint8)
    (page,) = before_after_sheet([Pair("", plain(RED, 100, 100), clear)], tmp_path / "s.png")
    sheet = read(page)
    rows, columns = (sheet == RED).all(axis=2).nonzero()
    assert (sheet[rows.min() : rows.max(), columns.max() + 1 :] == GROUND).all()


def test_many_pairs_go_on_pages_and_none_is_left_out(tmp_path: Path) -> None:
    count = sheets.COLUMNS // 2 * sheets.ROWS + 1
    written = before_after_sheet(iter(pairs(count)), tmp_path / "s.png")
    assert written == [tmp_path / "s.png", tmp_path / "s-2.png"]
    assert written == sheets.pages(tmp_path / "s.png", count)
    shown = [places(read(page), RED) for page in written]
    assert shown == [(count - 1) * CELL**2, CELL**2]


def test_no_more_than_two_pairs_are_held_at_full_size(tmp_path: Path) -> None:
    alive: list[int] = []

    def large() -> Iterator[Pair]:
        kept = []
        for index in range(8):
            pixels = plain(BLUE, 700, 700)
            kept.append(ref(pixels))
            yield Pair(str(index), pixels, plain(RED))
            del pixels
            alive.append(sum(reference() is not None for reference in kept))

    before_after_sheet(large(), tmp_path / "s.png")
    assert max(alive) <= 2


def test_a_picture_that_is_gone_or_broken_leaves_an_empty_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    gone = tmp_path / "gone.png"
    (page,) = before_after_sheet(
        [Pair("a", gone, plain(RED)), Pair("b", plain(BLUE), broken)], tmp_path / "s.png"
    )
    sheet = read(page)
    assert places(sheet, RED) == places(sheet, BLUE) == CELL**2
    assert places(sheet, (PLATE,) * 3) >= 2 * CELL * (CELL * 3 // 4)


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    pair = Pair("caf\udce9\n\u202ex.png", plain(BLUE), plain(RED))
    (page,) = before_after_sheet([pair], tmp_path / "s.png")
    assert page.is_file()


def test_models_are_compared_in_the_order_given(make_bundle: MakeBundle, tmp_path: Path) -> None:
    grey = picture(64, 64)
    first, second = (Colorizer(make_bundle(name, seed=i)) for i, name in enumerate("ab"))
    file = tmp_path / "grey.png"
    Image.fromarray(grey).save(file)
    rows = [Pair("x", file, first.colorize(grey))]
    (page,) = comparison_sheet(rows, tmp_path / "s.png", model="a", others=[second, first])
    by_hand = sheets.contact_sheet(
        [[grey, first.colorize(grey), second.colorize(grey), first.colorize(grey)]],
        headings=["before", "a", "b", "a"],
        captions=["x"],
        cell=LONE_CELL,
        group=4,
    )
    assert (read(page) == by_hand).all()


def test_a_style_is_that_of_each_models_own_network(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    grey, style = (rng.integers(0, 256, (80, 120), np.uint8) for _ in range(2))
    styled, plain_one = Colorizer(make_bundle("s", global_size=24)), Colorizer(make_bundle("p"))
    expected = styled.colorize(grey, global_features=styled.global_features(style))
    assert (expected != styled.colorize(grey)).any()
    (page,) = comparison_sheet(
        [Pair("x", grey, expected)],
        tmp_path / "s.png",
        model="s",
        others=[styled, plain_one],
        style=style,
    )
    by_hand = sheets.contact_sheet(
        [[grey, expected, expected, plain_one.colorize(grey)]],
        headings=["before", "s", "s", "p"],
        captions=["x"],
        cell=LONE_CELL,
        group=4,
    )
    assert (read(page) == by_hand).all()


def test_a_comparison_goes_on_past_a_picture_that_is_gone(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    other = Colorizer(make_bundle())
    rows = [Pair("a", tmp_path / "gone.png", plain(RED)), Pair("b", plain(BLUE), plain(RED))]
    (page,) = comparison_sheet(rows, tmp_path / "s.png", model="m", others=[other])
    assert places(read(page), RED) == 2 * CELL**2


def test_a_page_that_is_there_is_found_before_the_work(tmp_path: Path) -> None:
    room = sheets.COLUMNS // 2 * sheets.ROWS
    (tmp_path / "s-2.png").write_bytes(b"mine")
    check_sheet(tmp_path / "s.png", room)
    check_sheet(tmp_path / "s.png", room + 1, overwrite=True)
    with pytest.raises(OutputExistsError, match=r"s-2\.png"):
        check_sheet(tmp_path / "s.png", room + 1)
    with pytest.raises(OutputExistsError, match=r"s-2\.png"):
        check_sheet(tmp_path / "s.png", room, models=2)


def test_what_is_no_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no pictures"):
        before_after_sheet([], tmp_path / "s.png")
    with pytest.raises(ValueError, match="no other models"):
        comparison_sheet(pairs(1), tmp_path / "s.png", model="m", others=[])
    with pytest.raises(PictureError, match=r"s\.pdf"):
        check_sheet(tmp_path / "s.pdf", 1)

"""Contact sheets show every picture where it belongs, at its aspect, on neutral ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor.sheet import GROUND, GROUP_GAP, MARGIN, contact_sheet, fit

RED, BLUE = (200, 20, 20), (20, 20, 200)


def plain(height: int, width: int, colour: tuple[int, int, int] = RED) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def extent(sheet: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the pixels of exactly this colour, ends excluded."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((400, 200), (100, 50)),
        ((200, 400), (50, 100)),
        ((100, 100), (100, 100)),
        ((60, 30), (100, 50)),
        ((10, 20), (20, 40)),
        ((3000, 2), (100, 1)),
    ],
)
def test_a_picture_fits_its_cell_at_its_aspect_and_at_twice_its_size_at_most(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fit(plain(*size), 100).shape == (*expected, 3)
    assert fit(plain(*size)[..., 0], 100).shape == expected


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    assert fit(picture, 64) is picture


def test_pictures_lie_side_by_side_and_below_one_another_with_margins() -> None:
    sheet = contact_sheet([[plain(50, 100), plain(100, 60, BLUE)]], cell=100)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (100 + 2 * MARGIN, 100 + 60 + 3 * MARGIN, 3)
    assert extent(sheet, RED) == (MARGIN + 25, MARGIN + 75, MARGIN, MARGIN + 100)
    left = 2 * MARGIN + 100
    assert extent(sheet, BLUE) == (MARGIN, MARGIN + 100, left, left + 60)
    stacked = contact_sheet([[plain(100, 100)], [plain(100, 100, BLUE)]], cell=100)
    assert extent(stacked, BLUE)[0] == extent(stacked, RED)[1] + MARGIN


def test_ground_and_text_are_neutral_and_grey_pictures_stay_grey() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)
    sheet = contact_sheet([[grey]], headings=["a heading"], captions=["a caption"], cell=90)
    assert (sheet == sheet[..., :1]).all()
    assert tuple(sheet[0, 0]) == GROUND


def test_headings_stand_above_and_captions_below_the_pictures() -> None:
    bare = contact_sheet([[plain(90, 90)]], cell=90)
    sheet = contact_sheet([[plain(90, 90)]], headings=["grey"], captions=["Lena"], cell=90)
    assert sheet.shape[0] > bare.shape[0]
    top, bottom, _, _ = extent(sheet, RED)
    assert (sheet[:top] != GROUND).any()
    assert (sheet[bottom:] != GROUND).any()


def test_the_parts_of_a_caption_spread_over_the_row() -> None:
    row = [plain(90, 90)] * 4
    sheet = contact_sheet([row], captions=[("one", "two")], cell=90)
    written = (sheet[extent(sheet, RED)[1] :] != GROUND).any(axis=(0, 2))
    middle = len(written) // 2
    assert written[:60].any()
    assert not written[60:middle].any()
    assert written[middle : middle + 60].any()


def test_text_that_is_too_long_stays_on_the_sheet() -> None:
    sheet = contact_sheet([[plain(90, 90)]], captions=["a very long name " * 30], cell=90)
    assert sheet.shape[1] == 90 + 2 * MARGIN
    assert (sheet[:, -MARGIN:] == GROUND).all()


def test_rows_may_differ_in_length() -> None:
    sheet = contact_sheet([[plain(50, 50)] * 3, [plain(50, 50, BLUE)]], cell=50)
    assert sheet.shape[1] == 3 * 50 + 4 * MARGIN
    assert extent(sheet, BLUE)[3] == MARGIN + 50


def test_groups_lie_apart_and_have_a_caption_each() -> None:
    row = [plain(90, 90), plain(90, 90, BLUE)] * 2
    sheet = contact_sheet([row, row[:2]], captions=[("", "H"), ("H",)], cell=90, group=2)
    between = MARGIN + GROUP_GAP
    assert sheet.shape[1] == 4 * 90 + 4 * MARGIN + between
    second = 3 * MARGIN + 2 * 90 + GROUP_GAP
    assert (sheet[MARGIN, second : second + 90] == RED).all()
    assert (sheet[MARGIN, second - between : second] == GROUND).all()
    top = MARGIN + 90
    below = (sheet[top : top + MARGIN + 13] != GROUND).any(axis=(0, 2))
    assert not below[:second].any()
    assert below[second : second + 90].any()
    last = (sheet[extent(sheet, RED)[1] :] != GROUND).any(axis=(0, 2))
    assert last[MARGIN : MARGIN + 90].any()
    assert not last[second:].any()


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "no pictures"),
        ([[plain(9, 9)], []], {}, "no pictures"),
        ([[plain(9, 9)]], {"headings": ["a", "b"]}, "2 headings came for 1 places"),
        ([[plain(9, 9)]], {"captions": ["a", "b"]}, "2 captions came for 1 places"),
        ([[plain(9, 9)]], {"cell": 0}, "cell is 0"),
        ([[plain(9, 9)]], {"group": 0}, "group is 0"),
        ([[plain(9, 9).astype(np.float32)]], {}, "a picture of float32"),
        ([[np.zeros((9, 9, 4), np.uint8)]], {}, r"\(9, 9, 4\)"),
        ([[np.zeros((0, 9), np.uint8)]], {}, r"\(0, 9\)"),
    ],
)
def test_what_is_no_sheet_is_refused(
    rows: list[list[NDArray[Any]]], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        contact_sheet(rows, **options)

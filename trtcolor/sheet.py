"""Contact sheets: rows of pictures with headings and captions, on a neutral ground.

Ground and letters are grey, so that nothing beside a picture changes how its colours look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MARGIN = 8
GROUP_GAP = 16
TEXT_SIZE = 13
MAX_ENLARGEMENT = 2
GROUND = (46, 46, 46)
INK = (222, 222, 222)

Caption = str | Sequence[str]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    *,
    headings: Sequence[str] = (),
    captions: Sequence[Caption] = (),
    cell: int = 256,
    group: int = 1,
) -> NDArray[np.uint8]:
    """Lay pictures out in rows and columns.

    A column is as wide as its widest picture, a row as high as its highest; pictures lie in the
    middle of their places. Text that is too long for its place is cut and ends in dots.

    Args:
        rows: pictures of a row from left to right, uint8, (H, W) grey or (H, W, 3) RGB, of any
            sizes; rows may differ in length.
        headings: texts above the columns; none, or one for each column of the longest row.
        captions: texts below the rows; none, or one for each row. A caption of several texts has
            one below each picture of the row, or below each group of them, or, where these are
            other numbers, is spread evenly.
        cell: pixels of the longer side of a picture on the sheet (see `fit`).
        group: so many columns show one thing, and lie further from the next of their kind.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: no pictures, a wrong number of headings or captions, a `cell` or `group` below
            1, or an array that is no such picture.
    """
    columns = max((len(row) for row in rows), default=0)
    if columns == 0 or any(not row for row in rows):
        raise ValueError("a sheet of no pictures came; at least one in each row was needed")
    if group < 1:
        raise ValueError(f"group is {group}; a positive number of columns was needed")
    for name, texts, needed in (("headings", headings, columns), ("captions", captions, len(rows))):
        if len(texts) not in (0, needed):
            raise ValueError(
                f"{len(texts)} {name} came for {needed} places; as many or none were needed"
            )
    fitted = [[fit(picture, cell) for picture in row] for row in rows]
    widths = [max(p.shape[1] for row in fitted for p in row[c : c + 1]) for c in range(columns)]
    across = _Columns.of(widths, group)
    heights = [max(picture.shape[0] for picture in row) for row in fitted]
    font = ImageFont.load_default(TEXT_SIZE)
    line = TEXT_SIZE + MARGIN
    height = MARGIN + sum(heights) + MARGIN * len(rows)
    height += line * ((1 if headings else 0) + len(captions))

    sheet = Image.new("RGB", (across.width, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    top = MARGIN
    if headings:
        for left, room, text in zip(across.lefts, widths, headings, strict=True):
            _write(draw, (left, top), text, room, font)
        top += line
    for index, row in enumerate(fitted):
        for left, room, picture in zip(across.lefts, widths, row, strict=False):
            below, right = heights[index] - picture.shape[0], room - picture.shape[1]
            image = Image.fromarray(picture)
            sheet.paste(image.convert("RGB"), (left + right // 2, top + below // 2))
        top += heights[index] + MARGIN
        if captions:
            caption = captions[index]
            parts = [caption] if isinstance(caption, str) else caption
            for (left, room), part in zip(across.places(len(parts), len(row)), parts, strict=True):
                _write(draw, (left, top - MARGIN // 2), part, room, font)
            top += line
    return np.array(sheet)


@dataclass(frozen=True)
class _Columns:
    """Where columns lie on a sheet, in pixels."""

    lefts: list[int]
    widths: list[int]
    group: int

    @classmethod
    def of(cls, widths: list[int], group: int) -> _Columns:
        lefts, left = [], MARGIN
        for column, width in enumerate(widths):
            if column and column % group == 0 and group > 1:
                left += GROUP_GAP
            lefts.append(left)
            left += width + MARGIN
        return cls(lefts, widths, group)

    @property
    def width(self) -> int:
        return self.lefts[-1] + self.widths[-1] + MARGIN

    def places(self, parts: int, pictures: int) -> list[tuple[int, int]]:
        """(left, room) of each part of a caption below so many pictures."""
        if parts == pictures > 1:
            return list(zip(self.lefts, self.widths, strict=True))[:pictures]
        if self.group > 1 and parts * self.group == pictures:
            lefts = self.lefts[: pictures : self.group]
            ends = [left + width for left, width in zip(self.lefts, self.widths, strict=True)][
                self.group - 1 : pictures : self.group
            ]
            return [(left, end - left) for left, end in zip(lefts, ends, strict=True)]
        share = (self.width - MARGIN) / max(parts, 1)
        return [(MARGIN + round(i * share), round(share) - MARGIN) for i in range(parts)]


def fit(picture: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """Scale a picture until its longer side is `cell` pixels, its aspect kept.

    A small picture is enlarged to twice its size at most: more would only show its pixels.

    Args:
        picture: uint8, (H, W) or (H, W, 3).
        cell: in pixels, positive.

    Returns:
        uint8 of the same number of channels; `picture` itself where its size is right.

    Raises:
        ValueError: an array that is no such picture, or a `cell` below 1.
    """
    if (
        picture.dtype != np.uint8
        or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3))
        or 0 in picture.shape
    ):
        raise ValueError(
            f"a picture of {picture.dtype} {picture.shape} came; uint8 (H, W) or (H, W, 3) was "
            "needed; convert it first"
        )
    if cell < 1:
        raise ValueError(f"cell is {cell}; a positive number of pixels was needed")
    height, width = picture.shape[:2]
    scale = min(cell / max(height, width), MAX_ENLARGEMENT)
    if scale == 1:
        return picture
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.array(image.resize(size, Image.Resampling.LANCZOS))


def _write(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, room: int, font: Font
) -> None:
    draw.text(place, _shortened(text, room, font), fill=INK, font=font)


def _shortened(text: str, room: int, font: Font) -> str:
    """The text on one line, cut to what fits `room` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text + "..." if text else ""

"""Contact sheets: rows of pictures with headings and captions, on a neutral ground.

Ground and letters are grey, so that nothing beside a picture changes how its colours look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MARGIN = 8
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
) -> NDArray[np.uint8]:
    """Lay pictures out in rows and columns.

    A column is as wide as its widest picture, a row as high as its highest; pictures lie in the
    middle of their places. Text that is too long for its place is cut and ends in dots.

    Args:
        rows: pictures of a row from left to right, uint8, (H, W) grey or (H, W, 3) RGB, of any
            sizes; rows may differ in length.
        headings: texts above the columns; none, or one for each column of the longest row.
        captions: texts below the rows; none, or one for each row. A caption of several texts has
            one below each picture of the row, or, where these are more, is spread evenly.
        cell: pixels of the longer side of a picture on the sheet (see `fit`).

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: no pictures, a wrong number of headings or captions, a `cell` below 1, or an
            array that is no such picture.
    """
    columns = max((len(row) for row in rows), default=0)
    if columns == 0 or any(not row for row in rows):
        raise ValueError("a sheet of no pictures came; at least one in each row was needed")
    for name, texts, needed in (("headings", headings, columns), ("captions", captions, len(rows))):
        if len(texts) not in (0, needed):
            raise ValueError(
                f"{len(texts)} {name} came for {needed} places; as many or none were needed"
            )
    fitted = [[fit(picture, cell) for picture in row] for row in rows]
    widths = [max(p.shape[1] for row in fitted for p in row[c : c + 1]) for c in range(columns)]
    heights = [max(picture.shape[0] for picture in row) for row in fitted]
    font = ImageFont.load_default(TEXT_SIZE)
    line = TEXT_SIZE + MARGIN
    lefts = [MARGIN + sum(widths[:column]) + MARGIN * column for column in range(columns)]
    width = lefts[-1] + widths[-1] + MARGIN
    height = MARGIN + sum(heights) + MARGIN * len(rows)
    height += line * ((1 if headings else 0) + len(captions))

    sheet = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    top = MARGIN
    if headings:
        for left, room, text in zip(lefts, widths, headings, strict=True):
            _write(draw, (left, top), text, room, font)
        top += line
    for index, row in enumerate(fitted):
        for left, room, picture in zip(lefts, widths, row, strict=False):
            below, right = heights[index] - picture.shape[0], room - picture.shape[1]
            image = Image.fromarray(picture)
            sheet.paste(image.convert("RGB"), (left + right // 2, top + below // 2))
        top += heights[index] + MARGIN
        if captions:
            caption = captions[index]
            parts = [caption] if isinstance(caption, str) else caption
            share = (width - MARGIN) / max(len(parts), 1)
            places = [(MARGIN + round(i * share), round(share) - MARGIN) for i in range(len(parts))]
            if len(parts) == len(row) > 1:
                places = list(zip(lefts, widths, strict=True))[: len(row)]
            for (left, room), part in zip(places, parts, strict=True):
                _write(draw, (left, top - MARGIN // 2), part, room, font)
            top += line
    return np.array(sheet)


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

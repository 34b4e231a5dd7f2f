"""Sheets of what was coloured: before | after, and several models side by side, page by page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor.colorizer import Colorizer
from trtcolor.errors import PictureError
from trtcolor.gallery.names import readable
from trtcolor.gallery.thumbnails import Source, thumbnail
from trtcolor.images import MAX_PIXELS, check_output, read_picture, write_picture
from trtcolor.sheet import contact_sheet

CELL = 320
LONE_CELL = 640
"""Pixels of a picture's longer side on a sheet of many, and of one."""

COLUMNS, ROWS = 6, 10
"""Columns of pictures side by side, where a group has no more, and rows of groups on a page."""

BEFORE, AFTER = "before", "after"
PLATE = 66
"""Grey of a place whose picture cannot be shown."""

Item = TypeVar("Item")
Painter = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Pair:
    """A picture and what was made of it.

    Attributes:
        name: what stands below it; may hold what is no text (surrogates).
        before, after: files or pixels.
    """

    name: str
    before: Source
    after: Source


@dataclass(frozen=True)
class Row:
    """What stands side by side for one picture; None: it could not be had."""

    name: str
    pictures: tuple[Source | None, ...]


def before_after_sheet(
    pairs: Iterable[Pair],
    file: str | os.PathLike[str],
    *,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> list[Path]:
    """Write before | after of every pair, `pages` of them.

    The pictures of one page are held at a time, at the size they have there. A file that is gone
    or cannot be read leaves its place empty, and the line below says so.

    Args:
        pairs: taken one after another; at least one.
        file: of the first page; its suffix names the format, see `trtcolor.images.WRITE_FORMATS`.
            The others are FILE-2, FILE-3, ... beside it.
        max_pixels: of a file that is read.
        overwrite: replace pages that are there.

    Returns:
        The pages.

    Raises:
        ValueError: no pairs.
        PictureError, OutputExistsError: a page cannot be written (`check_sheet` says so before).
    """
    rows = (Row(pair.name, (pair.before, pair.after)) for pair in pairs)
    return _write(rows, Path(file), (BEFORE, AFTER), max_pixels, overwrite)


def comparison_sheet(
    pairs: Iterable[Pair],
    file: str | os.PathLike[str],
    *,
    model: str,
    others: Sequence[Colorizer],
    style: NDArray[Any] | None = None,
    saturation: float = 1.0,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> list[Path]:
    """Write before | after | the same by each other model, with the models' names above.

    Args:
        pairs, file, max_pixels, overwrite: as for `before_after_sheet`. What the others colour is
            ``before``.
        model: the name of the model that made ``after``.
        others: the other models, at least one; they are not closed.
        style: pixels of a picture whose global features all are to take, those of each model's own
            network; a model without any takes none.
        saturation: as for `trtcolor.colorizer.Colorizer.colorize`.

    Returns, Raises:
        As `before_after_sheet`; ValueError too where `others` is empty.
    """
    if not others:
        raise ValueError("no other models came; one was needed to compare with; pass its Colorizer")
    headings = (BEFORE, model, *(other.spec.name for other in others))
    painters = [_painter(other, style, saturation) for other in others]
    rows = (_compared(pair, painters, max_pixels) for pair in pairs)
    return _write(rows, Path(file), headings, max_pixels, overwrite)


def check_sheet(
    file: str | os.PathLike[str], pictures: int, *, models: int = 1, overwrite: bool = False
) -> None:
    """Refuse a sheet that could not be written, before the work for it.

    Args:
        file: of the first page.
        pictures: how many pictures there are at most.
        models: how many models are compared, 1 for before | after.
        overwrite: allow pages that are there.

    Raises:
        PictureError, OutputExistsError: as from `trtcolor.images.check_output`, for any page.
    """
    for page in pages(Path(file), pictures, models):
        check_output(page, overwrite=overwrite)


def pages(file: Path, pictures: int, models: int = 1) -> list[Path]:
    """The files that a sheet of so many pictures consists of."""
    room = _groups(1 + models) * ROWS
    return [_page(file, number) for number in range(max(-(-pictures // room), 1))]


def _page(file: Path, number: int) -> Path:
    return file if number == 0 else file.with_name(f"{file.stem}-{number + 1}{file.suffix}")


def _groups(width: int) -> int:
    """Groups of so many pictures side by side."""
    return max(COLUMNS // width, 1)


def _painter(colorizer: Colorizer, style: NDArray[Any] | None, saturation: float) -> Painter:
    features = None
    if style is not None and colorizer.spec.has_global_features:
        features = colorizer.global_features(style)
    return partial(colorizer.colorize, global_features=features, saturation=saturation)


def _compared(pair: Pair, painters: Sequence[Painter], max_pixels: int) -> Row:
    before = pair.before
    if not isinstance(before, np.ndarray):
        try:
            before = read_picture(Path(before), max_pixels=max_pixels).pixels
        except PictureError:
            return Row(pair.name, (None, pair.after, *([None] * len(painters))))
    coloured = (paint(before) for paint in painters)
    return Row(pair.name, (before, pair.after, *coloured))


def _write(
    rows: Iterator[Row], file: Path, headings: Sequence[str], max_pixels: int, overwrite: bool
) -> list[Path]:
    first = list(islice(rows, 2))
    if not first:
        raise ValueError("a sheet of no pictures came; at least one was needed; give pictures")
    cell = CELL if len(first) > 1 else LONE_CELL
    groups = _groups(len(headings))
    shown = (_shown(row, headings, cell, max_pixels) for row in chain(_drained(first), rows))
    written: list[Path] = []
    for page in batched(shown, groups * ROWS):
        across = min(groups, len(page))
        lines = list(batched(page, across))
        sheet = contact_sheet(
            [[picture for pictures, _ in line for picture in pictures] for line in lines],
            headings=[*headings] * across,
            captions=[[caption for _, caption in line] for line in lines],
            cell=cell,
            group=len(headings),
        )
        written.append(_page(file, len(written)))
        write_picture(written[-1], sheet, overwrite=overwrite)
    return written


def _shown(
    row: Row, headings: Sequence[str], cell: int, max_pixels: int
) -> tuple[list[NDArray[np.uint8]], str]:
    """A row's pictures at the size that they have on the sheet, and its caption."""
    pictures, absent = [], []
    for heading, source in zip(headings, row.pictures, strict=True):
        try:
            if source is None:
                raise PictureError("there is none")
            pictures.append(thumbnail(source, cell, max_pixels=max_pixels))
        except PictureError:
            absent.append(heading)
            pictures.append(np.full((cell * 3 // 4, cell), PLATE, np.uint8))
    name = readable(row.name)
    return pictures, f"{name} ({', '.join(absent)}: cannot be shown)" if absent else name


def _drained(items: list[Item]) -> Iterator[Item]:
    """Its items, none of which it holds any longer."""
    while items:
        yield items.pop(0)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of so many, and a last one of the rest (``itertools.batched`` of Python 3.12)."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch

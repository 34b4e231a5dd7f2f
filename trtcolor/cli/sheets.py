"""``--sheet`` and ``--compare``, for the commands that colour pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.options import PATH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtcolor.colorizer import Colorizer
    from trtcolor.gallery.sheets import Pair


def sheet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A sheet of what was coloured, and models to compare on it."""
    sheet = click.option(
        "--sheet", type=PATH, help="Write a picture of it all: before | after; pages if many."
    )
    compare = click.option(
        "--compare",
        multiple=True,
        metavar="BUNDLE",
        help="Show this model's colours on the sheet too; may be repeated.",
    )
    return sheet(compare(command))


def check_sheet_options(
    sheet: Path | None, compare: tuple[str, ...], pictures: int, *, overwrite: bool
) -> None:
    """Refuse a sheet that could not be made of so many pictures, before the work for it."""
    from trtcolor.bundle import find_bundle
    from trtcolor.gallery.sheets import check_sheet

    if sheet is None:
        if compare:
            raise click.UsageError("--compare came without --sheet, where it shows; add --sheet")
        return
    for name in compare:
        find_bundle(name)
    check_sheet(sheet, pictures, models=1 + len(compare), overwrite=overwrite)


def write_sheet(
    sheet: Path,
    pairs: Iterable[Pair],
    *,
    compare: tuple[str, ...],
    model: str,
    open_model: Callable[[str], Colorizer],
    style: NDArray[Any] | None,
    saturation: float,
    max_pixels: int,
    overwrite: bool,
) -> None:
    """Write the sheet and say where it is.

    Args:
        sheet, compare: as given on the command line.
        pairs: what was coloured.
        model: the name of the model that coloured it.
        open_model: gives the Colorizer of a bundle to compare with.
        style: pixels of the picture whose global features were taken; None: each picture's own.
        saturation, max_pixels, overwrite: as the pictures were coloured with.
    """
    from trtcolor.gallery.sheets import before_after_sheet, comparison_sheet

    if not compare:
        written = before_after_sheet(pairs, sheet, max_pixels=max_pixels, overwrite=overwrite)
    else:
        with ExitStack() as stack:
            written = comparison_sheet(
                pairs,
                sheet,
                model=model,
                others=[stack.enter_context(open_model(name)) for name in compare],
                style=style,
                saturation=saturation,
                max_pixels=max_pixels,
                overwrite=overwrite,
            )
    pages = f" to {written[-1].name}" if len(written) > 1 else ""
    click.echo(f"the sheet is {sheet}{pages}")

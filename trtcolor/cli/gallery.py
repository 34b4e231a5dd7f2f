"""The command ``gallery``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trtcolor.cli.options import PATH, overwrite_option


@click.command()
@click.argument("folder", type=PATH)
@click.option(
    "-o", "--output", type=PATH, metavar="FILE.html", help="Default: gallery.html in FOLDER."
)
@click.option("--title", help="Default: the folder's name.")
@click.option(
    "--size",
    type=click.IntRange(64, 4096),
    default=960,
    show_default=True,
    help="Pixels of the longer side of a picture in the page.",
)
@click.option(
    "--quality", type=click.IntRange(1, 100), default=75, show_default=True, help="Of its WebP."
)
@click.option(
    "--pictures",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Show so many at most; those that failed are all named.",
)
@overwrite_option
def gallery(
    folder: Path,
    output: Path | None,
    title: str | None,
    size: int,
    quality: int,
    pictures: int,
    overwrite: bool,
) -> None:
    """Make one HTML page of FOLDER, which colorize wrote: before and after, side over side.

    The page has all in it, and needs neither its folder nor a network.
    """
    from trtcolor.gallery.page import write_gallery

    live = sys.stderr.isatty()

    def progress(done: int, expected: int) -> None:
        if live:
            click.echo(f"\r{done} of {expected} pictures", err=True, nl=done == expected)

    made = write_gallery(
        folder,
        output,
        title=title,
        size=size,
        quality=quality,
        pictures=pictures,
        overwrite=overwrite,
        progress=progress,
    )
    left_out = f", {made.left_out} left out (here: --pictures)" if made.left_out else ""
    click.echo(f"{made.file}: {made.shown} pictures{left_out}, {made.bytes / 1e6:.1f} MB")

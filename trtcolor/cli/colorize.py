"""The command ``colorize``: one picture, or as many as there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trtcolor.cli.coloring import Coloring
from trtcolor.cli.options import (
    PLACE,
    memory_option,
    overwrite_option,
    ray_option,
    render_option,
    runner_options,
    saturation_option,
    threads_option,
    upsampling_option,
)
from trtcolor.cli.sheets import sheet_options


@click.command()
@click.argument("inputs", metavar="IN...", nargs=-1)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="A file for one picture, else a folder, or a prefix of a store.",
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="FILE",
    help="Take the paths in this file too, a line each or NUL between them; - is standard input.",
)
@runner_options
@click.option("--style", type=PLACE, help="Take the global features of this picture instead.")
@saturation_option
@render_option
@upsampling_option
@click.option(
    "--format",
    type=click.Choice(("png", "jpeg", "tiff", "webp")),
    help="Of all outputs; default: that of each input where it can be written, else PNG.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=95,
    show_default=True,
    help="Of formats that lose something.",
)
@click.option(
    "--keep-metadata/--no-keep-metadata",
    default=True,
    show_default=True,
    help="Copy EXIF, IPTC, XMP, comments and resolution.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=178_956_970,
    show_default=True,
    help="Refuse larger pictures.",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Go on with a folder: leave what was made from the same content with the same settings "
    "and model, make again what was not.",
)
@click.option("--report", type=PLACE, metavar="FILE.jsonl", help="A line of JSON for each picture.")
@sheet_options
@threads_option
@memory_option
@ray_option
@overwrite_option
def colorize(inputs: tuple[str, ...], output: str, lists: tuple[str, ...], **options: Any) -> None:
    """Colour pictures; their luminance stays as it is.

    IN is a picture, a folder with all in it (hidden files apart), a pattern in quotes ('**' for
    folders at any depth), @FILE for a list of paths, or - for one from standard input. In OUT
    pictures lie as they do below the deepest folder that holds all inputs. Both may be in a store,
    as s3://BUCKET/PREFIX or gs://BUCKET/PREFIX, and IN on a web server, as https://HOST/PICTURE.

    A picture that cannot be coloured is named, and the others go on; the exit status is 1 then.
    After whatever ended a run, the same command with --skip-existing finishes the rest.
    """
    from trtcolor.archive.find import named_file
    from trtcolor.archive.names import is_folder
    from trtcolor.stores.address import place_of
    from trtcolor.stores.objects import check_writable

    if not inputs and not lists:
        raise click.UsageError("Missing argument 'IN...'.")
    command = Coloring(**options)
    place = place_of(output)
    if not isinstance(place, Path):
        check_writable(place)
    file = named_file(inputs, lists)
    if file is None or output.endswith("/") or is_folder(place):
        command.color_many(inputs, lists, place)
    else:
        command.color_one(file, place)

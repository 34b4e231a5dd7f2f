"""The command ``evaluate``."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from trtcolor.cli.options import (
    PATH,
    given_options,
    overwrite_option,
    render_option,
    saturation_option,
)
from trtcolor.cli.results import check_results, write_results

VIDEO_SUFFIXES = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mxf", ".ts", ".webm", ".wmv"}
)
FOR_CLIPS = frozenset(
    {"bundles", "data", "limit", "saturation", "render", "threads", "json_file", "overwrite"}
)


@click.command()
@click.argument("bundles", nargs=-1, required=True)
@click.argument("data")
@click.option(
    "--paper",
    type=click.Choice(["001", "003", "004"]),
    help="Measure as this paper does and print its own table with ours in it.",
)
@click.option("--places", metavar="DATA", help="For --paper 003: MIT Places' pictures.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures.")
@click.option(
    "--size", type=click.IntRange(1, 16384), help="Scale pictures to N x N before everything."
)
@click.option("--only-class", metavar="NAME", help="Only pictures of this class.")
@click.option(
    "--training-data",
    metavar="DATA",
    help="Training pictures of bundles that do not say their mean colour.",
)
@saturation_option
@render_option
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    help="Pictures at a time; of a film, threads of the network; default: one a core.",
)
@click.option("--fid", type=PATH, help="An Inception's file (.pt or .onnx): measure FID too.")
@click.option("--lpips", type=PATH, help="A network's file (.pt or .onnx): measure LPIPS too.")
@click.option("--json", "json_file", type=PATH, help="Write all values, picture by picture.")
@click.option("--sheet", type=PATH, help="Write a picture: grey | each bundle | original.")
@click.option(
    "--sheet-pictures",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="How many of the first pictures stand on the sheet.",
)
@click.option("--record", is_flag=True, help="Write each bundle's figures into its model.json.")
@overwrite_option
def evaluate(
    bundles: tuple[str, ...],
    data: str,
    paper: str | None,
    places: str | None,
    json_file: Path | None,
    sheet: Path | None,
    sheet_pictures: int,
    record: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Measure the colours of BUNDLES on DATA, a folder of pictures or shards ('val-*.tar.gz').

    One table: a row a bundle, and rows for pictures left grey and for the training set's mean
    colour, which any network must beat. DATA may be a film too: then how steady its colours are
    from frame to frame, shot by shot.
    """
    from trtcolor.bundle import SPEC_FILE, find_bundle, record_metrics
    from trtcolor.evaluation.papers.run import compare_with_paper
    from trtcolor.evaluation.result import Settings
    from trtcolor.evaluation.run import evaluate as measure_colours
    from trtcolor.evaluation.sheet import write_sheet
    from trtcolor.evaluation.table import table
    from trtcolor.images import check_output

    if places is not None and paper != "003":
        raise click.UsageError("--places came without --paper 003; leave it out or ask for 003")
    if json_file is not None and json_file == sheet:
        raise click.UsageError(f"--json and --sheet are both {sheet}; give each its own file")
    check_results(json_file, overwrite)
    if Path(data).suffix.lower() in VIDEO_SUFFIXES:
        _refuse_for_clip()
        _evaluate_clip(bundles, data, json_file, overwrite, options)
        return
    if sheet is not None:
        check_output(sheet, overwrite=overwrite)
    for bundle in bundles if record else ():
        check_results(find_bundle(bundle) / SPEC_FILE, overwrite=True)
    chosen = ("limit", "size", "only_class", "saturation", "render")
    settings = Settings(**{name: options.pop(name) for name in chosen})
    options["show"] = sheet_pictures if sheet is not None else 0
    with _progress() as options["progress"]:
        if paper is None:
            found = measure_colours(bundles, data, settings, **options)
            text, entries = table(found), found.to_dict()
        else:
            compared = compare_with_paper(paper, bundles, data, settings, places=places, **options)
            found, text, entries = compared.evaluations[0], compared.text(), compared.to_dict()
    click.echo(text)
    if sheet is not None:
        write_sheet(sheet, found, overwrite=overwrite)
    write_results(json_file, json.dumps(entries, allow_nan=False) + "\n", overwrite)
    for bundle, row in zip(bundles, found.bundles, strict=True):
        if record:
            record_metrics(bundle, found.flat(row))


def _refuse_for_clip() -> None:
    """Refuse the options that a clip has no use for, those of the command line that is run."""
    for name, flag in given_options().items():
        if name not in FOR_CLIPS:
            raise click.UsageError(f"{flag} came for a film, which has no use for it; leave it out")


def _evaluate_clip(
    bundles: tuple[str, ...],
    clip: str,
    json_file: Path | None,
    overwrite: bool,
    options: dict[str, Any],
) -> None:
    from trtcolor.evaluation.clip import evaluate_clip

    chosen = {name: options[name] for name in ("limit", "saturation", "render", "threads")}
    with _progress() as progress:
        found = evaluate_clip(
            bundles, clip, progress=lambda done, of: progress(done, of or done), **chosen
        )
    click.echo(found.table())
    write_results(json_file, found.to_json(), overwrite)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; where nobody watches, not even its label is printed."""
    screen = sys.stderr if sys.stderr.isatty() else io.StringIO()
    with click.progressbar(length=1, label="evaluating", file=screen) as bar:

        def progress(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield progress

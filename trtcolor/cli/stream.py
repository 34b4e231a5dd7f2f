"""The command ``stream``: frames in, coloured frames out, as a filter between other programs."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import Any

import click

from trtcolor.cli.options import (
    PATH,
    memory_option,
    overwrite_option,
    render_option,
    runner_options,
    saturation_option,
    tell_backend,
    threads_option,
)


@click.command()
@click.argument("source", type=PATH, metavar="IN")
@click.argument("target", type=PATH, metavar="OUT")
@click.option("--size", metavar="WxH", help="IN has raw frames of this size; default: y4m.")
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    help="Their pixel format by FFmpeg's name: gray, gray10le, yuv420p, nv12, rgb24, ...",
)
@click.option(
    "--range",
    "range_",
    type=click.Choice(("limited", "full")),
    help="Of raw frames; default: full for gray, limited for YUV.",
)
@click.option(
    "--matrix",
    type=click.Choice(("bt601", "bt709", "bt2020")),
    help="Of the chroma; default: bt709 from 720 rows, below bt601.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=1 << 27,
    show_default=True,
    help="Refuse larger frames.",
)
@runner_options
@click.option(
    "--steady", type=click.FloatRange(0, 1), help="How far colours are held still along time."
)
@click.option("--style", type=PATH, help="Take the global features of this picture instead.")
@saturation_option
@render_option
@threads_option
@memory_option
@overwrite_option
def stream(
    source: Path,
    target: Path,
    size: str | None,
    format_name: str | None,
    range_: Any,
    matrix: Any,
    max_pixels: int,
    model: str,
    backend: str | None,
    precision: Any,
    engine: Path | None,
    trust: bool,
    steady: float | None,
    style: Path | None,
    saturation: float,
    render: Any,
    threads: int | None,
    memory: int | None,
    overwrite: bool,
) -> None:
    """Colour the frames of IN (y4m, or raw with --size and --format) and write them to OUT.

    '-' is standard input or output. The Y plane goes out as it came; grey gets 4:2:0. Frames go out
    as soon as they are made. An input that is cut short fails, once the whole frames before are
    written; a reader of OUT that goes away ends it with status 141.
    """
    if source.exists() and target.exists() and source.samefile(target):
        raise click.UsageError(f"IN and OUT are both {source}; two files were needed; name another")
    if str(target) == "-" and os.isatty(1):
        raise click.UsageError(
            "frames would go to a terminal; a pipe or a file was needed; add '| ffmpeg -i - FILE'"
        )
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import read_picture
    from trtcolor.video import pipes
    from trtcolor.video.readers import coloured_by, open_reader

    with ExitStack() as stack:
        intake = stack.enter_context(pipes.open_intake(source))
        reader = open_reader(
            BufferedReader(intake),
            name="standard input" if source == pipes.STANDARD else repr(str(source)),
            size=size,
            format=format_name,
            matrix=matrix,
            range=range_,
            max_pixels=max_pixels,
        )
        colorizer = stack.enter_context(
            Colorizer(
                model,
                backend=backend,
                precision=precision,
                engine=engine,
                trust=trust,
                render=render,
                threads=threads,
                memory=memory,
            )
        )
        tell_backend(colorizer)
        options: dict[str, Any] = {"saturation": saturation}
        if steady is not None:
            options["steady"] = steady
        if style is not None:
            options["style"] = colorizer.global_features(read_picture(style).pixels)
        coloured = coloured_by(colorizer, reader, **options)
        outlet = stack.enter_context(pipes.open_outlet(target, overwrite=overwrite))
        try:
            pipes.pass_on(coloured, reader.writer(outlet), intake)
        except BrokenPipeError:  # what the shell says of programs that SIGPIPE ends
            click.get_current_context().exit(128 + signal.SIGPIPE)

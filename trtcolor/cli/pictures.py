"""The commands ``classify`` and ``demo``; ``colorize`` has a file of its own."""

from __future__ import annotations

from pathlib import Path

import click

from trtcolor.cli.options import (
    PATH,
    backend_option,
    model_option,
    overwrite_option,
    saturation_option,
    tell_backend,
    threads_option,
)


@click.command()
@click.argument("picture", type=PATH)
@model_option
@backend_option
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True)
@threads_option
def classify(picture: Path, model: str, backend: str | None, top: int, threads: int | None) -> None:
    """Name the scenes that a PICTURE most probably shows."""
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import read_picture

    pixels = read_picture(picture).pixels
    with Colorizer(model, backend=backend, threads=threads) as colorizer:
        tell_backend(colorizer)
        for name, probability in colorizer.classify(pixels, top=top):
            click.echo(f"{probability:6.1%}  {name}")


@click.command()
@click.option(
    "-o", "--output", type=PATH, default=Path("trtcolor-demo.png"), show_default=True, help="Sheet."
)
@model_option
@backend_option
@saturation_option
@threads_option
@overwrite_option
def demo(
    output: Path,
    model: str,
    backend: str | None,
    saturation: float,
    threads: int | None,
    overwrite: bool,
) -> None:
    """Colour grey copies of a few photographs: one sheet grey | coloured | original."""
    from trtcolor.demo import run_demo

    run_demo(
        output,
        model=model,
        backend=backend,
        saturation=saturation,
        threads=threads,
        overwrite=overwrite,
        say=click.echo,
    )

"""The commands ``colorize``, ``classify`` and ``demo``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from trtcolor.cli.options import (
    PATH,
    backend_option,
    memory_option,
    model_option,
    overwrite_option,
    render_option,
    runner_options,
    saturation_option,
    tell_backend,
    threads_option,
    upsampling_option,
)
from trtcolor.cli.sheets import check_sheet_options, sheet_options, write_sheet


@click.command()
@click.argument("picture", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="PNG, JPEG, TIFF or WebP.")
@runner_options
@click.option("--style", type=PATH, help="Take the global features of this picture instead.")
@saturation_option
@render_option
@upsampling_option
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=178_956_970,
    show_default=True,
    help="Refuse larger pictures.",
)
@threads_option
@memory_option
@sheet_options
@overwrite_option
def colorize(
    picture: Path,
    output: Path,
    model: str,
    backend: str | None,
    precision: Any,
    engine: Path | None,
    trust: bool,
    style: Path | None,
    saturation: float,
    render: int,
    upsampling: Any,
    max_pixels: int,
    threads: int | None,
    memory: int | None,
    sheet: Path | None,
    compare: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Colour one PICTURE; its luminance stays as it is."""
    from trtcolor.colorizer import Colorizer
    from trtcolor.gallery.sheets import Pair
    from trtcolor.images import check_output, read_picture, write_picture

    check_output(output, overwrite=overwrite)
    check_sheet_options(sheet, compare, 1, overwrite=overwrite)
    pixels = read_picture(picture, max_pixels=max_pixels).pixels
    check_output(output, overwrite=overwrite, pixels=pixels)
    with Colorizer(
        model,
        backend=backend,
        precision=precision,
        engine=engine,
        trust=trust,
        render=render,
        upsampling=upsampling,
        threads=threads,
        memory=memory,
    ) as colorizer:
        tell_backend(colorizer)
        features = None
        if style is not None:
            features = colorizer.global_features(read_picture(style, max_pixels=max_pixels).pixels)
        coloured = colorizer.colorize(pixels, global_features=features, saturation=saturation)
        name = colorizer.spec.name
    write_picture(output, coloured, overwrite=overwrite)
    click.echo(f"{output}: {coloured.shape[1]}x{coloured.shape[0]}, {coloured.dtype}")
    if sheet is not None:
        write_sheet(
            sheet,
            [Pair(picture.name, pixels, coloured)],
            compare=compare,
            model=name,
            open_model=partial(
                Colorizer,
                backend=backend,
                render=render,
                upsampling=upsampling,
                threads=threads,
                memory=memory,
            ),
            saturation=saturation,
            max_pixels=max_pixels,
            overwrite=overwrite,
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

"""The command ``video``."""

from __future__ import annotations

from typing import Any

import click

from trtcolor.cli.filming import Filming
from trtcolor.cli.options import (
    PATH,
    PLACE,
    memory_option,
    overwrite_option,
    ray_option,
    render_option,
    runner_options,
    saturation_option,
    threads_option,
)


@click.command()
@click.argument("source", metavar="IN", type=PLACE)
@click.argument("output", metavar="[OUT]", type=PLACE, required=False)
@runner_options
@click.option("--style", type=PLACE, help="Take the global features of this picture instead.")
@saturation_option
@render_option
@click.option(
    "--steady",
    type=click.FloatRange(0, 1),
    help="How steady colours are along time; 0: each frame by itself; default: measured best.",
)
@click.option("--codec", help="FFmpeg's encoder; default: by the container (H.264 in most).")
@click.option("--quality", type=float, help="By the encoder's measure, as CRF; less is better.")
@click.option(
    "-e", "--encoder-option", "encoder_options", multiple=True, metavar="KEY=VALUE",
    help="Of the encoder, as preset=slow; may be given again.",
)  # fmt: skip
@click.option(
    "--deinterlace", type=click.Choice(["bwdif", "yadif"]), help="Make whole frames of fields."
)
@click.option("--hardware", metavar="DEVICE", help="Decode on it: cuda, vaapi, videotoolbox, ...")
@click.option(
    "--assume-sdr", is_flag=True, help="Take PQ, HLG or linear film as of standard range."
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "grey", "repeat"]),
    default="stop",
    show_default=True,
    help="What becomes of a frame that cannot be decoded.",
)
@click.option(
    "--chroma", type=PATH, metavar="FILE", help="Write the chroma of every frame there as well."
)
@click.option(
    "--from-chroma",
    type=PATH,
    metavar="FILE",
    help="Merge the chroma of such a file, at any resolution, in the place of a network's.",
)
@click.option(
    "--fragment",
    type=click.IntRange(min=1),
    metavar="FRAMES",
    help="Frames after which the next shot is a point to resume from, at the latest after twice as "
    "many; default: 240.",
)
@click.option(
    "--benchmark", is_flag=True, help="Colour without writing anything; print each stage's time."
)
@click.option("--resume", is_flag=True, help="Go on with unfinished work.")
@overwrite_option
@ray_option
@threads_option
@memory_option
def video(**options: Any) -> None:
    """Colour the film IN; OUT has its luma, its sound, its time stamps and all else of it.

    Either may be in a store, as s3://BUCKET/KEY or gs://BUCKET/KEY, IN on a web server too, as
    https://HOST/FILM: IN is fetched whole then, and OUT is uploaded once it is whole.

    A killed run goes on with --resume, with or without --ray. Exits with status 1 if a frame could
    not be coloured.
    """
    Filming(**options).run()

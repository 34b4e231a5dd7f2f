"""The command line: parse, call, print. Everything else is imported inside the commands."""

from __future__ import annotations

import click

from trtcolor.cli.bench import bench
from trtcolor.cli.build_engine import build_engine
from trtcolor.cli.colorize import colorize
from trtcolor.cli.doctor import doctor
from trtcolor.cli.engines import engines
from trtcolor.cli.evaluate import evaluate
from trtcolor.cli.gallery import gallery
from trtcolor.cli.group import Commands
from trtcolor.cli.models import models
from trtcolor.cli.pictures import classify, demo
from trtcolor.cli.stream import stream
from trtcolor.cli.study import study
from trtcolor.cli.video import video


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trtcolor", prog_name="trtcolor")  # read when asked for
def main() -> None:
    """Give black-and-white pictures their colours."""


for command in (
    bench,
    build_engine,
    classify,
    colorize,
    demo,
    doctor,
    engines,
    evaluate,
    gallery,
    models,
    stream,
    study,
    video,
):
    main.add_command(command)

"""``--triton`` and what goes with it: options of ``export``, which lies in the training package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.options import PATH

if TYPE_CHECKING:
    from trtcolor.triton.repository import Exported

KINDS = ("auto", "gpu", "cpu")
SETTINGS = {
    "max_batch": "--max-batch",
    "preferred": "--preferred",
    "queue_delay": "--queue-delay",
    "instances": "--instances",
    "kind": "--kind",
    "warm_up": "--warm-up",
}
"""Options of `Serving`, by parameter."""
ALONE = {**SETTINGS, "engine": "--engine", "trust": "--trust"}
"""Options that mean nothing without ``--triton``, by parameter."""


class Whole(click.ParamType[tuple[int, ...]]):
    """Positive numbers by comma."""

    name = "N,N"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(part.strip().isdecimal() for part in parts):
            self.fail(f"{value!r} is none; numbers by comma were needed, as in 4,8", param, context)
        return tuple(map(int, parts))


class Sizes(click.ParamType[tuple[tuple[int, int], ...]]):
    """``640x480,1920x1080`` as (height, width) each, or ``none``."""

    name = "WxH|none"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[tuple[int, int], ...]:
        from trtcolor.bench.sizes import parse_sizes

        if isinstance(value, tuple):
            return value
        try:
            return () if value == "none" else tuple(parse_sizes(value))
        except ValueError as error:
            self.fail(str(error), param, context)


def triton_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--triton`` and how the server is to run what it says."""
    for option in reversed(
        (
            click.option(
                "--triton",
                "repository",
                type=PATH,
                metavar="REPOSITORY",
                help="Also write the model into this repository of the Triton Inference Server.",
            ),
            click.option(
                "--max-batch",
                type=click.IntRange(1, 1024),
                default=8,
                show_default=True,
                help="Frames that the server may run at once.",
            ),
            click.option(
                "--preferred",
                type=Whole(),
                default=(),
                help="Batches that are not to wait for more; the server's guide advises none.",
            ),
            click.option(
                "--queue-delay",
                type=click.IntRange(min=0),
                default=0,
                show_default=True,
                metavar="MICROSECONDS",
                help="That a request may wait for others of its size.",
            ),
            click.option(
                "--instances",
                type=click.IntRange(1, 64),
                default=1,
                show_default=True,
                help="Of the model on each device.",
            ),
            click.option(
                "--kind",
                type=click.Choice(KINDS),
                default="auto",
                show_default=True,
                help="Of device; auto: the server's GPUs, or its CPU if it has none.",
            ),
            click.option(
                "--warm-up",
                type=Sizes(),
                default="640x480",
                show_default=True,
                help="Sizes of frames that it runs before it says that it is ready.",
            ),
            click.option(
                "--engine",
                type=PATH,
                help="Write the plans of this engine, tensorrt's with --frames, in the place of "
                "ONNX graphs.",
            ),
            click.option("--trust", is_flag=True, help="Take that engine from wherever it lies."),
        )
    ):
        command = option(command)
    return command


def refuse_settings(given: Mapping[str, str]) -> None:
    """Refuse settings of the server on a line without ``--triton``.

    Args:
        given: as from `trtcolor.cli.options.given_options`.

    Raises:
        UsageError: there is one.
    """
    for name in ALONE:
        if name in given and "repository" not in given:
            raise click.UsageError(
                f"{given[name]} came without --triton; a repository was needed for it; name one or "
                "leave it out"
            )


def export_repository(
    model: str | Path, repository: Path, options: Mapping[str, Any], **settings: Any
) -> Exported:
    """Write a model into a repository and say so.

    Args:
        model: a bundle's name or folder.
        options: the command's, those of `triton_options` among them.
        settings: the others of `trtcolor.triton.repository.export_triton`; those that an engine
            settles are left to it.

    Raises:
        ValueError, TrtcolorError: as from `export_triton` and `export_triton_engine`.
    """
    from trtcolor.triton.repository import export_triton, export_triton_engine
    from trtcolor.triton.serving import Serving

    serving = Serving(**{name: options[name] for name in SETTINGS})
    if options["engine"] is None:
        exported = export_triton(model, repository, serving=serving, **settings)
    else:
        kept = {name: settings[name] for name in ("name", "channels", "overwrite")}
        exported = export_triton_engine(
            model, options["engine"], repository, serving=serving, trust=options["trust"], **kept
        )
    for path in exported.paths:
        click.echo(path)
    state = "held" if exported.validated else "not held"
    how = "" if exported.validated else '; for that run: pip install "trtcolor[triton]"'
    click.echo(
        f"ask the server for {exported.name!r}; its configuration was {state} against the "
        f"server's schema{how}",
        err=True,
    )
    return exported

"""``--triton`` and what goes with it, options of ``trtcolor export``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.options import PATH, given_options

if TYPE_CHECKING:
    from trtcolor.bundle import Bundle
    from trtcolor.end_to_end.steps import Channels
    from trtcolor.triton.serving import Serving

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
OF_GRAPHS = ("render", "gamut", "arithmetic", "saturation")
"""Options that say what graphs do, by parameter."""
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


@dataclass(frozen=True)
class Server:
    """What ``--triton`` asks for.

    Attributes:
        repository: to write into.
        serving: how the server is to run the model.
        engine: whose plans are written in the place of graphs; None: graphs.
        trust: whether it may lie anywhere.
        overwrite: replace models of the same names.
    """

    repository: Path
    serving: Serving
    engine: Path | None
    trust: bool
    overwrite: bool

    @classmethod
    def taken(cls, options: dict[str, Any]) -> Server | None:
        """Take what `triton_options` gave out of a command's options.

        Returns:
            None: no ``--triton``.

        Raises:
            UsageError: an option that means nothing without another.
            ValueError: settings that no server would have.
        """
        from trtcolor.triton.serving import Serving

        repository = options.pop("repository")
        engine, trust = options.pop("engine"), options.pop("trust")
        settings = {name: options.pop(name) for name in SETTINGS}
        given = given_options()
        for name, flag in ALONE.items():
            if name in given and repository is None:
                raise click.UsageError(
                    f"{flag} came without --triton; a repository was needed for it; name one or "
                    "leave it out"
                )
        if trust and engine is None:
            raise click.UsageError("--trust came without --engine; name one or leave it out")
        for name in OF_GRAPHS:
            if engine is not None and name in given:
                raise click.UsageError(
                    f"{given[name]} came with --engine, whose plans have theirs; build an engine "
                    "as it should be, or leave one of the two out"
                )
        if repository is None:
            return None
        return cls(repository, Serving(**settings), engine, trust, options["overwrite"])

    def check(self, name: str) -> None:
        """Refuse a name that is taken, or is none, before anything else is written.

        Raises:
            ValueError, OutputExistsError, ExportError: as from
                `trtcolor.triton.repository.check_name`.
        """
        from trtcolor.triton.repository import check_name

        check_name(self.repository, name, overwrite=self.overwrite)

    def write(self, bundle: Bundle, name: str | None, channels: Channels, **graphs: Any) -> None:
        """Write the model into the repository and say so.

        Args:
            name: on the server; None: the bundle's.
            channels: of the frames.
            graphs: what else `trtcolor.triton.repository.export_triton` wants to know of them.
        """
        from trtcolor.triton.repository import export_triton, export_triton_engine

        shared: dict[str, Any] = {
            "name": name,
            "serving": self.serving,
            "channels": channels,
            "overwrite": self.overwrite,
        }
        if self.engine is None:
            done = export_triton(bundle.path, self.repository, **shared, **graphs)
        else:
            done = export_triton_engine(
                bundle.path, self.engine, self.repository, trust=self.trust, **shared
            )
        for path in done.paths:
            click.echo(path)
        state = "held" if done.validated else "not held"
        how = "" if done.validated else '; for that run: pip install "trtcolor[triton]"'
        click.echo(
            f"ask the server for {done.name!r}; its configuration was {state} against the "
            f"server's schema{how}",
            err=True,
        )

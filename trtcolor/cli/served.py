"""Options of ``trtcolor export`` for graphs from frames to frames, which servers run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from trtcolor.backends.available import PRECISIONS, Precision
from trtcolor.cli.options import PATH, given_options, render_option

if TYPE_CHECKING:
    from trtcolor.bundle import Bundle
    from trtcolor.cli.triton import Server
    from trtcolor.end_to_end.graph import Features, Graphs
    from trtcolor.end_to_end.steps import Channels, Gamut
    from trtcolor.geometry import Render

CHANNELS: dict[str, Channels] = {"1": 1, "3": 3, "any": None}


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the graphs are to be, as `trtcolor.end_to_end.graph.end_to_end_graph` takes it.

    Attributes:
        end_to_end: file to write; None: none.
        arithmetic: of the network in them.
        pictures: to calibrate and to judge another arithmetic than fp32 by.
        overwrite: replace what is there.
        server: what is to be written for a server; None: nothing.
    """

    end_to_end: Path | None
    render: Render
    gamut: Gamut
    channels: Literal["1", "3", "any"]
    features: Features
    arithmetic: Precision
    pictures: str | None
    overwrite: bool
    server: Server | None

    def check(self) -> None:
        """Refuse, before anything has taken its time, what cannot be.

        Raises:
            UsageError: an option for a file that is not to be written.
            OutputExistsError: the file is there and is not to be replaced.
            ExportError: its folder is not there.
        """
        from trtcolor.end_to_end.export import refuse_place

        if self.end_to_end is None:
            flags = given_options()
            wanted = ("render", "gamut", "channels", "arithmetic") if self.server is None else ()
            for name in ("features", *wanted):
                if name in flags:
                    raise click.UsageError(
                        f"{flags[name]} came without a file to write; --end-to-end FILE was "
                        "needed; add it"
                    )
        else:
            refuse_place(self.end_to_end, overwrite=self.overwrite)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was asked for."""
        return self.end_to_end is None and self.server is None

    def write(self, bundle: Bundle, saturation: float, name: str | None = None) -> None:
        """Write what was asked for, and say so.

        Args:
            name: of the model on a server; None: the bundle's.
        """
        if self.is_nothing:
            return
        channels = CHANNELS[self.channels]
        settings: dict[str, Any] = {
            "render": self.render,
            "gamut": self.gamut,
            "saturation": saturation,
            "graphs": self._graphs(bundle),
        }
        if self.end_to_end is not None:
            self._write_file(bundle, self.end_to_end, channels=channels, **settings)
        if self.server is not None:
            self.server.write(bundle, name, channels, **settings)

    def _write_file(self, bundle: Bundle, file: Path, **settings: Any) -> None:
        from trtcolor.end_to_end.export import export_end_to_end

        done = export_end_to_end(
            bundle, file, features=self.features, overwrite=self.overwrite, **settings
        )
        size = done.path.stat().st_size / 1e6
        click.echo(f"{done.path}: {size:.1f} MB; {done.comparison}")

    def _graphs(self, bundle: Bundle) -> Graphs | None:
        from trtcolor.precision.forms import graphs_at

        if self.arithmetic == "fp32":
            return None
        return graphs_at(
            bundle,
            self.arithmetic,
            form="tensorrt",
            pictures=self.pictures,
            say=lambda line: click.echo(line, err=True),
        ).graphs


def served_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The fields of `Served` besides ``pictures`` and ``overwrite``."""
    options = (
        click.option(
            "--end-to-end",
            type=PATH,
            metavar="FILE.onnx",
            help="Write one graph from uint8 frames (N,H,W,C) to uint8 RGB; it needs no torch.",
        ),
        render_option,
        click.option(
            "--gamut",
            type=click.Choice(["reduce", "clip"]),
            default="reduce",
            show_default=True,
            help="Colours that sRGB lacks: drawn in at their L*, or clipped.",
        ),
        click.option(
            "--channels",
            type=click.Choice(list(CHANNELS)),
            default="3",
            show_default=True,
            help="Of the frames: 1 (grey), 3 (RGB) or any of both.",
        ),
        click.option(
            "--features",
            type=click.Choice(["own", "given"]),
            default="own",
            show_default=True,
            help="Global features of each frame itself, or given as a second input.",
        ),
        click.option(
            "--arithmetic",
            type=click.Choice(PRECISIONS),
            default="fp32",
            show_default=True,
            help="Of the network in the graph.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command

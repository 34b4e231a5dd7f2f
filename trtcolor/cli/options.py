"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from trtcolor.backends.available import CHOICES, PRECISIONS

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer
    from trtcolor.stores.address import Address


class LocalPath(click.Path):
    """A path of this machine; an address is refused rather than taken for an odd path."""

    def convert(self, value: Any, param: Any, context: Any) -> Any:
        from trtcolor.stores.address import is_address

        if is_address(value):
            self.fail(f"{_shown(value)} is an address; a path was needed here", param, context)
        return super().convert(value, param, context)


class Place(click.ParamType["Path | Address"]):
    """A path of this machine, or an address of a store or a web server."""

    name = "path"

    def convert(self, value: Any, param: Any, context: Any) -> Path | Address:
        from trtcolor.errors import StoreError
        from trtcolor.stores.address import place_of

        try:
            return place_of(value) if isinstance(value, str) else value
        except StoreError as error:
            self.fail(str(error), param, context)


PATH = LocalPath(path_type=Path)
PLACE = Place()


class Render(click.ParamType[int | str]):
    """``auto``, ``full`` or a positive number of pixels."""

    name = "auto|full|N"

    def convert(self, value: Any, param: Any, context: Any) -> int | str:
        from trtcolor.geometry import checked_render

        try:
            return checked_render(int(value) if str(value).isdecimal() else value)
        except ValueError as error:
            self.fail(str(error), param, context)


class Bytes(click.ParamType[int]):
    """``600MB``, ``1.5GiB`` or a number of bytes."""

    name = "bytes"

    def convert(self, value: Any, param: Any, context: Any) -> int:
        from trtcolor.memory import parse_bytes

        try:
            return value if isinstance(value, int) else parse_bytes(value)
        except ValueError as error:
            self.fail(str(error), param, context)


model_option = click.option(
    "--model", default="default", show_default=True, help="A bundle's folder or installed name."
)
backend_option = click.option(
    "--backend",
    type=click.Choice(CHOICES),
    help="What runs the network; auto: the fastest that works here; default: onnxruntime.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Take an engine of this precision (build-engine); default: float32.",
)
engine_option = click.option(
    "--engine", type=PATH, help="An engine's folder, in the place of backend and precision."
)
trust_option = click.option(
    "--trust", is_flag=True, help="Load that engine, executable code, from wherever it lies."
)


def runner_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A model, and all that may be said of what runs it."""
    for option in (trust_option, engine_option, precision_option, backend_option, model_option):
        command = option(command)
    return command


render_option = click.option(
    "--render",
    type=Render(),
    default="auto",
    show_default=True,
    help="Pixels of the shorter side that the network sees, full, or auto (the model's own).",
)
upsampling_option = click.option(
    "--upsampling",
    type=click.Choice(("bilinear", "joint-bilateral")),
    default="bilinear",
    show_default=True,
    help="How colour reaches the picture's resolution; joint-bilateral: along its borders.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    help="Threads of the network and of the kernels of colour; default: one a core.",
)
memory_option = click.option(
    "--memory",
    type=Bytes(),
    metavar="LIMIT",
    help="Memory for the network's maps, as in 600MB: larger pictures go in tiles, with the same "
    "colours; default: what the machine has room for. Picture, program and weights come on top.",
)
ray_option = click.option(
    "--ray",
    metavar="auto|ADDRESS",
    help="Spread the work over a Ray cluster: HOST:PORT of its head, or auto for the one that runs "
    "here, else one of this machine alone. --threads are then the cores of each worker, --memory "
    "its limit.",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
saturation_option = click.option(
    "--saturation",
    type=click.FloatRange(0, 10),
    default=1.0,
    show_default=True,
    help="Factor on the colours; 0 is grey.",
)


def given_options() -> dict[str, str]:
    """Flags of the options that the running command's line has, by parameter."""
    context = click.get_current_context()
    return {
        parameter.name: parameter.opts[0]
        for parameter in context.command.params
        if parameter.name is not None
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }


def _shown(text: str) -> str:
    """An address as it may be shown."""
    from trtcolor.errors import StoreError
    from trtcolor.stores.address import place_of

    try:
        return str(place_of(text))
    except StoreError:
        return text.partition("://")[0]


def tell_backend(colorizer: Colorizer) -> None:
    """Say on standard error which backend ``--backend auto`` took, and why."""
    if colorizer.backend_reason is not None:
        click.echo(f"backend {colorizer.backend}: {colorizer.backend_reason}", err=True)

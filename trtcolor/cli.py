"""The command line: parse, call, print. Everything else is imported inside the commands."""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import click

from trtcolor import __version__
from trtcolor.errors import OutputExistsError, TrtcolorError

PATH = click.Path(path_type=Path)


class Render(click.ParamType[int | str]):
    """``auto``, ``full`` or a positive number of pixels."""

    name = "auto|full|N"

    def convert(self, value: Any, param: Any, context: Any) -> int | str:
        from trtcolor.geometry import checked_render

        try:
            return checked_render(int(value) if str(value).isdecimal() else value)
        except ValueError as error:
            self.fail(str(error), param, context)


class Commands(click.Group):
    """Commands of this file and of the packages that register theirs (``train``, ``export``).

    Prints what trtcolor refuses as one line ``error: ...`` and exits with status 1, or 2 where the
    command line itself is wrong.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *_registered()})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        own = super().get_command(context, name)
        if own is not None or name not in _registered():
            return own
        command: click.Command = _registered()[name].load()
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            _refuse(error.format_message())
            raise click.exceptions.Exit(error.exit_code) from None

    def invoke(self, context: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a file name may be no text
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                warnings.showwarning = _show_warning
                return super().invoke(context)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else context.command_path
            _refuse(f"{error.format_message().rstrip('.')}; see '{command} --help'")
            context.exit(error.exit_code)
        except (TrtcolorError, ValueError, OSError, MemoryError) as error:
            if isinstance(error, BrokenPipeError) or os.environ.get("TRTCOLOR_TRACEBACK"):
                raise
            hint = " (here: --overwrite)" if isinstance(error, OutputExistsError) else ""
            _refuse(f"{str(error) or type(error).__name__}{hint}")
            context.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            context.exit(130)


@cache
def _registered() -> dict[str, EntryPoint]:
    """The runtime imports no training package; that one names its commands in its metadata."""
    return {entry.name: entry for entry in entry_points(group="trtcolor.commands")}


def _refuse(text: str) -> None:
    click.echo(f"error: {' '.join(text.split())}", err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trtcolor")
def main() -> None:
    """Give black-and-white pictures their colours."""


model_option = click.option(
    "--model", default="default", show_default=True, help="A bundle's folder or installed name."
)
render_option = click.option(
    "--render",
    type=Render(),
    default="auto",
    show_default=True,
    help="Pixels of the shorter side that the network sees, full, or auto (the model's own).",
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 1024), help="Threads of the network; default: one a core."
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
saturation_option = click.option(
    "--saturation",
    type=click.FloatRange(0, 10),
    default=1.0,
    show_default=True,
    help="Factor on the colours; 0 is grey.",
)


@main.command()
@click.argument("picture", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="PNG, JPEG, TIFF or WebP.")
@model_option
@click.option("--style", type=PATH, help="Take the global features of this picture instead.")
@saturation_option
@render_option
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=178_956_970,
    show_default=True,
    help="Refuse larger pictures.",
)
@threads_option
@overwrite_option
def colorize(
    picture: Path,
    output: Path,
    model: str,
    style: Path | None,
    saturation: float,
    render: int,
    max_pixels: int,
    threads: int | None,
    overwrite: bool,
) -> None:
    """Colour one PICTURE; its luminance stays as it is."""
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import check_output, read_picture, write_picture

    check_output(output, overwrite=overwrite)
    pixels = read_picture(picture, max_pixels=max_pixels).pixels
    check_output(output, overwrite=overwrite, pixels=pixels)
    with Colorizer(model, render=render, threads=threads) as colorizer:
        features = None
        if style is not None:
            features = colorizer.global_features(read_picture(style, max_pixels=max_pixels).pixels)
        coloured = colorizer.colorize(pixels, global_features=features, saturation=saturation)
    write_picture(output, coloured, overwrite=overwrite)
    click.echo(f"{output}: {coloured.shape[1]}x{coloured.shape[0]}, {coloured.dtype}")


@main.command()
@click.argument("picture", type=PATH)
@model_option
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True)
def classify(picture: Path, model: str, top: int) -> None:
    """Name the scenes that a PICTURE most probably shows."""
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import read_picture

    pixels = read_picture(picture).pixels
    with Colorizer(model) as colorizer:
        for name, probability in colorizer.classify(pixels, top=top):
            click.echo(f"{probability:6.1%}  {name}")


@main.command()
@click.option(
    "-o", "--output", type=PATH, default=Path("trtcolor-demo.png"), show_default=True, help="Sheet."
)
@model_option
@saturation_option
@threads_option
@overwrite_option
def demo(output: Path, model: str, saturation: float, threads: int | None, overwrite: bool) -> None:
    """Colour grey copies of a few photographs: one sheet grey | coloured | original."""
    from trtcolor.demo import run_demo

    run_demo(
        output,
        model=model,
        saturation=saturation,
        threads=threads,
        overwrite=overwrite,
        say=click.echo,
    )


@main.command()
@click.argument("model")
@click.argument("data")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures.")
@saturation_option
@render_option
@threads_option
@click.option("--json", "json_file", type=PATH, help="Write all values, picture by picture.")
@click.option("--sheet", type=PATH, help="Write grey | coloured | original of the first pictures.")
@click.option("--sheet-pictures", type=click.IntRange(min=1), default=40, show_default=True)
@click.option("--record", is_flag=True, help="Write the figures into the bundle's model.json.")
@overwrite_option
def evaluate(
    model: str,
    data: str,
    limit: int | None,
    saturation: float,
    render: int,
    threads: int | None,
    json_file: Path | None,
    sheet: Path | None,
    sheet_pictures: int,
    record: bool,
    overwrite: bool,
) -> None:
    """Measure MODEL's colours on DATA, a folder of pictures or shards ('val-*.tar.gz')."""
    from trtcolor.bundle import SPEC_FILE, find_bundle, record_metrics
    from trtcolor.evaluate import evaluate as measure_colours

    _check_results(json_file, overwrite)
    if record:
        _check_results(find_bundle(model) / SPEC_FILE, overwrite=True)
    # Where nobody watches, not even the label is printed.
    screen = sys.stderr if sys.stderr.isatty() else io.StringIO()
    with click.progressbar(length=1, label="evaluating", file=screen) as bar:

        def progress(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        evaluation = measure_colours(
            model,
            data,
            limit=limit,
            saturation=saturation,
            render=render,
            threads=threads,
            sheet=sheet,
            sheet_pictures=sheet_pictures,
            overwrite=overwrite,
            progress=progress,
        )
    click.echo(evaluation.table())
    _write_results(json_file, evaluation.to_json(), overwrite)
    if record:
        record_metrics(model, evaluation.figures())


@main.command()
@click.option("--sizes", default="224,512", show_default=True, help="N (square) or WxH, by comma.")
@model_option
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--warmup", type=click.IntRange(min=0), default=2, show_default=True)
@threads_option
@click.option("--render", type=Render(), default="full", show_default=True, help="As for colorize.")
@click.option("--json", "json_file", type=PATH, help="Write the raw values.")
@overwrite_option
def bench(
    sizes: str,
    model: str,
    runs: int,
    warmup: int,
    threads: int | None,
    render: int,
    json_file: Path | None,
    overwrite: bool,
) -> None:
    """Time a model at several picture sizes: prepare, network and merge apart."""
    from trtcolor.bench import bench as run_bench
    from trtcolor.bench import parse_sizes

    wanted = parse_sizes(sizes)
    _check_results(json_file, overwrite)
    report = run_bench(
        model, wanted, runs=runs, warmup=warmup, threads=threads, render=render, say=_tell
    )
    click.echo(report.table())
    _write_results(json_file, report.to_json(), overwrite)


@main.command()
def models() -> None:
    """List the installed models."""
    from trtcolor.bundle import installed_bundles, read_spec
    from trtcolor.errors import BundleError

    for folder in installed_bundles():
        try:
            spec = read_spec(folder)
        except BundleError as error:  # the others are to be listed all the same
            click.echo(f"{folder.name}  cannot be used: {error}")
            continue
        click.echo(f"{folder.name}  {spec.family}, {spec.precision}, {spec.licence}")
        for name, value in spec.metrics.items():
            click.echo(
                f"    {name}: {value:.3f}" if isinstance(value, float) else f"    {name}: {value}"
            )


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _check_results(path: Path | None, overwrite: bool) -> None:
    """Refuse a results file that could not be written, before the work."""
    if path is None:
        return
    if not path.parent.is_dir() or path.is_dir():
        raise ValueError(f"{path} is no file in an existing folder; one was needed; choose another")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(
            f"{path.parent} is not writable; a writable folder was needed for {path.name}; "
            "choose another"
        )
    if not overwrite:
        from trtcolor.files import refuse_existing

        refuse_existing(path)


def _write_results(path: Path | None, text: str, overwrite: bool) -> None:
    if path is None:
        return
    from trtcolor.files import whole_file

    json.loads(text)  # NaN or not, what is published parses
    try:
        with whole_file(path, overwrite=overwrite) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise OSError(
            f"{path} was not written ({error.strerror}); a disk with free space was needed; write "
            "elsewhere"
        ) from None


if __name__ == "__main__":
    main()

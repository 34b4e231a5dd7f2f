"""The command ``video``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.bar import Bar
from trtcolor.cli.options import (
    PATH,
    PLACE,
    given_options,
    memory_option,
    overwrite_option,
    render_option,
    runner_options,
    saturation_option,
    tell_backend,
    threads_option,
)

if TYPE_CHECKING:
    from trtcolor.stores.address import Address
    from trtcolor.video.remote import RemoteFilm
    from trtcolor.video.report import FilmReport

OF_NETWORK = frozenset(
    {"model", "backend", "precision", "engine", "trust", "style", "render", "steady", "memory"}
    | {"chroma"}  # there is nothing to write that is not in --from-chroma
)

IDLE = frozenset({"resume", "overwrite", "threads", "memory", "benchmark"})
"""Options that decide nothing of what the coloured film is."""


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
@threads_option
@memory_option
def video(
    source: Path | Address,
    output: Path | Address | None,
    model: str,
    backend: str | None,
    precision: Any,
    engine: Path | None,
    trust: bool,
    style: Path | Address | None,
    saturation: float,
    render: int | str,
    steady: float | None,
    codec: str | None,
    quality: float | None,
    encoder_options: tuple[str, ...],
    deinterlace: Any,
    hardware: str | None,
    assume_sdr: bool,
    on_error: Any,
    chroma: Path | None,
    from_chroma: Path | None,
    fragment: int | None,
    benchmark: bool,
    resume: bool,
    overwrite: bool,
    threads: int | None,
    memory: int | None,
) -> None:
    """Colour the film IN; OUT has its luma, its sound, its time stamps and all else of it.

    Either may be in a store, as s3://BUCKET/KEY or gs://BUCKET/KEY, IN on a web server too, as
    https://HOST/FILM: IN is fetched whole then, and OUT is uploaded once it is whole.

    A killed run goes on with --resume. Exits with status 1 if a frame could not be coloured.
    """
    from trtcolor.archive.sources import read_pixels, source_of
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import MAX_PIXELS
    from trtcolor.video.film import color_film, merge_film, time_film
    from trtcolor.video.remote import RemoteFilm
    from trtcolor.video.settings import FRAGMENT, FilmSettings
    from trtcolor.video.steady import DEFAULT_STEADY

    if benchmark and (output or from_chroma or chroma):
        raise click.UsageError("--benchmark writes nothing: leave out OUT and chroma files")
    if output is None and not benchmark:
        raise click.UsageError("Missing argument 'OUT'.")
    idle = [flag for name, flag in given_options().items() if name in OF_NETWORK]
    if from_chroma and idle:
        raise click.UsageError(f"--from-chroma runs no network: leave out {', '.join(idle)}")
    settings = FilmSettings(
        steady=DEFAULT_STEADY if steady is None else steady,
        saturation=saturation,
        codec=codec,
        quality=quality,
        encoder_options=_pairs(encoder_options),
        deinterlace=deinterlace,
        hardware=hardware,
        assume_sdr=assume_sdr,
        on_error=on_error,
        fragment=FRAGMENT if fragment is None else fragment,
        runner=f"precision {precision}, engine {engine}",
    )
    asked = _asked(model)
    film = RemoteFilm(source, output, resume=resume, overwrite=overwrite, note=_note)
    with film, film.errors_named(), _telling_how_to_go_on(film), ExitStack() as stack:
        bar = stack.enter_context(Bar())
        again: dict[str, Any] = {"resume": resume, "overwrite": overwrite}
        again |= {"tell": bar.show, "note": bar.say}
        said = film.finished(asked)
        if said is None and from_chroma is not None:
            assert film.output is not None
            said = _said_of(
                merge_film(
                    from_chroma, film.source, film.output, settings, threads=threads, **again
                )
            )
        elif said is None:
            colorizer = stack.enter_context(
                Colorizer(
                    model,
                    backend=backend,
                    precision=precision,
                    engine=engine,
                    trust=trust,
                    render=render,  # type: ignore[arg-type]  # checked by its option
                    threads=threads,
                    memory=memory,
                )
            )
            tell_backend(colorizer)
            if style is not None:
                features = colorizer.global_features(read_pixels(source_of(style), MAX_PIXELS))
                settings = replace(settings, style=features)
            if film.output is None:
                stages = time_film(colorizer, film.source, settings, tell=bar.show)
                bar.end()
                click.echo(stages.table())
                return
            said = _said_of(
                color_film(colorizer, film.source, film.output, settings, chroma=chroma, **again)
            )
        stack.close()
        film.finish(asked, said)
    _tell(output, said)


@contextmanager
def _telling_how_to_go_on(film: RemoteFilm) -> Iterator[None]:
    """Say so where a run ends that may be gone on with as it is."""
    from trtcolor.errors import StoreError

    try:
        yield
    except (KeyboardInterrupt, OSError, StoreError):
        if film.has_begun:
            click.echo("note: what is finished is kept; the same command with --resume goes on",
                       err=True)  # fmt: skip
        raise


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"--encoder-option {text!r} is no KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


def _asked(model: str) -> dict[str, Any]:
    """All that decides what a coloured film is, for one that waits for its upload."""
    from importlib.metadata import version

    from trtcolor.bundle import find_bundle, read_spec

    given = {k: str(v) for k, v in click.get_current_context().params.items() if k not in IDLE}
    spec = read_spec(find_bundle(model)).to_json()
    return {"given": given, "model": spec, "version": version("trtcolor")}


def _said_of(report: FilmReport) -> dict[str, Any]:
    """What is printed of a coloured film."""
    faults = [
        f"not coloured: frame at {broken.seconds:.3f} s ({broken.reason})"
        for broken in report.broken
    ]
    if report.cut_short is not None:
        faults.append(f"cut short: {report.cut_short}")
    height, width = report.encoding.size
    samples = report.encoding.samples
    frames = f"{report.frames} frame{'s' if report.frames != 1 else ''}"
    line = f"{frames}, {width}x{height}, {samples.output_format}, {report.encoding.codec}"
    return {"faults": faults, "line": line}


def _tell(output: object, said: dict[str, Any]) -> None:
    """Print it; the exit status is 1 if a frame was not coloured."""
    for fault in said["faults"]:
        click.echo(fault, err=True)
    click.echo(f"{output}: {said['line']}")
    if said["faults"]:
        click.get_current_context().exit(1)


def _note(sentence: str) -> None:
    click.echo(f"note: {sentence}", err=True)

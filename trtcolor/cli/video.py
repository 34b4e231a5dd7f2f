"""The command ``video``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.options import (
    PATH,
    backend_option,
    engine_option,
    memory_option,
    model_option,
    overwrite_option,
    precision_option,
    render_option,
    saturation_option,
    tell_backend,
    threads_option,
    trust_option,
)

if TYPE_CHECKING:
    from trtcolor.video.report import FilmReport, Progress


@click.command()
@click.argument("source", metavar="IN", type=PATH)
@click.argument("output", metavar="OUT", type=PATH)
@model_option
@backend_option
@precision_option
@engine_option
@trust_option
@click.option("--style", type=PATH, help="Take the global features of this picture instead.")
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
@click.option("--resume", is_flag=True, help="Go on with unfinished work.")
@overwrite_option
@threads_option
@memory_option
def video(
    source: Path,
    output: Path,
    model: str,
    backend: str | None,
    precision: Any,
    engine: Path | None,
    trust: bool,
    style: Path | None,
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
    resume: bool,
    overwrite: bool,
    threads: int | None,
    memory: int | None,
) -> None:
    """Colour the film IN; OUT has its luma, its sound, its time stamps and all else of it.

    A killed run goes on with --resume. Exits with status 1 if a frame could not be coloured.
    """
    from trtcolor.colorizer import Colorizer
    from trtcolor.images import read_picture
    from trtcolor.video.film import color_film
    from trtcolor.video.settings import FilmSettings
    from trtcolor.video.steady import DEFAULT_STEADY

    with Colorizer(
        model,
        backend=backend,
        precision=precision,
        engine=engine,
        trust=trust,
        render=render,  # type: ignore[arg-type]  # checked by its option
        threads=threads,
        memory=memory,
    ) as colorizer:
        tell_backend(colorizer)
        features = None
        if style is not None:
            features = colorizer.global_features(read_picture(style).pixels)
        settings = FilmSettings(
            steady=DEFAULT_STEADY if steady is None else steady,
            style=features,
            saturation=saturation,
            codec=codec,
            quality=quality,
            encoder_options=_pairs(encoder_options),
            deinterlace=deinterlace,
            hardware=hardware,
            assume_sdr=assume_sdr,
            on_error=on_error,
            runner=f"precision {precision}, engine {engine}",
        )
        bar = _Bar()
        try:
            report = color_film(
                colorizer,
                source,
                output,
                settings,
                resume=resume,
                overwrite=overwrite,
                tell=bar.show,
                note=bar.say,
            )
        finally:
            bar.end()
    if not _tell_report(output, report):
        click.get_current_context().exit(1)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"--encoder-option {text!r} is no KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


def _tell_report(output: Path, report: FilmReport) -> bool:
    """Print what became of the film; whether every frame was coloured."""
    for broken in report.broken:
        click.echo(f"not coloured: frame at {broken.seconds:.3f} s ({broken.reason})", err=True)
    if report.cut_short is not None:
        click.echo(f"cut short: {report.cut_short}", err=True)
    height, width = report.encoding.size
    samples = report.encoding.samples
    click.echo(
        f"{output}: {report.frames} frames, {width}x{height}, {samples.output_format}, "
        f"{report.encoding.codec}"
    )
    return not report.broken and report.cut_short is None


class _Bar:
    """Frames, their rate and the time to go, on standard error: in place on a terminal, else a
    line now and then."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._live else 10)
        self._shown = False

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.2 if self._live else 10)
        text = f"{progress.frames}"
        if progress.expected is not None:
            part = min(1.0, progress.frames / progress.expected)
            text = f"{part:4.0%} {'#' * round(24 * part):24} {text}/{progress.expected}"
        text += f" frames, {progress.rate:.1f} fps"
        if progress.remaining is not None:
            minutes, seconds = divmod(round(progress.remaining), 60)
            text += f", {minutes // 60}:{minutes % 60:02}:{seconds:02} to go"
        click.echo(f"\r{text:78}" if self._live else text, err=True, nl=not self._live)
        self._shown = self._live

    def say(self, sentence: str) -> None:
        self.end()
        click.echo(f"note: {sentence}", err=True)

    def end(self) -> None:
        """Leave the line that is shown in place."""
        if self._shown:
            click.echo(err=True)
            self._shown = False

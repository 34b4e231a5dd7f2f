"""What the options of ``video`` come to: a film coloured, here or by a cluster, or timed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.bar import Bar
from trtcolor.cli.going_on import telling_how_to_go_on
from trtcolor.cli.options import given_options
from trtcolor.cli.runner import Runner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtcolor.stores.address import Address
    from trtcolor.video.remote import RemoteFilm
    from trtcolor.video.report import FilmReport
    from trtcolor.video.settings import FilmSettings

OF_NETWORK = frozenset(
    {"model", "backend", "precision", "engine", "trust", "style", "render", "steady", "memory"}
    | {"chroma"}  # there is nothing to write that is not in --from-chroma
)

IDLE = frozenset({"resume", "overwrite", "threads", "memory", "benchmark", "ray"})
"""Options that decide nothing of what the coloured film is."""


@dataclass(frozen=True, kw_only=True)
class Filming(Runner):
    """The options by their names, and what is done by them."""

    source: Path | Address
    output: Path | Address | None
    style: Path | Address | None
    saturation: float
    steady: float | None
    codec: str | None
    quality: float | None
    encoder_options: tuple[str, ...]
    deinterlace: Any
    hardware: str | None
    assume_sdr: bool
    on_error: Any
    chroma: Path | None
    from_chroma: Path | None
    fragment: int | None
    benchmark: bool
    resume: bool
    overwrite: bool
    ray: str | None

    def run(self) -> None:
        """Colour or time the film; the exit status is 1 if a frame was not coloured."""
        from trtcolor.video.remote import RemoteFilm

        self._check()
        settings = self._settings()  # refused, if so, before anything is fetched
        asked = self._asked()
        film = RemoteFilm(
            self.source, self.output, resume=self.resume, overwrite=self.overwrite, note=_note
        )
        with film, film.errors_named(), telling_how_to_go_on(lambda: film.has_begun, "--resume"):
            said = film.finished(asked)
            if said is None:
                with Bar() as bar:
                    report = self._colored(film, settings, bar)
                if report is None:
                    return
                said = _said_of(report)
            film.finish(asked, said)
        _tell(self.output, said)

    def _check(self) -> None:
        if self.benchmark and (self.output or self.from_chroma or self.chroma):
            raise click.UsageError("--benchmark writes nothing: leave out OUT and chroma files")
        if self.output is None and not self.benchmark:
            raise click.UsageError("Missing argument 'OUT'.")
        if self.ray is not None and (self.benchmark or self.from_chroma or self.chroma):
            raise click.UsageError(
                "--ray spreads nothing but colouring: leave it out to use --benchmark, --chroma or "
                "--from-chroma, on one machine"
            )
        idle = [flag for name, flag in given_options().items() if name in OF_NETWORK]
        if self.from_chroma and idle:
            raise click.UsageError(f"--from-chroma runs no network: leave out {', '.join(idle)}")

    def _colored(self, film: RemoteFilm, settings: FilmSettings, bar: Bar) -> FilmReport | None:
        """What became of the film; None: it was timed only."""
        from trtcolor.video.film import color_film, merge_film, time_film

        again: dict[str, Any] = {"resume": self.resume, "overwrite": self.overwrite}
        again |= {"tell": bar.show, "note": bar.say}
        if self.ray is not None:
            return self._spread(self.ray, film, settings, again)
        if self.from_chroma is not None:
            assert film.output is not None
            return merge_film(
                self.from_chroma, film.source, film.output, settings, threads=self.threads, **again
            )
        with self.colorizer(self.threads) as colorizer:
            style = self._style()
            if style is not None:
                settings = replace(settings, style=colorizer.global_features(style))
            if film.output is not None:
                return color_film(
                    colorizer, film.source, film.output, settings, chroma=self.chroma, **again
                )
            stages = time_film(colorizer, film.source, settings, tell=bar.show)
        bar.end()
        click.echo(stages.table())
        return None

    def _spread(
        self, address: str, film: RemoteFilm, settings: FilmSettings, again: dict[str, Any]
    ) -> FilmReport:
        from trtcolor.cluster.film import color_film_on

        assert film.output is not None
        return color_film_on(
            address,
            film.source,
            film.output,
            settings,
            model=self.model,
            options=self.options(),
            style=self._style(),
            threads=self.threads,
            **again,
        )

    def _settings(self) -> FilmSettings:
        from trtcolor.video.settings import FRAGMENT, FilmSettings
        from trtcolor.video.steady import DEFAULT_STEADY

        return FilmSettings(
            steady=DEFAULT_STEADY if self.steady is None else self.steady,
            saturation=self.saturation,
            codec=self.codec,
            quality=self.quality,
            encoder_options=_pairs(self.encoder_options),
            deinterlace=self.deinterlace,
            hardware=self.hardware,
            assume_sdr=self.assume_sdr,
            on_error=self.on_error,
            fragment=FRAGMENT if self.fragment is None else self.fragment,
            runner=self.words,
        )

    def _asked(self) -> dict[str, Any]:
        """All that decides what a coloured film is, for one that waits for its upload."""
        from importlib.metadata import version

        from trtcolor.archive.record import Identity
        from trtcolor.bundle import find_bundle, read_spec

        given = {k: str(v) for k, v in click.get_current_context().params.items() if k not in IDLE}
        files = [file for file in (self.style, self.from_chroma) if isinstance(file, Path)]
        contents = [Identity.of(file).sha256 for file in files]
        spec = None if self.from_chroma else read_spec(find_bundle(self.model)).to_json()
        return {
            "given": given,
            "contents": contents,
            "model": spec,
            "version": version("trtcolor"),
        }

    def _style(self) -> NDArray[Any] | None:
        from trtcolor.archive.sources import read_pixels, source_of
        from trtcolor.images import MAX_PIXELS

        return None if self.style is None else read_pixels(source_of(self.style), MAX_PIXELS)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"--encoder-option {text!r} is no KEY=VALUE")
    return dict(text.split("=", 1) for text in texts)


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

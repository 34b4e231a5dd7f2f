"""A film in colour, as users ask for it: coloured, merged with chroma that is there, or timed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.video.alone import Alone, Colour
from trtcolor.video.chroma_track import merged_frames, sidecar_identity
from trtcolor.video.fragments import State
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.report import FilmReport
from trtcolor.video.run import FilmRun
from trtcolor.video.settings import FilmSettings
from trtcolor.video.sidecar import ChromaReader
from trtcolor.video.source import FilmSource
from trtcolor.video.state import FilmState
from trtcolor.video.stream import color_frames


def color_film(
    colorizer: Colorizer,
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FilmSettings | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    chroma: str | os.PathLike[str] | None = None,
    stages: Stages | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> FilmReport:
    """Colour a film.

    Y' is given to the encoder exactly as it was decoded; all other streams, chapters, attachments
    and metadata are copied. Until the output is whole, what is done lies in a folder beside it,
    named as it with ``.parts`` added, from which ``resume`` goes on after whatever ended the run.

    Args:
        source, output: files; the output's ending names its container.
        resume: go on with unfinished work; there may be none.
        overwrite: replace an output or unfinished work that is there.
        chroma: a sidecar to write: the chroma of every frame (see `trtcolor.video.sidecar`).
        stages: takes the times of all stages.
        tell: called after every frame.
        note: called at once with each sentence of the report's notes.

    Raises:
        OutputExistsError: there is an output, or unfinished work, and it was not said what to do.
        VideoError: the film cannot be read, coloured as it is, or written so.
        BackendError: PyAV or a device is missing, or the network failed.
        OSError: the disk is full, and so on; what was done is kept.
    """
    settings, times = settings or FilmSettings(), stages or Stages()
    sidecar = None if chroma is None else Path(chroma)
    return FilmRun(
        os.fspath(source),
        Path(output),
        settings,
        model=lambda: model_identity(colorizer),
        make=Alone(colour_by(colorizer, settings, times), chroma=sidecar, stages=times, tell=tell),
        chroma=sidecar,
        stages=times,
        note=note,
    ).run(resume=resume, overwrite=overwrite)


def colour_by(colorizer: Colorizer, settings: FilmSettings, stages: Stages) -> Colour:
    """From frames and a stored state to coloured frames, as settings say."""

    def colour(
        frames: Iterator[LumaFrame], state: State | None
    ) -> Generator[ColouredFrame, None, None]:
        past = None if state is None else FilmState.from_arrays(state)
        return _coloured(colorizer, frames, settings, stages, past)

    return colour


def model_identity(colorizer: Colorizer) -> dict[str, Any]:
    """What of a colorizer decides the frames of a coloured film."""
    return {
        "name": colorizer.spec.name,
        "sha256": hashlib.sha256(colorizer.spec.to_json().encode()).hexdigest(),
        "backend": colorizer.backend,
        "render": colorizer.render,
    }


def merge_film(
    chroma: str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FilmSettings | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    stages: Stages | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> FilmReport:
    """Colour a film with the chroma of a sidecar, without a network, at any resolution.

    Arguments and errors are those of `color_film`, but that of the settings ``steady``, ``style``
    and ``render`` count for nothing, and ``threads`` is as in `trtcolor.planes`. The frames of the
    film are those of the sidecar by their numbers; that the sidecar has more is a note.
    """
    settings, times = settings or FilmSettings(), stages or Stages()
    if os.path.realpath(chroma) == os.path.realpath(output):
        raise VideoError(
            f"{os.fspath(output)!r} is the chroma file itself; another name was needed; choose one"
        )

    def colour(
        frames: Iterator[LumaFrame], state: State | None
    ) -> Generator[ColouredFrame, None, None]:
        return merged_frames(
            chroma, frames, saturation=settings.saturation, threads=threads, stages=times
        )

    report = FilmRun(
        os.fspath(source),
        Path(output),
        settings,
        model=lambda: sidecar_identity(chroma),
        make=Alone(colour, chroma=None, stages=times, tell=tell),
        chroma=None,
        stages=times,
        note=note,
    ).run(resume=resume, overwrite=overwrite)
    with ChromaReader(chroma) as reader:
        more = len(reader) - report.frames
    if more <= 0:
        return report
    sentence = f"the chroma sidecar has {more} frames more than the film: is it of another one?"
    note(sentence)
    return replace(report, notes=(*report.notes, sentence))


def time_film(
    colorizer: Colorizer,
    source: str | os.PathLike[str],
    settings: FilmSettings | None = None,
    *,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Stages:
    """Colour a film for its times alone; nothing is coded or written.

    Arguments and errors are those of `color_film`; broken frames are left out.
    """
    settings, times = settings or FilmSettings(), Stages()
    with FilmSource(
        source,
        deinterlace=settings.deinterlace,
        hardware=settings.hardware,
        assume_sdr=settings.assume_sdr,
    ) as film:
        whole = (film.luma_frame(frame) for frame in film if frame.fault is None)
        times.start()
        with closing(_coloured(colorizer, whole, settings, times, None)) as frames:
            for number, _ in enumerate(frames, 1):
                tell(Progress(number, 0, film.expected, times.seconds))
        times.stop()
    return times


def _coloured(
    colorizer: Colorizer,
    frames: Iterator[LumaFrame],
    settings: FilmSettings,
    stages: Stages,
    state: FilmState | None,
) -> Generator[ColouredFrame, None, None]:
    return color_frames(
        colorizer,
        frames,
        steady=settings.steady,
        style=settings.style,
        saturation=settings.saturation,
        render=settings.render,
        stages=stages,
        state=state,
    )

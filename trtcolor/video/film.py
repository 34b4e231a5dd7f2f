"""A film in colour: decoded, coloured, coded fragment by fragment, and put together."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError
from trtcolor.files import refuse_existing
from trtcolor.video.copying import Copied, keeps_rotation, what_is_copied
from trtcolor.video.encoders import Encoding, choose_encoding, container_of
from trtcolor.video.fragments import State
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.remux import write_film
from trtcolor.video.report import FilmReport, Progress
from trtcolor.video.settings import FilmSettings, identity_of
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.state import FilmState
from trtcolor.video.stream import color_frames
from trtcolor.video.work import Work
from trtcolor.video.writing import FilmWriter

Colour = Callable[[Iterator[LumaFrame], State | None], Generator[ColouredFrame, None, None]]


def color_film(
    colorizer: Colorizer,
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FilmSettings | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
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
        tell: called after every frame.
        note: called at once with each sentence of the report's notes.

    Raises:
        OutputExistsError: there is an output, or unfinished work, and it was not said what to do.
        VideoError: the film cannot be read, coloured as it is, or written so.
        BackendError: PyAV or a device is missing, or the network failed.
        OSError: the disk is full, and so on; what was done is kept.
    """
    settings = settings or FilmSettings()
    source, output = os.fspath(source), Path(output)

    def colour(
        frames: Iterator[LumaFrame], state: State | None
    ) -> Generator[ColouredFrame, None, None]:
        return color_frames(
            colorizer,
            frames,
            steady=settings.steady,
            style=settings.style,
            saturation=settings.saturation,
            render=settings.render,
            state=None if state is None else FilmState.from_arrays(state),
        )

    return _Run(source, output, settings, tell, note).run(
        colour, _model(colorizer), resume=resume, overwrite=overwrite
    )


class _Run:
    def __init__(
        self,
        source: str,
        output: Path,
        settings: FilmSettings,
        tell: Callable[[Progress], None],
        note: Callable[[str], None],
    ) -> None:
        self._source, self._output, self._settings = source, output, settings
        self._tell, self._note = tell, note
        self._notes: list[str] = []

    def run(
        self, colour: Colour, model: Mapping[str, Any], *, resume: bool, overwrite: bool
    ) -> FilmReport:
        output, settings = self._output, self._settings
        folder = output.with_name(f"{output.name}.parts")
        if os.path.exists(output) and os.path.samefile(self._source, output):
            raise VideoError(
                f"{str(output)!r} is the source itself; another name was needed; choose one"
            )
        if not overwrite and not (resume and folder.exists()):
            refuse_existing(output)
        with FilmSource(
            self._source,
            deinterlace=settings.deinterlace,
            hardware=settings.hardware,
            assume_sdr=settings.assume_sdr,
            upright=not keeps_rotation(output),
        ) as film:
            encoding = choose_encoding(
                output,
                film.samples,
                film.size,
                film.rate,
                aspect=film.aspect,
                codec=settings.codec,
                quality=settings.quality,
                options=settings.encoder_options,
                hardware=settings.hardware,
            )
            copied = what_is_copied(self._source, output, encoding)
            self._say_of(film, copied)
            identity = {"source": _source(self._source), "model": model}
            identity["settings"] = identity_of(settings, encoding)
            with Work(folder, identity, resume=resume, overwrite=overwrite) as work:
                if not work.placed(output):
                    if not overwrite:
                        refuse_existing(output)
                    if not work.complete:
                        self._color(film, colour, encoding, work)
                    self._assemble(film, encoding, copied, work, overwrite)
                work.remove()
                return FilmReport(
                    frames=work.frames,
                    broken=tuple(b for fragment in work.fragments for b in fragment.broken),
                    cut_short=work.fragments[-1].cut_short,
                    notes=tuple(self._notes),
                    encoding=encoding,
                )

    def _color(self, film: FilmSource, colour: Colour, encoding: Encoding, work: Work) -> None:
        """Colour and code the frames that no fragment has yet."""
        begun = work.frames
        start = time.monotonic()
        broken: deque[FilmFrame] = deque()  # those that came before the frame on its way
        fragments = FilmWriter(work, encoding, film, self._settings)

        def told() -> None:
            seconds = time.monotonic() - start
            self._tell(Progress(fragments.frames, begun, film.expected, seconds))

        with fragments, closing(colour(self._whole(film, begun, broken), work.state())) as frames:
            for coloured in frames:
                while broken and broken[0].index < coloured.tag.index:
                    fragments.add_broken(broken.popleft())
                fragments.add(coloured)
                told()
            for frame in broken:
                fragments.add_broken(frame)
                told()
            if film.cut_short and self._settings.on_error == "stop":
                raise VideoError(
                    f"{self._source!r} is cut short: {film.cut_short}; a whole film was needed; "
                    "copy it again, or take what there is with --on-error grey and --resume"
                )
            fragments.finish(film.cut_short)
        if film.moved:
            self._say(
                f"{film.moved} time stamps did not come after the one before; they were moved "
                "behind it"
            )

    def _whole(self, film: FilmSource, begun: int, broken: deque[FilmFrame]) -> Iterator[LumaFrame]:
        """The frames to be coloured; the others go to `broken`."""
        for frame in film:
            if frame.index < begun:
                continue
            if frame.fault is None and frame.luma is not None:
                yield LumaFrame(frame.luma, film.samples.signal, film.seconds(frame.pts), frame)
            elif self._settings.on_error == "stop":
                raise VideoError(
                    f"{self._source!r} has a broken frame at {float(film.seconds(frame.pts)):.3f} "
                    f"s ({frame.fault}); a whole one was needed; copy the file again, or pass "
                    "--on-error grey or repeat with --resume"
                )
            else:
                broken.append(frame)

    def _assemble(
        self, film: FilmSource, encoding: Encoding, copied: Copied, work: Work, overwrite: bool
    ) -> None:
        temporary = work.folder / "whole"
        notes = write_film(
            self._source,
            temporary,
            container_of(self._output),
            encoding,
            work,
            copied,
            time_base=film.time_base,
            display_matrix=film.display_matrix,
        )
        work.place(temporary, self._output, overwrite=overwrite)
        for sentence in notes:
            self._say(sentence)

    def _say_of(self, film: FilmSource, copied: Copied) -> None:
        if film.turned:
            self._say("the container keeps no rotation, so the picture itself is turned")
        if film.display_matrix is not None and not keeps_rotation(self._output):
            self._say("the container keeps no rotation, and this one is no quarter turn: dropped")
        for dropped in copied.dropped:
            self._say(f"not copied: {dropped}")

    def _say(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._note(sentence)


def _source(name: str) -> dict[str, Any]:
    """What tells a file from others without reading the whole of it."""
    size, digest = os.path.getsize(name), hashlib.sha256()
    with open(name, "rb") as stream:
        for begin in (0, size // 2, max(0, size - (1 << 20))):
            stream.seek(begin)
            digest.update(stream.read(1 << 20))
    return {"bytes": size, "sha256_of_parts": digest.hexdigest()}


def _model(colorizer: Colorizer) -> dict[str, Any]:
    return {
        "name": colorizer.spec.name,
        "sha256": hashlib.sha256(colorizer.spec.to_json().encode()).hexdigest(),
        "backend": colorizer.backend,
        "render": colorizer.render,
    }

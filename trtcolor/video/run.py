"""One run: from a film to fragments, from these to the coloured film."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.files import refuse_existing
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.video.chroma_track import ChromaTrack
from trtcolor.video.copying import Copied, keeps_rotation, what_is_copied
from trtcolor.video.encoders import choose_encoding, container_of
from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import State
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.remux import write_film
from trtcolor.video.report import FilmReport
from trtcolor.video.settings import FilmSettings, identity_of
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.work import Work
from trtcolor.video.writing import FilmWriter

Colour = Callable[[Iterator[LumaFrame], State | None], Generator[ColouredFrame, None, None]]


class FilmRun:
    """One film on its way into one output.

    Args:
        source, output: files.
        settings: how.
        colour: from frames and a stored state to coloured frames.
        model: what identifies that, for the manifest.
        chroma: a sidecar to write.
        stages: takes the times.
        tell: called after every frame.
        note: called with each sentence that the user should know.
    """

    def __init__(
        self,
        source: str,
        output: Path,
        settings: FilmSettings,
        colour: Colour,
        model: Mapping[str, Any],
        *,
        chroma: Path | None,
        stages: Stages,
        tell: Callable[[Progress], None],
        note: Callable[[str], None],
    ) -> None:
        self._source, self._output, self._settings = source, output, settings
        self._colour, self._model, self._chroma, self._stages = colour, model, chroma, stages
        self._tell, self._note = tell, note
        self._notes: list[str] = []

    def run(self, *, resume: bool, overwrite: bool) -> FilmReport:
        """Do it; arguments and errors are those of `trtcolor.video.film.color_film`."""
        output, settings = self._output, self._settings
        if output.is_dir():
            raise VideoError(f"{output} is a folder; a file's name was needed; add one")
        folder = output.with_name(f"{output.name}.parts")
        self._refuse_outputs(resume and folder.exists(), overwrite)
        with FilmSource(
            self._source,
            deinterlace=settings.deinterlace,
            hardware=settings.hardware,
            assume_sdr=settings.assume_sdr,
            upright=not keeps_rotation(output),
        ) as film:
            encoding = self._encoding(film)
            copied = what_is_copied(self._source, output, encoding)
            self._say_of(film, copied)
            identity = {
                "source": _identity(self._source),
                "model": self._model,
                "settings": identity_of(settings, encoding),
            }
            with Work(folder, identity, resume=resume, overwrite=overwrite) as work:
                if not work.placed(output):
                    if not overwrite:
                        refuse_existing(output)
                    if not work.complete:
                        with self._track(identity, film, work, overwrite or resume) as track:
                            self._color(film, encoding, work, track)
                    self._assemble(film, encoding, copied, work, overwrite)
                work.remove()
                return FilmReport(
                    frames=work.frames,
                    broken=tuple(b for fragment in work.fragments for b in fragment.broken),
                    cut_short=work.fragments[-1].cut_short,
                    notes=tuple(self._notes),
                    encoding=encoding,
                    stages=self._stages,
                )

    def _refuse_outputs(self, begun: bool, overwrite: bool) -> None:
        output = self._output
        if os.path.exists(output) and os.path.samefile(self._source, output):
            raise VideoError(
                f"{str(output)!r} is the source itself; another name was needed; choose one"
            )
        chroma = None if self._chroma is None else os.path.realpath(self._chroma)
        for path, what in ((self._source, "the source itself"), (output, "the output too")):
            if os.path.realpath(path) == chroma:
                raise VideoError(
                    f"chroma file {str(self._chroma)!r} is {what}; another name was needed; choose "
                    "one"
                )
        if not output.parent.is_dir():
            raise VideoError(
                f"folder {output.parent} is not there; one to write in was needed; make it"
            )
        if not overwrite and not begun:
            refuse_existing(output)
            if self._chroma is not None:
                refuse_existing(self._chroma)

    def _encoding(self, film: FilmSource) -> Encoding:
        settings = self._settings
        return choose_encoding(
            self._output,
            film.samples,
            film.size,
            film.rate,
            aspect=film.aspect,
            codec=settings.codec,
            quality=settings.quality,
            options=settings.encoder_options,
            hardware=settings.hardware,
        )

    def _track(
        self, identity: Mapping[str, Any], film: FilmSource, work: Work, overwrite: bool
    ) -> AbstractContextManager[ChromaTrack | None]:
        if self._chroma is None:
            return nullcontext()
        return ChromaTrack(
            self._chroma, identity, film.size, begun=work.frames, overwrite=overwrite
        )

    def _color(
        self, film: FilmSource, encoding: Encoding, work: Work, track: ChromaTrack | None
    ) -> None:
        """Colour and code the frames that no fragment has yet."""
        begun = work.frames
        start = time.monotonic()
        broken: deque[FilmFrame] = deque()  # those that came before the frame on its way
        fragments = FilmWriter(work, encoding, film, self._settings, track, self._stages)

        def told() -> None:
            seconds = time.monotonic() - start
            self._tell(Progress(fragments.frames, begun, film.expected, seconds))

        lumas = self._whole(film, begun, broken)
        with fragments, closing(self._colour(lumas, work.state())) as frames:
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
            if frame.fault is None:
                yield film.luma_frame(frame)
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
        if film.samples.alpha:
            self._say("transparency is not kept")
        for dropped in copied.dropped:
            self._say(f"not copied: {dropped}")

    def _say(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._note(sentence)


def _identity(name: str) -> dict[str, Any]:
    """What tells a file from others without reading the whole of it."""
    size, digest = os.path.getsize(name), hashlib.sha256()
    with open(name, "rb") as stream:
        for begin in (0, size // 2, max(0, size - (1 << 20))):
            stream.seek(begin)
            digest.update(stream.read(1 << 20))
    return {"bytes": size, "sha256_of_parts": digest.hexdigest()}

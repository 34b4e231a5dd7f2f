"""One run: from a film to fragments, from these to the coloured film."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.files import refuse_existing
from trtcolor.stages import Stages
from trtcolor.video.copying import Copied, keeps_rotation, what_is_copied
from trtcolor.video.encoders import choose_encoding, container_of
from trtcolor.video.encoding import Encoding
from trtcolor.video.job import FilmFile, FilmJob
from trtcolor.video.placing import is_placed, place
from trtcolor.video.remux import write_film
from trtcolor.video.report import FilmReport
from trtcolor.video.settings import FilmSettings, identity_of
from trtcolor.video.source import FilmSource
from trtcolor.video.work import Work


class FilmRun:
    """One film on its way into one output.

    Args:
        source, output: files.
        settings: how.
        model: asked, once the film is found to be one, for what identifies the model.
        make: makes the fragments that are missing.
        chroma: a sidecar that it writes.
        stages: of the report.
        note: called with each sentence that the user should know.
    """

    def __init__(
        self,
        source: str,
        output: Path,
        settings: FilmSettings,
        *,
        model: Callable[[], Mapping[str, Any]],
        make: Callable[[FilmJob], None],
        chroma: Path | None,
        stages: Stages,
        note: Callable[[str], None],
    ) -> None:
        self._source, self._output, self._settings = source, output, settings
        self._model, self._make, self._chroma, self._stages = model, make, chroma, stages
        self._note = note
        self._notes: list[str] = []

    def run(self, *, resume: bool, overwrite: bool) -> FilmReport:
        """Do it; arguments and errors are those of `trtcolor.video.film.color_film`."""
        output, settings = self._output, self._settings
        if output.is_dir():
            raise VideoError(f"{output} is a folder; a file's name was needed; add one")
        folder = output.with_name(f"{output.name}.parts")
        self._refuse_outputs(resume and folder.exists(), overwrite)
        file = FilmFile.of(self._source, settings, upright=not keeps_rotation(output))
        with file.open() as film:
            encoding = self._encoding(film)
            copied = what_is_copied(self._source, output, encoding)
            self._say_of(film, copied)
            identity = {
                "source": file.identity(),
                "model": self._model(),
                "settings": identity_of(settings, encoding),
            }
            with Work(folder, identity, resume=resume, overwrite=overwrite) as work:
                if not is_placed(output, folder):
                    if not overwrite:
                        refuse_existing(output)
                    if not work.complete:
                        again = overwrite or resume
                        self._make(
                            FilmJob(
                                file, film, encoding, settings, work, identity, again, self._say
                            )
                        )
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
        place(temporary, self._output, work.folder, overwrite=overwrite)
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

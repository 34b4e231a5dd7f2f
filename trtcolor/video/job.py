"""A film of which fragments are missing, for whatever makes them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.video.deinterlace import Deinterlace
from trtcolor.video.encoding import Encoding
from trtcolor.video.settings import FilmSettings
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.work import Work


@dataclass(frozen=True)
class FilmFile:
    """A film's file and how it is read.

    Attributes:
        name: of the file.
        deinterlace, hardware, assume_sdr, upright: as of `FilmSource`.
    """

    name: str
    deinterlace: Deinterlace | None
    hardware: str | None
    assume_sdr: bool
    upright: bool

    @classmethod
    def of(cls, name: str, settings: FilmSettings, *, upright: bool) -> FilmFile:
        """As the settings say."""
        return cls(name, settings.deinterlace, settings.hardware, settings.assume_sdr, upright)

    def open(self) -> FilmSource:
        """At its beginning.

        Raises:
            VideoError, BackendError: as from `FilmSource`.
        """
        return FilmSource(
            self.name,
            deinterlace=self.deinterlace,
            hardware=self.hardware,
            assume_sdr=self.assume_sdr,
            upright=self.upright,
        )

    def identity(self) -> dict[str, Any]:
        """What tells the file from others without reading the whole of it.

        Raises:
            OSError: it cannot be read.
        """
        size, digest = os.path.getsize(self.name), hashlib.sha256()
        with open(self.name, "rb") as stream:
            for begin in (0, size // 2, max(0, size - (1 << 20))):
                stream.seek(begin)
                digest.update(stream.read(1 << 20))
        return {"bytes": size, "sha256_of_parts": digest.hexdigest()}


@dataclass(frozen=True)
class FilmJob:
    """A film of which fragments are missing.

    Attributes:
        file: it.
        film: opened, at its beginning.
        encoding: how it is coded.
        settings: how it is coloured.
        work: has the finished fragments and takes the others.
        identity: of the film, the model and the settings.
        again: whether a chroma sidecar that is there may be gone on with or replaced.
        say: called with each sentence that the user should know.
    """

    file: FilmFile
    film: FilmSource
    encoding: Encoding
    settings: FilmSettings
    work: Work
    identity: Mapping[str, Mapping[str, Any]]
    again: bool
    say: Callable[[str], None]

    def check_whole(self, frame: FilmFrame) -> None:
        """Refuse a broken frame if the settings say so.

        Raises:
            VideoError: it is broken.
        """
        if frame.fault is not None and self.settings.on_error == "stop":
            raise VideoError(
                f"{self.file.name!r} has a broken frame at "
                f"{float(self.film.seconds(frame.pts)):.3f} s ({frame.fault}); a whole one was "
                "needed; copy the file again, or pass --on-error grey or repeat with --resume"
            )

    def check_end(self, film: FilmSource) -> str | None:
        """Why a film that was read to its end counts as cut short; None: it does not.

        Raises:
            VideoError: it does, and the settings say to stop.
        """
        if film.cut_short and self.settings.on_error == "stop":
            raise VideoError(
                f"{self.file.name!r} is cut short: {film.cut_short}; a whole film was needed; "
                "copy it again, or take what there is with --on-error grey and --resume"
            )
        return film.cut_short

    def say_moved(self, film: FilmSource) -> None:
        """Tell of the time stamps that were moved in a film that was read to its end."""
        if film.moved:
            self.say(
                f"{film.moved} time stamps did not come after the one before; they were moved "
                "behind it"
            )

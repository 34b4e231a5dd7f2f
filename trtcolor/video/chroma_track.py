"""A film's chroma sidecar: written while the film is coloured, or merged with it again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.stages import Stages
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.overlap import overlapped
from trtcolor.video.sidecar import ChromaFrame, ChromaHeader, ChromaReader, ChromaWriter
from trtcolor.video.source import FilmFrame
from trtcolor.video.stream import AHEAD, planes_from_chroma


class ChromaTrack(Closing):
    """Writes the chroma of every frame of a film, so that its number is that of the frame.

    A frame that was not coloured has chroma of 0.

    Args:
        path: of the sidecar.
        identity: of the film, ``source``, ``model`` and ``settings``.
        size: (height, width) of its frames.
        begun: frames of it that a sidecar which is there has to have; behind them it goes on.
        overwrite: replace one that is there, if nothing is begun.

    Raises:
        OutputExistsError: there is one, nothing is begun and ``overwrite`` is false.
        VideoError: it cannot be written, or has fewer frames.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Mapping[str, Any]],
        size: tuple[int, int],
        *,
        begun: int,
        overwrite: bool,
    ) -> None:
        self._path, self._identity, self._size = path, identity, size
        self._overwrite = overwrite
        if begun and not path.exists():
            raise VideoError(
                f"{path} is not there, and the unfinished film has {begun} frames already; the "
                "sidecar that was begun with it was needed; leave --chroma out, or begin again "
                "with --overwrite"
            )
        self._writer = ChromaWriter.resume(path, begun) if begun else None
        self._late: list[Fraction | None] = []  # frames before the first coloured one

    def add(self, coloured: ColouredFrame) -> None:
        """Append a frame's chroma."""
        if self._writer is None:
            height, width = coloured.chroma.shape[1:]
            header = ChromaHeader(frame=self._size, grid=(height, width), **self._identity)
            self._writer = ChromaWriter(self._path, header, overwrite=self._overwrite)
            for time in self._late:
                self._grey(time)
        self._writer.append(coloured)

    def add_broken(self, time: Fraction) -> None:
        """Append a frame without colour."""
        if self._writer is None:
            self._late.append(time)
        else:
            self._grey(time)

    def sync(self) -> None:
        """Wait until what was appended would survive a power cut."""
        if self._writer is not None:
            self._writer.sync()

    def _grey(self, time: Fraction | None) -> None:
        assert self._writer is not None
        nothing = np.zeros((2, *self._writer.header.grid), np.float32)
        self._writer.append(ChromaFrame(nothing, cut=False, time=time))

    def close(self) -> None:
        """Close the sidecar, if one was begun."""
        if self._writer is not None:
            self._writer.close()


def merged_frames(
    path: str | os.PathLike[str],
    frames: Iterator[LumaFrame],
    *,
    saturation: float = 1.0,
    threads: int | None = None,
    stages: Stages | None = None,
) -> Generator[ColouredFrame, None, None]:
    """Frames of a film with the chroma of a sidecar.

    Args:
        path: of the sidecar.
        frames: whose tags are `FilmFrame`, which have their numbers.
        saturation: factor on a* and b*.
        threads: as in `trtcolor.planes`.
        stages: takes the times of decode and merge.

    Raises:
        VideoError: it is no sidecar, damaged, or has no such frame.
    """
    times = stages or Stages()

    def merge(lumas: Iterator[LumaFrame]) -> Iterator[ColouredFrame]:
        with ChromaReader(path) as reader:
            for luma in lumas:
                frame: FilmFrame = luma.tag
                if frame.index >= len(reader):
                    raise VideoError(
                        f"{os.fspath(path)!r} has {len(reader)} whole frames, the film more; the "
                        "chroma of this very film was needed; make it again with --chroma"
                    )
                with times.timed("merge"):
                    found = reader[frame.index]
                    chroma = found.chroma * np.float32(saturation)
                    yield planes_from_chroma(luma, chroma, cut=found.cut, threads=threads)

    return overlapped(times.timing("decode", frames), [merge], ahead=AHEAD)


def sidecar_identity(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What tells a sidecar from others, in the place of a model's identity.

    Raises:
        VideoError: it is none, or cannot be read.
    """
    ChromaReader(path).close()
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return {"chroma": digest.hexdigest()}

"""Coloured frames, and what is shown in the place of broken ones, into fragments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.stages import Stages
from trtcolor.video.chroma_track import ChromaTrack
from trtcolor.video.fragments import Broken, FragmentWriter, ends_before
from trtcolor.video.frames import ColouredFrame
from trtcolor.video.settings import FilmSettings
from trtcolor.video.source import FilmFrame, FilmSource


class FilmWriter:
    """Coded frames, a fragment after the other; what is unfinished at the end is gone.

    A fragment ends before a whole frame (`trtcolor.video.fragments.ends_before`), so each begins
    with a frame that was coloured, after which the filter's state is known.

    Args:
        begin: makes the next fragment.
        film: whose frames they are.
        settings: how they are coloured.
        track: takes the chroma of all frames too.
        stages: takes the times of encoding.
    """

    def __init__(
        self,
        begin: Callable[[], FragmentWriter],
        film: FilmSource,
        settings: FilmSettings,
        *,
        track: ChromaTrack | None,
        stages: Stages,
    ) -> None:
        self._begin, self._film, self._settings = begin, film, settings
        self._track, self._stages = track, stages
        self._fragment: FragmentWriter | None = None
        self._last: ColouredFrame | None = None

    @property
    def frames(self) -> int:
        """How many frames of the fragment in the making are coded."""
        return self._fragment.writer.frames if self._fragment else 0

    def ends_before(self, coloured: ColouredFrame) -> bool:
        """Whether the fragment in the making, if any, is through before that frame."""
        return ends_before(coloured.cut, self.frames, self._settings.fragment)

    def add(self, coloured: ColouredFrame) -> None:
        """Code the next frame."""
        frame: FilmFrame = coloured.tag
        with self._stages.timed("encode"):
            self._open().writer.write(
                coloured.luma, coloured.u, coloured.v, frame.pts, frame.duration
            )
            if self._track is not None:
                self._track.add(coloured)
        self._last = coloured

    def add_broken(self, frame: FilmFrame) -> None:
        """Code what is shown in the place of the next frame."""
        fragment = self._open()
        luma, u, v = self._planes(frame)
        fragment.writer.write(luma, u, v, frame.pts, frame.duration)
        time = self._film.seconds(frame.pts)
        fragment.broken.append(Broken(frame.index, float(time), frame.fault or "it is missing"))
        if self._track is not None:
            self._track.add_broken(time)

    def commit(self, *, last: bool = False, cut_short: str | None = None) -> None:
        """Finish the fragment in the making.

        Args:
            last: whether the film ends here.
            cut_short: why it counts as cut short.

        Raises:
            VideoError, OSError: as from `trtcolor.video.fragments.FragmentWriter.commit`.
        """
        with self._stages.timed("encode", frames=0):
            fragment = self._open()
            if self._track is not None:  # it may have more than the fragments, never less
                self._track.sync()
            state = None if self._last is None else self._last.state
            fragment.commit(
                None if state is None else state.arrays(), last=last, cut_short=cut_short
            )
        self._fragment = None

    def _planes(self, frame: FilmFrame) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """What is shown in the place of a broken frame."""
        if self._settings.on_error == "repeat" and self._last is not None:
            return self._last.luma, self._last.u, self._last.v
        signal = self._film.samples.signal
        middle = 1 << signal.depth - 1
        luma = frame.luma
        if luma is None:
            luma = np.full(self._film.size, middle, signal.dtype)
        chroma = np.full(signal.chroma_size(self._film.size), middle, signal.dtype)
        return luma, chroma, chroma

    def _open(self) -> FragmentWriter:
        if self._fragment is None:
            self._fragment = self._begin()
        return self._fragment

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._fragment is not None:
            self._fragment.__exit__(*error)

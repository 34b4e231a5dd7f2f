"""A fragment that is to be made: all that a process needs to know besides the film and the model.

A span tells each of its frames by time stamp and CRC. So whoever reads the film, from wherever it
was opened, knows whether these are the frames that were meant.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from trtcolor.video.fragments import State
from trtcolor.video.source import FilmFrame


@dataclass(frozen=True)
class Mark:
    """What tells a frame from others.

    Attributes:
        pts, duration, fault: as of `FilmFrame`.
        crc: CRC-32 of its Y' plane; None: the decoder made nothing of it.
    """

    pts: int
    duration: int
    crc: int | None
    fault: str | None

    @classmethod
    def of(cls, frame: FilmFrame) -> Mark:
        """Of a frame that was decoded."""
        crc = None if frame.luma is None else zlib.crc32(np.ascontiguousarray(frame.luma).data)
        return cls(frame.pts, frame.duration, crc, frame.fault)


@dataclass(frozen=True)
class Span:
    """The frames of one fragment, and what colouring them depends on. It pickles.

    Attributes:
        number: of the fragment in the film.
        first: index of its first frame in the film.
        marks: of its frames.
        ahead: of those behind it up to where cuts are looked for, the film's end at most.
        state: that in which the frames before it left the filter along time, as
            `trtcolor.video.state.FilmState.arrays`; None: no whole frame comes before it.
        waits: whether that is still missing, because the shot goes on from the fragment before.
        last: whether the film ends with it.
        cut_short: why the film counts as cut short at its end; None: it does not.
    """

    number: int
    first: int
    marks: tuple[Mark, ...]
    ahead: tuple[Mark, ...]
    state: State | None
    waits: bool
    last: bool = False
    cut_short: str | None = None

    @property
    def end(self) -> int:
        """Index of the frame behind its last one."""
        return self.first + len(self.marks)

    @property
    def whole(self) -> int:
        """How many of its frames are to be coloured."""
        return sum(mark.fault is None for mark in self.marks)

    def after(self, state: State | None) -> Span:
        """The same, with the state in which the fragment before it ended."""
        return replace(self, state=state, waits=False)

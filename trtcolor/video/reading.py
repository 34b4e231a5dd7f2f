"""The frames of a span, from the film alone: by its key frames, or else from the beginning.

Where a film is opened in its middle is the container's and the decoder's matter, and some are wrong
about it: time stamps are missing or do not grow, the picture refers to what lies before a key
frame, a filter for fields has a past. So every frame is held against the span's marks, and if one
differs, the span is read from further back, at last from the film's beginning, where a decoder does
what it did when the marks were taken.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.video.job import FilmFile
from trtcolor.video.pyav import failures
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.spans import Mark, Span

FURTHER_BACK = (0.0, 10.0)
"""Seconds before a span's first frame from which its key frame is looked for, one by one."""

NEAR = 48
"""Frames that are rather read and left out than jumped over."""

MISSES = 3
"""Spans that were not found by jumping until all others are read on to, or from the beginning."""

Frames = Generator[FilmFrame, None, None]


class OtherFrames(BaseException):
    """What was read are not the frames that the span has.

    No step of the work may take it for an end of its frames, after which it does what is left.
    """


class SpanReader(Closing):
    """Reads spans of a film, in any order; those that lie one behind the other without a jump.

    Args:
        file: the film.

    Attributes:
        film: it, opened.
        misses: spans so far that were not found by jumping.

    Raises:
        VideoError, BackendError: as from `FilmSource`.
    """

    def __init__(self, file: FilmFile) -> None:
        self._file = file
        self.film: FilmSource = file.open()
        self.misses = 0
        self._frames: Iterator[FilmFrame] = iter(
            self.film
        )  # with the numbers that they have in the film
        self._next: int | None = 0  # index of the frame that comes next; None: not known

    def ways(self, span: Span) -> Iterator[Frames]:
        """Ways to read the span, to be tried until one gives its frames and those ahead of it.

        Each is an iterator that raises `OtherFrames` as soon as one is another; it is used up or
        closed before the next one is asked for.

        Raises:
            VideoError, BackendError: the film cannot be read from its beginning.
        """
        jumps = self.misses < MISSES
        gap = -1 if self._next is None else span.first - self._next
        if gap >= 0 and (gap <= NEAR or not jumps):
            yield self._checked(span)
        if jumps:
            for back in FURTHER_BACK:
                if self._jump(span, back):
                    yield self._checked(span)
            self.misses += 1  # who found the frames does not come back here
        self._begin_again()
        yield self._checked(span)

    def close(self) -> None:
        """Close the film; a second call does nothing."""
        self.film.close()

    def _jump(self, span: Span, back: float) -> bool:
        """Stand at a key frame, so that the span's first frame is the next one; whether it is."""
        wanted, film = span.marks[0], self.film
        # A filter for fields looks at the frame before.
        earlier = wanted.pts - (self._file.deinterlace is not None) - round(back / film.time_base)
        self._next = None
        with suppress(VideoError, *failures()):
            film.seek(earlier)
            frames = iter(film)
            first = next((frame for frame in frames if frame.pts >= wanted.pts), None)
            if first is not None and first.pts == wanted.pts:
                self._frames = _numbered(chain((first,), frames), span.first)
                self._next = span.first
        return self._next is not None

    def _begin_again(self) -> None:
        self.film.close()
        self.film = self._file.open()
        self._frames, self._next = iter(self.film), 0

    def _checked(self, span: Span) -> Frames:
        assert self._next is not None
        marks = (*span.marks, *span.ahead)
        behind: list[FilmFrame] = []  # frames that the next span may want
        try:
            for index in range(self._next, span.first + len(marks)):
                frame = next(self._frames, None)
                self._next = index + 1
                if index < span.first:
                    continue
                if frame is None or Mark.of(frame) != marks[index - span.first]:
                    raise OtherFrames
                if index >= span.end:
                    behind.append(frame)
                yield frame
        except Exception as error:
            raise OtherFrames from error
        finally:
            if behind and self._next is not None:
                self._frames = chain(behind, self._frames)
                self._next = behind[0].index


def _numbered(frames: Iterable[FilmFrame], first: int) -> Iterator[FilmFrame]:
    for number, frame in enumerate(frames):
        yield replace(frame, index=first + number)

"""Through a film once, without a network: which fragments it has, and what each depends on.

Cuts are found exactly as while colouring (`trtcolor.video.steps`): by the same detector on the same
small copies of the lightness. So a scan says where fragments end, and what the detector remembers
where one begins. With a shot begins all else that is held along time; without a filter along time
(steadiness 0) there is nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtcolor.geometry import Render
from trtcolor.planes import lightness_from_luma
from trtcolor.resize import resize_plane
from trtcolor.seen import reduced_lightness
from trtcolor.spec import ModelSpec
from trtcolor.video.cuts import REACH, CutDetector
from trtcolor.video.fragments import State, ends_before
from trtcolor.video.job import FilmJob
from trtcolor.video.overlap import overlapped
from trtcolor.video.source import FilmFrame
from trtcolor.video.spans import Mark, Span
from trtcolor.video.state import FilmState
from trtcolor.video.stream import AHEAD

Past = tuple[tuple[NDArray[np.float32], ...], tuple[float, ...]]


@dataclass(frozen=True)
class _Seen:
    """A frame on its way through the scan; of a broken one nothing small."""

    mark: Mark
    small: NDArray[np.float32] | None


class Stopped(BaseException):
    """A scan was told to end. Nothing may take it for the end of the film."""


class Scan:
    """The spans of the frames that come after those finished before the first gap.

    Args:
        job: the film, at its beginning.
        spec: of the model.
        render: how large the network sees a frame.
        threads: as in `trtcolor.planes`.
    """

    def __init__(
        self, job: FilmJob, spec: ModelSpec, render: Render, *, threads: int | None = None
    ) -> None:
        self._job, self._spec, self._threads = job, spec, threads
        own = job.settings.render
        self._render: Render = render if own is None else own
        stored = job.work.state()
        begin = None if stored is None else FilmState.from_arrays(stored)
        past: Past = ((), ()) if begin is None else (begin.cells, begin.differences)
        self._detector = CutDetector(*past)
        self._waiting: deque[_Seen] = deque()  # those of which no cut is known yet
        self._state: State | None = stored  # before the frames of the fragment in the making
        self._number, self._first = len(job.work.fragments), job.work.frames
        self._marks: list[Mark] = []
        self._waits = False
        self._stopped = False

    def stop(self) -> None:
        """End `spans` with `Stopped` at the next frame; called from another thread."""
        self._stopped = True

    def spans(self) -> Generator[Span, None, None]:
        """Each as soon as it is known.

        Raises:
            VideoError: the film is broken or cut short and is to be whole, or changes within; the
                spans before that have come.
        """
        job, detector = self._job, self._detector
        seen = overlapped(self._frames(), [self._look], ahead=AHEAD)
        with closing(seen) as frames:
            for frame in frames:
                self._waiting.append(frame)
                if frame.small is not None:
                    past = detector.past
                    if (cut := detector.update(frame.small)) is not None:
                        yield from self._judged(cut, past)
        past = detector.past
        for cut in detector.finish():
            yield from self._judged(cut, past)
            past = detector.past
        self._marks += [frame.mark for frame in self._waiting]
        cut_short = job.check_end(job.film)
        job.say_moved(job.film)
        yield self._span((), last=True, cut_short=cut_short)

    def _judged(self, cut: bool, past: Past) -> Iterator[Span]:
        """Count the next whole frame, and the broken ones before it, to the fragment that it is in.

        Args:
            cut: whether it begins a shot.
            past: what the detector remembered before it was judged.
        """
        waiting, settings = self._waiting, self._job.settings
        while waiting[0].small is None:
            self._marks.append(waiting.popleft().mark)
        if ends_before(cut, len(self._marks), settings.fragment):
            yield self._span(self._behind())
            self._waits = not cut and settings.steady > 0.0
            known = bool(past[0]) and not self._waits  # there may be broken frames alone before it
            self._state = FilmState(self._job.film.size, *past).arrays() if known else None
        self._marks.append(waiting.popleft().mark)

    def _span(
        self, ahead: tuple[Mark, ...], *, last: bool = False, cut_short: str | None = None
    ) -> Span:
        """The fragment in the making, which is through; the next one begins."""
        span = Span(
            self._number,
            self._first,
            tuple(self._marks),
            ahead,
            self._state,
            self._waits,
            last=last,
            cut_short=cut_short,
        )
        self._number, self._first, self._marks = span.number + 1, span.end, []
        return span

    def _behind(self) -> tuple[Mark, ...]:
        """Marks of the frames that wait, as many as judging the one before them takes."""
        marks, whole = [], 0
        for frame in self._waiting:
            if whole == REACH - 1:
                break
            marks.append(frame.mark)
            whole += frame.small is not None
        return tuple(marks)

    def _frames(self) -> Iterator[FilmFrame]:
        begun = self._job.work.frames
        for frame in self._job.film:
            if self._stopped:
                raise Stopped
            if frame.index >= begun:
                self._job.check_whole(frame)
                yield frame

    def _look(self, frames: Iterator[FilmFrame]) -> Iterator[_Seen]:
        signal = self._job.film.samples.signal
        for frame in frames:
            mark = Mark.of(frame)
            if mark.fault is not None or frame.luma is None:
                yield _Seen(mark, None)
                continue
            lightness = lightness_from_luma(
                frame.luma, depth=signal.depth, range=signal.range, threads=self._threads
            )
            plan, reduced = reduced_lightness(
                self._spec, lightness, self._render, threads=self._threads
            )
            yield _Seen(mark, resize_plane(reduced, plan.chroma, threads=self._threads))

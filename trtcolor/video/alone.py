"""The frames that no fragment has yet, coloured and coded by this process, in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path

from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.video.chroma_track import ChromaTrack
from trtcolor.video.cuts import REACH
from trtcolor.video.fragments import State
from trtcolor.video.frames import ColouredFrame, LumaFrame
from trtcolor.video.job import FilmJob
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.writing import FilmWriter

Colour = Callable[[Iterator[LumaFrame], State | None], Generator[ColouredFrame, None, None]]


class Alone:
    """Makes the fragments that are missing, one after the other.

    Args:
        colour: from frames and a stored state to coloured frames.
        chroma: a sidecar to write.
        stages: takes the times.
        tell: called after every frame.
    """

    def __init__(
        self,
        colour: Colour,
        *,
        chroma: Path | None,
        stages: Stages,
        tell: Callable[[Progress], None],
    ) -> None:
        self._colour, self._chroma, self._stages, self._tell = colour, chroma, stages, tell

    def __call__(self, job: FilmJob) -> None:
        """Make them; errors are those of `trtcolor.video.film.color_film`."""
        begun, start = job.work.frames, time.monotonic()

        def told(frames: int) -> None:
            seconds = time.monotonic() - start
            self._tell(Progress(frames, begun, job.film.expected, seconds))

        if self._chroma is not None:
            job.work.forget_ahead()  # the sidecar has every frame's chroma, in order
        with self._track(job) as track:
            self._fill(job, job.film, track, told)
            while not job.work.complete:  # behind a gap something was finished
                with job.file.open() as film:
                    self._fill(job, film, track, told)

    def _track(self, job: FilmJob) -> AbstractContextManager[ChromaTrack | None]:
        if self._chroma is None:
            return nullcontext()
        return ChromaTrack(
            self._chroma,
            job.identity,
            job.film.size,
            begun=job.work.frames,
            overwrite=job.again,
        )

    def _fill(
        self,
        job: FilmJob,
        film: FilmSource,
        track: ChromaTrack | None,
        told: Callable[[int], None],
    ) -> None:
        """Colour the frames of the first gap."""
        work = job.work
        broken: deque[FilmFrame] = deque()  # those that came before the frame on its way
        writer = FilmWriter(
            partial(work.begin, job.encoding), film, job.settings, track=track, stages=self._stages
        )
        lumas = _whole(job, film, work.frames, broken)
        with writer, closing(self._colour(lumas, work.state())) as frames:
            for coloured in _held_back(frames):
                while broken and broken[0].index < coloured.tag.index:
                    writer.add_broken(broken.popleft())
                    told(work.frames + writer.frames)
                if writer.ends_before(coloured):
                    writer.commit()
                    if work.frames != coloured.tag.index:
                        return
                writer.add(coloured)
                told(work.frames + writer.frames)
            for frame in broken:
                writer.add_broken(frame)
                told(work.frames + writer.frames)
            writer.commit(last=True, cut_short=job.check_end(film))
        job.say_moved(film)


def _whole(
    job: FilmJob, film: FilmSource, begun: int, broken: deque[FilmFrame]
) -> Iterator[LumaFrame]:
    """The frames to be coloured; the others go to `broken`."""
    for frame in film:
        if frame.index < begun:
            continue
        job.check_whole(frame)
        if frame.fault is None:
            yield film.luma_frame(frame)
        else:
            broken.append(frame)


def _held_back(frames: Iterable[ColouredFrame]) -> Iterator[ColouredFrame]:
    """The frames, the last ones once it is known that the film ends there.

    Before an error whether these begin a shot was judged without those that would have followed:
    no fragment may end by that.
    """
    waiting: deque[ColouredFrame] = deque()
    for frame in frames:
        waiting.append(frame)
        del frame
        if len(waiting) == REACH:
            yield waiting.popleft()
    yield from waiting

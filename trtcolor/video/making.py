"""A fragment made from the film alone, by whichever process: that of the run that makes all."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.stages import Stages
from trtcolor.video.alone import Colour
from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import Fragment, FragmentWriter, Made
from trtcolor.video.frames import LumaFrame
from trtcolor.video.job import FilmFile
from trtcolor.video.reading import Frames, OtherFrames, SpanReader
from trtcolor.video.settings import FilmSettings
from trtcolor.video.source import FilmFrame
from trtcolor.video.spans import Span
from trtcolor.video.writing import FilmWriter


class FragmentMaker(Closing):
    """Makes fragments of one film, in any order.

    Args:
        file: the film.
        encoding, settings: how it is coded and coloured.
        colour: from frames and a stored state to coloured frames.
        stages: takes the times.

    Attributes:
        reader: of the film.

    Raises:
        VideoError, BackendError: the film cannot be opened.
    """

    def __init__(
        self,
        file: FilmFile,
        encoding: Encoding,
        settings: FilmSettings,
        colour: Colour,
        *,
        stages: Stages,
    ) -> None:
        self._file, self._encoding, self._settings = file, encoding, settings
        self._colour, self._stages = colour, stages
        self.reader = SpanReader(file)

    def make(self, span: Span) -> Made:
        """Colour and code the frames of a span.

        Args:
            span: whose state is known.

        Raises:
            VideoError: this machine decodes the film otherwise than the one that cut it, or the
                encoder fails.
            BackendError: the network failed.
            OSError: the disk is full, and so on.
        """
        for frames in self.reader.ways(span):
            with suppress(OtherFrames), closing(frames):
                return self._made(span, frames)
        raise VideoError(
            f"{self._file.name!r} is decoded otherwise here than where it was cut, in the "
            f"{len(span.marks)} frames from {span.first}; the same film and PyAV were needed on "
            "every machine; look at both"
        )

    def close(self) -> None:
        """Close the film; a second call does nothing."""
        self.reader.close()

    def _made(self, span: Span, frames: Frames) -> Made:
        finished: list[Fragment] = []
        broken: deque[FilmFrame] = deque()  # those that came before the frame on its way
        left = span.whole
        with tempfile.TemporaryDirectory(prefix="trtcolor-") as name:
            begin = partial(
                FragmentWriter,
                Path(name),
                span.number,
                span.first,
                self._encoding,
                extradata=None,
                done=finished.append,
            )
            writer = FilmWriter(
                begin, self.reader.film, self._settings, track=None, stages=self._stages
            )
            lumas = self._whole(frames, broken)
            with writer, closing(self._colour(lumas, span.state)) as coloured_frames:
                while left:
                    coloured = next(coloured_frames)
                    while broken and broken[0].index < coloured.tag.index:
                        writer.add_broken(broken.popleft())
                    writer.add(coloured)
                    left -= 1
                if not span.whole:  # colouring has asked for no frame
                    deque(lumas, maxlen=0)
                for frame in broken:
                    if frame.index < span.end:
                        writer.add_broken(frame)
                writer.commit(last=span.last, cut_short=span.cut_short)
            return Made.of(Path(name), span.number, finished[0])

    def _whole(self, frames: Frames, broken: deque[FilmFrame]) -> Iterator[LumaFrame]:
        for frame in frames:
            if frame.fault is None:
                yield self.reader.film.luma_frame(frame)
            else:
                broken.append(frame)

"""Reading a film: every frame of its video, in order, with its time stamp, or why it is broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.video.decoding import Lost, decoded_frames, first_video, stamp_of
from trtcolor.video.deinterlace import Deinterlace
from trtcolor.video.frames import LumaFrame
from trtcolor.video.length import expected_frames, what_is_missing
from trtcolor.video.orientation import Turn, turn_from_matrix
from trtcolor.video.pyav import import_av, open_container
from trtcolor.video.samples import Samples

PROBED = 8
"""Frames decoded before any is coloured, to see whether the film is interlaced."""


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """A frame of a film as it was decoded.

    Attributes:
        index: its place among all frames of the film, broken ones too, from 0.
        pts: when it is shown, in the film's time base.
        duration: for how long, in the same; 0: not known.
        luma: (H, W) Y' plane; None: the decoder made nothing of it.
        fault: why it is broken; None: it is not.
    """

    index: int
    pts: int
    duration: int
    luma: NDArray[Any] | None
    fault: str | None = None


class FilmSource(Closing):
    """The first video stream of a file that is no cover picture.

    Args:
        path: of the file.
        deinterlace: FFmpeg's filter for frames marked as interlaced; None refuses them.
        hardware: device that decodes, as FFmpeg names them ("cuda", "vaapi", ...).
        assume_sdr: read PQ, HLG, linear and logarithmic film as if it were of standard range.
        upright: turn the frames as the file asks players to, where that is by quarters.

    Attributes:
        size: (height, width) in pixels.
        samples: what they mean, and what the coloured film's are.
        time_base: seconds of one unit of the time stamps.
        rate: frames a second, on average.
        aspect: of a sample; None: not said.
        display_matrix: nine numbers that turn and mirror these frames for showing; None: none.
        turned: whether the frames are turned already.
        codec: the decoder's name.
        expected: how many frames there will be, as far as the container tells; None: not at all.
        moved: time stamps so far that did not grow and were moved behind the one before.
        cut_short: once all frames have come, why the film counts as cut short; None: it does not.

    Raises:
        BackendError: PyAV is not installed, or the device is not there.
        VideoError: no such file, no video, no frame, or a film that cannot be coloured as it is.
        ValueError: ``deinterlace`` is no such filter.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        deinterlace: Deinterlace | None = None,
        hardware: str | None = None,
        assume_sdr: bool = False,
        upright: bool = False,
    ) -> None:
        if deinterlace not in (None, *get_args(Deinterlace)):
            raise ValueError(
                f"deinterlace is {deinterlace!r}; 'bwdif' or 'yadif' was needed; pass one of these"
            )
        self.name = os.fspath(path)
        self.moved = 0
        self.cut_short: str | None = None
        self._deinterlace = deinterlace
        self._upright = upright
        self._container = open_container(self.name, hardware=hardware)
        try:
            self._stream = first_video(self._container, self.name)
            self._stream.thread_type = "AUTO"
            self._describe(assume_sdr)
        except BaseException:
            self._container.close()
            raise

    def _describe(self, assume_sdr: bool) -> None:
        stream = self._stream
        self.codec: str = stream.codec_context.name
        self.time_base: Fraction = stream.time_base
        self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(25)
        decoded = self._decoded()
        first = list(islice(decoded, PROBED))
        pictures = [item for item in first if not isinstance(item, Lost)]
        if not pictures:
            why = f" ({first[0].reason})" if first else ""
            raise VideoError(
                f"{self.name!r} has no frame that can be decoded{why}; one was needed; check the "
                "file, or copy it again"
            )
        self._check_progressive(pictures)
        shown = pictures[0]
        self.samples = Samples.of(shown, assume_sdr=assume_sdr)
        self.size: tuple[int, int] = (shown.height, shown.width)
        self.aspect: Fraction | None = stream.sample_aspect_ratio or None
        self.display_matrix = _display_matrix(shown)
        self._turn: Turn | None = None
        if self._upright and self.display_matrix is not None:
            self._turn = turn_from_matrix(self.display_matrix)
        self.turned = self._turn is not None
        if self._turn is not None:
            self.display_matrix = None
            if self._turn.transpose:
                self.size = (shown.width, shown.height)
                self.aspect = None if self.aspect is None else 1 / self.aspect
        self._coded = (shown.height, shown.width, shown.format.name)
        self.expected = expected_frames(self._container, stream)
        self._items: Iterator[Any] = chain(first, decoded)

    def __iter__(self) -> Iterator[FilmFrame]:
        """Once through the film.

        Raises:
            VideoError: frames change their size or format, or are interlaced, within the film.
        """
        last, index = None, 0
        step = max(1, round(1 / (self.rate * self.time_base)))
        for index, item in enumerate(self._items):
            pts = item.pts if item.pts is not None else 0 if last is None else last + step
            if last is not None and pts <= last:
                pts, self.moved = last + 1, self.moved + 1
            last = pts
            if isinstance(item, Lost):
                yield FilmFrame(index, pts, 0, None, item.reason)
                continue
            self._check_same(item, pts)
            step = item.duration or step
            luma = self.samples.luma(item)
            if self._turn is not None:
                luma = self._turn.of(luma)
            fault = self._faults.pop(stamp_of(item), None)
            if item.is_corrupt:
                fault = "the decoder found it damaged"
            yield FilmFrame(index, pts, item.duration, luma, fault)
        end = 0 if last is None else last + step
        self.cut_short = what_is_missing(
            self._container, self._stream, 0 if last is None else index + 1, end
        )

    def seek(self, pts: int) -> None:
        """Go on at the last key frame that the container knows at or before a time stamp.

        Frames that are iterated over afterwards are counted from 0 again, and whether they are
        those that come there from the film's beginning is not said.

        Raises:
            One of `trtcolor.video.pyav.failures`: the container does not do it.
        """
        self._container.seek(pts, stream=self._stream)
        self._items = self._decoded()

    def luma_frame(self, frame: FilmFrame) -> LumaFrame:
        """A frame that is not broken, to be coloured; its tag is the frame.

        Raises:
            ValueError: the decoder made nothing of it.
        """
        if frame.luma is None:
            raise ValueError(
                f"frame {frame.index} has no luma; a whole one was needed; leave it out"
            )
        return LumaFrame(frame.luma, self.samples.signal, self.seconds(frame.pts), frame)

    def seconds(self, pts: int) -> Fraction:
        """When a time stamp is."""
        return pts * self.time_base

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._container.close()

    def _decoded(self) -> Iterator[Any]:
        """From where the container stands."""
        self._faults: dict[int | None, str] = {}
        return decoded_frames(
            self._container, self._stream, deinterlace=self._deinterlace, faults=self._faults
        )

    def _check_progressive(self, frames: list[Any]) -> None:
        for frame in frames:
            if frame.interlaced_frame and self._deinterlace is None:
                time = "" if frame.pts is None else f" at {float(self.seconds(frame.pts)):.3f} s"
                raise VideoError(
                    f"{self.name!r} is interlaced{time}: each frame holds two fields of different "
                    "moments, which chroma of 4:2:0 would mix; whole frames were needed; pass "
                    "--deinterlace bwdif"
                )

    def _check_same(self, frame: Any, pts: int) -> None:
        self._check_progressive([frame])
        height, width, pixels = self._coded
        if (frame.height, frame.width, frame.format.name) != self._coded:
            raise VideoError(
                f"{self.name!r} changes at {float(self.seconds(pts)):.3f} s from {width}x{height} "
                f"{pixels} to {frame.width}x{frame.height} "
                f"{frame.format.name}; one size and format were needed; cut it there"
            )


def _display_matrix(frame: Any) -> tuple[int, ...] | None:
    av = import_av()
    for data in frame.side_data:
        if data.type == av.sidedata.sidedata.Type.DISPLAYMATRIX:
            return tuple(int(number) for number in np.frombuffer(data, np.int32))
    return None

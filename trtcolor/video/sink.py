"""Writing: coloured frames to an encoder, and what it makes of them to a file of packets.

The encoder counts frames, whatever their times; the time stamps, in the film's own time base, are
laid beside its packets afterwards. So every encoder keeps every time stamp, and what it makes of
frames does not depend on them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import VideoError
from trtcolor.video.encoding import Encoding
from trtcolor.video.pyav import failures, import_av, reason_of

_RECORD = struct.Struct("<qqIB")  # time stamp, duration, bytes that follow, whether a key frame


@dataclass(frozen=True)
class Coded:
    """A frame as it is coded.

    Attributes:
        pts, duration: in the film's time base.
        key: whether it can be decoded without those before.
        data: the packet's bytes.
    """

    pts: int
    duration: int
    key: bool
    data: bytes


class PacketWriter:
    """Encodes frames in a row, with an encoder of their own, into a stream of bytes.

    Args:
        encoding: the encoder.
        stream: takes the packets; it is not closed.

    Attributes:
        frames: how many went in.
        delay: how many frames the coded order lags behind that of showing at most.
        crc: CRC-32 of what was written.
        extradata: the encoder's headers, which are to be the same each time.
    """

    def __init__(self, encoding: Encoding, stream: BinaryIO) -> None:
        self._encoding = encoding
        self._stream = stream
        self._encoder = encoding.open()
        self.extradata = bytes(self._encoder.extradata or b"")
        self._times: list[tuple[int, int]] = []
        self._packets = 0
        self.delay = 0
        self.crc = 0

    @property
    def frames(self) -> int:
        return len(self._times)

    def write(
        self, luma: NDArray[Any], u: NDArray[Any], v: NDArray[Any], pts: int, duration: int
    ) -> None:
        """Encode the next frame: Y', U and V of the encoding's size, depth and subsampling.

        Raises:
            VideoError: the encoder fails.
            OSError: the disk is full, and so on.
        """
        frame = frame_from_planes(luma, u, v, self._encoding)
        frame.pts = len(self._times)
        frame.time_base = 1 / self._encoding.rate
        self._times.append((pts, duration))
        self._encode(frame)

    def finish(self) -> None:
        """Write what the encoder still holds.

        Raises:
            VideoError: the encoder fails, or gave fewer frames than it took.
        """
        self._encode(None)
        if self._packets != len(self._times):
            raise VideoError(
                f"encoder {self._encoding.codec} made {self._packets} packets of "
                f"{len(self._times)} frames; one a frame was needed; choose another --codec"
            )

    def _encode(self, frame: Any) -> None:
        try:
            packets = self._encoder.encode(frame)
        except failures() as error:
            raise VideoError(
                f"encoder {self._encoding.codec} failed ({reason_of(error)}); choose another "
                "--codec or --quality"
            ) from None
        for packet in packets:
            shown = packet.pts  # the frame's number
            self.delay = max(self.delay, self._packets - shown)
            self._packets += 1
            pts, duration = self._times[shown]
            data = bytes(packet)
            record = _RECORD.pack(pts, duration, len(data), packet.is_keyframe) + data
            self.crc = zlib.crc32(record, self.crc)
            self._stream.write(record)


def frame_from_planes(
    luma: NDArray[Any], u: NDArray[Any], v: NDArray[Any], encoding: Encoding
) -> Any:
    """An ``av.VideoFrame`` of three planes, with the colour tags of the film."""
    samples = encoding.samples
    height, width = luma.shape
    frame = import_av().VideoFrame(width, height, samples.output_format)
    for plane, values in zip(frame.planes, (luma, u, v), strict=True):
        rows = np.frombuffer(plane, samples.signal.dtype)
        rows = rows.reshape(plane.height, plane.line_size // rows.itemsize)
        rows[:, : plane.width] = values
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = samples.tags
    return frame


def read_packets(path: Path) -> Iterator[Coded]:
    """The packets of a file, in the order in which they are decoded."""
    with path.open("rb") as stream:
        while head := stream.read(_RECORD.size):
            pts, duration, length, key = _RECORD.unpack(head)
            yield Coded(pts, duration, bool(key), stream.read(length))


def read_times(path: Path) -> list[int]:
    """The time stamps of a file's packets, in the order in which they are shown."""
    times = []
    with path.open("rb") as stream:
        while head := stream.read(_RECORD.size):
            pts, _, length, _ = _RECORD.unpack(head)
            times.append(pts)
            stream.seek(length, 1)
    return sorted(times)

"""What the chroma sidecar consists of: a header in text and a record a frame.

All numbers are little-endian:

    file    = "trtcolor-chroma 1" LF, header, LF, record...
    header  = a JSON object in one line: the entries of `ChromaHeader`
    record  = "CHRM", uint32 length of the payload, int64 numerator and int64 denominator of the
              time in seconds (denominator 0: not known), uint32 flags (bit 0: first frame of a
              shot), uint32 CRC-32 of the record without these four bytes, payload
    payload = zlib stream of the low bytes, then the high bytes, of 2 x h x w uint16: first a*, then
              b*, each row by row

Such a uint16 is the zigzag code (0, -1, 1, -2 as 0, 1, 2, 3) of q[y, x] - q[y - 1, x] - q[y, x - 1]
+ q[y - 1, x - 1] modulo 2^16, where q is a* or b* in units of STEP, and 0 outside the grid. Records
stand alone: any of them may be left out or replaced, and after a kill all are there but the one
that was being written.

A sample is off by at most STEP / 2 = 1/32. The merge rounds chroma so too before it makes U and V
(`trtcolor.video.stream.planes_from_chroma`): those of a sidecar are bit for bit those of the run
that wrote it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import ConfigError
from trtcolor.sections import section

STEP = 1 / 16
"""Distance between two values of a* or b* that a sidecar can tell apart."""

LARGEST = 1000.0
"""Greatest a* or b* that it keeps, as in `trtcolor.planes.chroma_planes`."""

LARGEST_GRID = 1 << 26
"""Samples of a*, and as many of b*."""

TITLE = b"trtcolor-chroma 1\n"
LARGEST_HEADER = 1 << 20

_RECORD = struct.Struct("<4sIqqI")
_CHECK = struct.Struct("<I")
_HEAD = _RECORD.size + _CHECK.size
_MARK = b"CHRM"
_CUT = 1
_LEVEL = 3  # of zlib; 9 makes files up to 8 % smaller and takes up to ten times as long

Chroma = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ChromaHeader:
    """What a sidecar says of itself.

    Attributes:
        frame: (height, width) of the film that the chroma was made for.
        grid: (height, width) of the chroma, which lies over frames of any size as
            `trtcolor.video.stream.planes_from_chroma` lays it.
        source: what identifies the film.
        model: what identifies the network.
        settings: that it was run with.

    Raises:
        ValueError: a size is impossible, or an entry has no JSON form.
    """

    frame: tuple[int, int]
    grid: tuple[int, int]
    source: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (height, width) in (("frame", self.frame), ("grid", self.grid)):
            if height < 1 or width < 1:
                raise ValueError(f"{name} is {height}x{width}; at least 1x1 was needed; correct it")
        height, width = self.grid
        if height * width > LARGEST_GRID:
            raise ValueError(
                f"grid is {height}x{width}; at most {LARGEST_GRID} samples were needed; let the "
                "network see a smaller copy (render)"
            )
        try:
            length = len(self.to_json())
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"source, model or settings have no JSON form ({error}); plain numbers, texts, "
                "lists and tables were needed; convert them"
            ) from None
        if length >= LARGEST_HEADER:
            raise ValueError(
                f"the header takes {length} bytes; fewer than {LARGEST_HEADER} were needed; leave "
                "entries of source, model or settings out"
            )

    def to_json(self) -> str:
        """One line of ASCII."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """Raises ValueError for what is no such header."""
        try:
            return section(cls, json.loads(line), "the header")
        except (ConfigError, RecursionError) as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True, eq=False)
class ChromaFrame:
    """One frame's chroma.

    Attributes:
        chroma: (2, h, w) float32 a* and b*.
        cut: whether the frame is the first of a shot.
        time: when it is shown, in seconds; None: not known.
    """

    chroma: Chroma
    cut: bool
    time: Fraction | None = None


def rounded_chroma(chroma: NDArray[Any]) -> Chroma:
    """Chroma as a sidecar keeps it: what is merged from this comes out of the file bit for bit.

    Args:
        chroma: (2, h, w) a* and b*.

    Returns:
        float32 multiples of STEP, clamped to -LARGEST..LARGEST; 0 for NaN.
    """
    return _samples(chroma) * np.float32(STEP)


def _samples(chroma: NDArray[Any]) -> Chroma:
    """In units of STEP, whole numbers."""
    bounded = np.nan_to_num(np.clip(chroma, -LARGEST, LARGEST), nan=0.0)
    samples: Chroma = np.rint(bounded * np.float32(1 / STEP)).astype(np.float32)
    return samples


def record_of(chroma: Chroma, cut: bool, time: Fraction | None) -> bytes:
    """A frame's record.

    Raises:
        ValueError: the time has no 64-bit numerator and denominator.
    """
    q = _samples(chroma).astype(np.int16)
    zero = np.int16(0)
    steps = np.diff(np.diff(q, axis=1, prepend=zero), axis=2, prepend=zero)
    codes = (steps << 1 ^ steps >> 15).astype("<i2")
    payload = zlib.compress(codes.view(np.uint8).reshape(-1, 2).T.tobytes(), _LEVEL)
    over, under = (0, 0) if time is None else (time.numerator, time.denominator)
    try:
        head = _RECORD.pack(_MARK, len(payload), over, under, _CUT if cut else 0)
    except struct.error:
        raise ValueError(
            f"a time of {time} seconds came; a fraction of 64-bit numbers was needed; round it"
        ) from None
    return head + _CHECK.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def frame_of(record: bytes, grid: tuple[int, int]) -> ChromaFrame | None:
    """The frame of a record; None where it is damaged."""
    if len(record) < _HEAD:
        return None
    mark, length, over, under, flags = _RECORD.unpack_from(record)
    (check,) = _CHECK.unpack_from(record, _RECORD.size)
    payload = record[_HEAD:]
    if mark != _MARK or length != len(payload) or under < 0:
        return None
    if check != zlib.crc32(payload, zlib.crc32(record[: _RECORD.size])):
        return None
    needed = 4 * grid[0] * grid[1]
    try:
        content = zlib.decompressobj().decompress(payload, needed + 1)
    except zlib.error:
        return None
    if len(content) != needed:
        return None
    code = np.frombuffer(content, np.uint8).reshape(2, -1).T.copy().view("<u2").reshape(2, *grid)
    steps = (code >> 1).astype(np.int16) ^ -(code & 1).astype(np.int16)
    q = np.cumsum(np.cumsum(steps, axis=1, dtype=np.int16), axis=2, dtype=np.int16)
    time = Fraction(over, under) if under else None
    return ChromaFrame(q * np.float32(STEP), bool(flags & _CUT), time)


def whole_records(file: BinaryIO, grid: tuple[int, int]) -> list[int]:
    """Where each whole record begins, and behind them where the last of them ends.

    Args:
        file: at the first record; what it holds of the last record is checked to the bit.
    """
    start = file.tell()
    size = file.seek(0, 2)
    longest = 5 * grid[0] * grid[1] + 1024  # more than zlib needs for what it cannot compress
    offsets = [start]
    while True:
        file.seek(offsets[-1])
        head = file.read(_HEAD)
        if len(head) < _HEAD or not head.startswith(_MARK):
            break
        length = _RECORD.unpack_from(head)[1]
        end = offsets[-1] + _HEAD + length
        if end > size or length > longest:
            break
        offsets.append(end)
    # After a power cut the last one may have its length and not its content.
    while len(offsets) > 1:
        file.seek(offsets[-2])
        if frame_of(file.read(offsets[-1] - offsets[-2]), grid) is not None:
            break
        offsets.pop()
    return offsets

"""YUV4MPEG2, the form in which ``ffmpeg -f yuv4mpegpipe`` and others pass raw frames on.

A line of parameters, then for each frame a line ``FRAME`` and its planes. Read and written: grey
and 4:2:0, 4:2:2, 4:4:4 of 8, 9, 10, 12, 14 and 16 bits (``Cmono12``, ``C422p10``; of 4:2:0 in 8
bits all three sitings), progressive. Chroma that comes in is dropped. Parameters go out as they
came, but for grey, which goes out as 4:2:0 with MPEG-2's siting.

Without ``XCOLORRANGE`` YUV is taken to be of limited range and grey of full, as FFmpeg does. Which
matrix is meant y4m cannot say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO, Self

from trtcolor.errors import VideoError
from trtcolor.planes import Matrix, Range, Siting
from trtcolor.video.formats import FORMATS, MAX_PIXELS, PixelFormat, Size, check_pixels, with_chroma
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal
from trtcolor.video.pipes import write_all
from trtcolor.video.raw import PlaneReader, little_endian, usual_matrix

LONGEST_LINE = 4096
"""Bytes of a line of parameters."""

_MAGIC = "YUV4MPEG2"
_SITINGS: dict[str, Siting] = {"420jpeg": "center", "420mpeg2": "left", "420paldv": "topleft"}
_RANGES: dict[str, Range] = {"LIMITED": "limited", "FULL": "full"}
_FORM = {
    "W": r"[1-9][0-9]{0,8}",
    "H": r"[1-9][0-9]{0,8}",
    "F": r"[0-9]{1,18}:[0-9]{1,18}",
    "A": r"[0-9]{1,18}:[0-9]{1,18}",
    "I": r"[ptbm?]",
    "C": r"\S+",
    "X": r"\S*",
}


@dataclass(frozen=True)
class Y4MHeader:
    """The first line of a stream.

    Attributes:
        parameters: as they came, in order, each its letter and its value.
        size: (height, width) in pixels.
        format: of the frames.
        siting: of chroma.
        range: of the codes.
        rate: frames a second, or None where it is unknown.
    """

    parameters: tuple[str, ...]
    size: Size
    format: PixelFormat
    siting: Siting
    range: Range
    rate: Fraction | None

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Of a line without its end.

        Raises:
            ValueError: it is no such header, or of frames that are not read here.
        """
        try:
            magic, *parameters = line.decode("ascii").split(" ")
        except UnicodeDecodeError:
            magic, parameters = "", []
        parameters = [parameter for parameter in parameters if parameter]
        if magic != _MAGIC:
            raise ValueError(
                f"it begins with {line[:20]!r}; {_MAGIC} was needed; make it by "
                "'ffmpeg -f yuv4mpegpipe', or name the --size and --format of raw frames"
            )
        values = _values(parameters)
        if "W" not in values or "H" not in values:
            raise ValueError("its header lacks W or H; both were needed; make it again")
        if values.get("I", "p") not in "p?":
            raise ValueError(
                f"its frames are interlaced (I{values['I']}); whole pictures were needed; "
                "deinterlace before, in FFmpeg by '-vf bwdif'"
            )
        extensions = dict(
            name[1:].partition("=")[::2] for name in parameters if name.startswith("X")
        )
        chroma = values.get("C") or extensions.get("YSCSS", "420jpeg").lower()
        format_ = _format_of(chroma)
        usual = "full" if format_.kind == "grey" else "limited"
        range_ = _RANGES.get(extensions.get("COLORRANGE", usual).upper())
        if range_ is None:
            raise ValueError(
                f"its XCOLORRANGE is {extensions['COLORRANGE']!r}; FULL or LIMITED was needed; "
                "make it again"
            )
        over, under = map(int, values.get("F", "0:0").split(":"))
        return cls(
            parameters=tuple(parameters),
            size=(int(values["H"]), int(values["W"])),
            format=format_,
            siting=("center" if chroma == "420" else _SITINGS.get(chroma, "left")),
            range=range_,
            rate=Fraction(over, under) if over and under else None,
        )

    def coloured(self) -> Self:
        """The header of the frames once they have colour."""
        if self.format.kind != "grey":
            return self
        depth = self.format.depth
        chroma = "C420mpeg2" if depth == 8 else f"C420p{depth}"  # both are sited left
        parameters = [
            chroma if one.startswith("C") else one
            for one in self.parameters
            if not one.startswith("XYSCSS=")
        ]
        if self.range == "full" and not any(one.startswith("XCOLORRANGE") for one in parameters):
            parameters.append("XCOLORRANGE=FULL")  # of grey it was understood
        return replace(self, parameters=tuple(parameters), format=with_chroma(self.format))

    def to_line(self) -> bytes:
        """With its end."""
        return " ".join((_MAGIC, *self.parameters)).encode("ascii") + b"\n"

    def signal(self, matrix: Matrix) -> Signal:
        """What the codes of the coloured frames mean."""
        return Signal(
            depth=self.format.depth,
            range=self.range,
            matrix=matrix,
            subsampling=self.format.subsampling or 420,
            siting=self.siting,
        )


def _values(parameters: list[str]) -> dict[str, str]:
    """Of the parameters by letter, those of applications (X) left out."""
    values: dict[str, str] = {}
    for parameter in parameters:
        letter, value = parameter[:1], parameter[1:]
        if letter not in _FORM or re.fullmatch(_FORM[letter], value) is None:
            raise ValueError(
                f"its header has {parameter[:40]!r}; W, H, F, A, I, C or X with its value was "
                "needed; make it again"
            )
        if letter in values:
            raise ValueError(f"its header has {letter} twice; once was needed; make it again")
        if letter != "X":
            values[letter] = value
    return values


def _format_of(chroma: str) -> PixelFormat:
    """A pixel format by what y4m calls it."""
    match = re.fullmatch(r"mono([0-9]*)|(420|422|444)(?:p([0-9]+))?", chroma)
    name = "yuv420p" if chroma in _SITINGS else ""
    if match is not None:
        depth = match[1] or match[3]
        name = (f"yuv{match[2]}p" if match[2] else "gray") + (f"{depth}le" if depth else "")
    if name not in FORMATS:
        raise ValueError(
            f"its frames are of C{chroma[:40]}; mono, 420, 422 or 444 of 8, 9, 10, 12, 14 or 16 "
            "bits was needed; convert them, in FFmpeg by '-pix_fmt yuv420p'"
        )
    return FORMATS[name]


class Y4MReader:
    """Frames of a y4m stream, in order; times are those of a constant rate from 0.

    Args:
        stream: binary, at the header; it is not closed.
        name: what to call it in errors.
        matrix: of the chroma that goes out; None: the usual one of that size.
        max_pixels: larger frames are refused.

    Attributes:
        header: the stream's `Y4MHeader`.
        signal: what the codes mean.

    Raises:
        VideoError: it is no y4m stream, or of frames that are not read here.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        name: str = "the stream",
        matrix: Matrix | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        line = stream.readline(LONGEST_LINE)
        try:
            if not line.endswith(b"\n"):
                raise ValueError(
                    f"its header of {len(line)} bytes has no end; a line of at most {LONGEST_LINE} "
                    "was needed; check what feeds it"
                )
            self.header = Y4MHeader.parse(line[:-1])
            check_pixels(self.header.size, max_pixels)
        except ValueError as error:
            raise VideoError(f"{name} is not read as y4m: {error}") from None
        self.signal = self.header.signal(matrix or usual_matrix(self.header.size))
        self._stream, self._name = stream, name
        self._planes = PlaneReader(stream, self.header.format, self.header.size, name)

    def __iter__(self) -> Iterator[LumaFrame]:
        """Each frame once; its tag is what the line FRAME has behind that word, bytes.

        Raises:
            VideoError: a frame is cut short, or something else stands where one should begin.
        """
        format_, rate = self.header.format, self.header.rate
        while line := self._stream.readline(LONGEST_LINE):
            count = self._planes.count
            if not re.fullmatch(rb"FRAME( [!-~]+)*\n", line):
                raise VideoError(
                    f"{self._name} has {line[:20]!r} where frame {count} should begin; a line "
                    f"FRAME was needed; the {count} before it are whole, check what feeds it"
                )
            plane = self._planes.read()
            if plane is None:
                raise self._planes.cut_short(0)
            time = Fraction(count) / rate if rate else None
            yield LumaFrame(format_.luma_of(plane), self.signal, time, line[5:-1])

    def writer(self, stream: BinaryIO) -> Y4MWriter:
        """For the frames of this reader, once they have colour."""
        return Y4MWriter(stream, self.header)


class Y4MWriter:
    """Writes coloured frames as y4m, each of them whole at once.

    Args:
        stream: binary; it is not closed. The header is written at once.
        header: that of the frames that came.
    """

    def __init__(self, stream: BinaryIO, header: Y4MHeader) -> None:
        self._stream = stream
        write_all(stream, header.coloured().to_line())

    def write(self, frame: ColouredFrame) -> None:
        """Write a frame whose tag is as `Y4MReader` gave it.

        Raises:
            OSError: the disk is full, nobody reads the pipe (BrokenPipeError), and so on.
        """
        start = b"FRAME" + frame.tag + b"\n"
        write_all(self._stream, start, *map(little_endian, (frame.luma, frame.u, frame.v)))

"""The first line of a YUV4MPEG2 stream, which says what its frames are.

Without ``XCOLORRANGE`` YUV is taken to be of limited range and grey of full, as FFmpeg does. Which
matrix is meant y4m cannot say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from trtcolor.planes import Matrix, Range, Siting
from trtcolor.video.formats import FORMATS, PixelFormat, Size, with_chroma
from trtcolor.video.frames import Signal

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

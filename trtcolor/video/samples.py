"""What the samples of a decoded frame mean, and its Y' plane without a copy where that can be.

A decoded frame's format (PyAV's name of FFmpeg's pixel format) and its colour tags (ITU-T H.273)
say what a `LumaFrame` needs to know and what a coloured frame is to be written as. Y' comes out as
it was decoded. Only for RGB it is computed, by FFmpeg's swscale, as limited range in the matrix
that the size suggests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import VideoError
from trtcolor.planes import Matrix, Range, Subsampling
from trtcolor.video.frames import Signal, usual_matrix

_LIMITED, _FULL = 1, 2  # FFmpeg's AVColorRange
_MATRICES: dict[int, Matrix] = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020"}
_CODES: dict[Matrix, int] = {"bt709": 1, "bt601": 6, "bt2020": 9}
_OTHER_MATRICES = {
    7: "smpte240m", 8: "ycgco", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc",
    13: "chroma-derived-c", 14: "ictcp", 15: "ipt-c2", 16: "ycgco-re", 17: "ycgco-ro",
}  # fmt: skip
_TRANSFERS = {
    8: "linear",
    9: "log100",
    10: "log316",
    16: "smpte2084 (PQ)",
    18: "arib-std-b67 (HLG)",
}
_PLANAR = re.compile(r"yuv(?P<alpha>a?)(?P<j>j?)(?P<layout>4\d\d)p(?P<depth>\d*)(?P<end>le|be)?$")
_GREY = re.compile(r"gray(?P<depth>\d*)(?P<end>le|be)?$")
_PAIRED = re.compile(r"[pP](?P<layout>[024])(?P<depth>1[0246])(?P<end>le|be)$")
_LAYOUTS: dict[str, Subsampling] = {
    "410": 420, "411": 422, "420": 420, "422": 422, "440": 444, "444": 444,
}  # fmt: skip
_PACKED = {"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p", "uyyvyy411": "yuv411p"}


@dataclass(frozen=True)
class Samples:
    """How frames of one film are read.

    Attributes:
        signal: what the Y' that comes out means, and the chroma that is to go with it.
        source_format: PyAV's name of the pixel format that is decoded.
        output_format: that of the coloured film.
        tags: (matrix, primaries, transfer, range) as FFmpeg numbers them, for the coloured film:
            as they came, but that RGB and grey sources get the ones that their Y' is coded by.
        identical: whether Y' is as decoded; not for RGB.
        alpha: whether there is transparency, which the coloured film has not.
    """

    signal: Signal
    source_format: str
    output_format: str
    tags: tuple[int, int, int, int]
    identical: bool
    alpha: bool = False

    @classmethod
    def of(cls, frame: Any, *, assume_sdr: bool = False) -> Samples:
        """From the first decoded frame of a film (an ``av.VideoFrame`` in the main memory).

        Raises:
            VideoError: its transfer, matrix or format cannot be coloured.
        """
        matrix_tag, primaries = int(frame.colorspace), int(frame.color_primaries)
        transfer, range_tag = int(frame.color_trc), int(frame.color_range)
        if transfer in _TRANSFERS and not assume_sdr:
            raise VideoError(
                f"the film's transfer is {_TRANSFERS[transfer]}; one of standard range was needed; "
                "convert it, or pass --assume-sdr to read it as such"
            )
        name = frame.format.name
        plain = _planar_format(name)
        identical = plain is not None
        if plain is None:
            if not (frame.format.is_rgb or frame.format.has_palette or name.startswith("mono")):
                raise VideoError(
                    f"the film's pixel format is {name}; planar or semi-planar YUV, grey or RGB "
                    "was needed; convert it with ffmpeg -pix_fmt"
                )
            depth = max(component.bits for component in frame.format.components)
            plain = _Plain(max(8, min(depth, 16)), 420, grey=False, full=False)
        size = (frame.height, frame.width)
        matrix = _matrix(matrix_tag, size, coded=identical and not plain.grey)
        taken: Range = "full" if plain.full else "limited"
        if identical and range_tag in (_LIMITED, _FULL):
            taken = "full" if range_tag == _FULL else "limited"
        if not identical or plain.grey:
            matrix_tag = _CODES[matrix]
            range_tag = _FULL if taken == "full" else _LIMITED
        signal = Signal(
            depth=plain.depth, range=taken, matrix=matrix, subsampling=plain.subsampling
        )
        deep = "" if plain.depth == 8 else f"{plain.depth}le"
        return cls(
            signal=signal,
            source_format=name,
            output_format=f"yuv{plain.subsampling}p{deep}",
            tags=(matrix_tag, primaries, transfer, range_tag),
            identical=identical,
            alpha=any(component.is_alpha for component in frame.format.components),
        )

    def luma(self, frame: Any) -> NDArray[Any]:
        """(H, W) uint8 or uint16, codes in the low bits: a view of the frame where that can be."""
        name = frame.format.name
        if not self.identical:
            frame = frame.reformat(
                format=self.output_format,
                dst_colorspace=self.tags[0],
                dst_color_range=_LIMITED,
            )
        elif name in _PACKED:
            frame = frame.reformat(format=_PACKED[name])
        big = name.endswith("be") and self.identical
        kind = np.dtype(np.uint8) if self.signal.depth == 8 else np.dtype(">u2" if big else "<u2")
        plane = frame.planes[0]
        rows = np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)
        luma: NDArray[Any] = rows[:, : plane.width]
        if _PAIRED.match(name):  # codes in the high bits
            luma = np.right_shift(luma, 16 - self.signal.depth)
        return luma.astype(self.signal.dtype, copy=False)


@dataclass(frozen=True)
class _Plain:
    depth: int
    subsampling: Subsampling
    grey: bool
    full: bool  # unless a tag says otherwise


def _planar_format(name: str) -> _Plain | None:
    """What a YUV or grey format has; None: it is another."""
    name = _PACKED.get(name, name)
    if name in ("nv12", "nv21"):
        return _Plain(8, 420, grey=False, full=False)
    if name in ("nv16", "nv24", "nv42"):
        return _Plain(8, 422 if name == "nv16" else 444, grey=False, full=False)
    if found := _PAIRED.match(name):
        layout: Subsampling = {"0": 420, "2": 422, "4": 444}[found["layout"]]  # type: ignore[assignment]
        return _Plain(int(found["depth"]), layout, grey=False, full=False)
    if found := _GREY.match(name):  # FFmpeg makes grey in full range
        return _Plain(int(found["depth"] or 8), 420, grey=True, full=True)
    if found := _PLANAR.match(name):
        return _Plain(
            int(found["depth"] or 8), _LAYOUTS[found["layout"]], grey=False, full=bool(found["j"])
        )
    return None


def _matrix(tag: int, size: tuple[int, int], *, coded: bool) -> Matrix:
    """The matrix of a tag, or of the size where there is none or (grey, RGB) none that counts."""
    if coded and tag in _OTHER_MATRICES:
        raise VideoError(
            f"the film's colour matrix is {_OTHER_MATRICES[tag]}; bt709, bt601 or bt2020nc was "
            "needed; convert it with ffmpeg -colorspace"
        )
    return _MATRICES.get(tag, usual_matrix(size))

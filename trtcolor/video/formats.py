"""How the samples of a raw frame lie in memory: FFmpeg's pixel formats, by FFmpeg's names.

A frame is its planes one after the other without padding between rows: Y, then U and V or both
interleaved; of RGB formats the one plane of pixels. Samples of more than 8 bits take two bytes, the
low one first; their codes are in the low bits, but those of p010 and the like in the high bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.planes import Subsampling
from trtcolor.video.frames import Signal

MAX_PIXELS = 1 << 27
"""Of a frame, unless told otherwise: 16384 x 8192."""

Size = tuple[int, int]

_DEPTHS = (9, 10, 12, 14, 16)
_YUV: tuple[tuple[Subsampling, str, str], ...] = (
    (420, "nv12", "0"),
    (422, "nv16", "2"),
    (444, "nv24", "4"),
)


@dataclass(frozen=True)
class PixelFormat:
    """A layout of samples.

    Attributes:
        name: FFmpeg's.
        kind: ``"grey"`` (Y' alone), ``"planar"`` (Y', U, V), ``"semiplanar"`` (Y', then U and V
            interleaved), ``"rgb"`` or ``"bgr"`` (pixels of three samples).
        depth: bits of a sample, 8 to 16.
        subsampling: 420, 422 or 444; of grey and RGB formats None.
        shift: how far above the low bits the codes lie.
    """

    name: str
    kind: Literal["grey", "planar", "semiplanar", "rgb", "bgr"]
    depth: int
    subsampling: Subsampling | None = None
    shift: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample."""
        return np.dtype("u1" if self.depth == 8 else "<u2")

    @property
    def is_rgb(self) -> bool:
        """Whether a pixel has R'G'B', and no Y'."""
        return self.kind in ("rgb", "bgr")

    def first_plane(self, size: Size) -> tuple[int, ...]:
        """Shape of what holds the picture's luminance, in samples."""
        return (*size, 3) if self.is_rgb else size

    def chroma_samples(self, size: Size) -> int:
        """Samples behind the first plane of a frame of ``size`` = (height, width)."""
        if self.subsampling is None:
            return 0
        height, width = Signal(subsampling=self.subsampling).chroma_size(size)
        return 2 * height * width

    def frame_bytes(self, size: Size) -> int:
        """Of a frame of ``size`` = (height, width)."""
        pixels = size[0] * size[1]
        samples = pixels * (3 if self.is_rgb else 1) + self.chroma_samples(size)
        return samples * self.dtype.itemsize

    def luma_of(self, plane: NDArray[Any]) -> NDArray[Any]:
        """(H, W) Y' of the first plane of a grey or YUV frame, codes in the low bits: the very
        plane where they lie there."""
        return plane >> self.shift if self.shift else plane


def pixel_format(name: str) -> PixelFormat:
    """A format by its name.

    Raises:
        ValueError: there is none of that name here.
    """
    if name not in FORMATS:
        raise ValueError(
            f"{name!r} is no pixel format that frames are read and written in; one of "
            f"{', '.join(FORMATS)} was needed; convert them"
        )
    return FORMATS[name]


def with_chroma(grey: PixelFormat) -> PixelFormat:
    """The planar 4:2:0 format that a grey one gets by colour; any other as it is."""
    if grey.kind != "grey":
        return grey
    return FORMATS[grey.name.replace("gray", "yuv420p")]


def parse_size(text: str) -> Size:
    """(height, width) of a text ``WIDTHxHEIGHT``.

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,8})x([1-9][0-9]{0,8})", text, re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no size; WIDTHxHEIGHT was needed, as in 1920x1080; pass it")
    return int(match[2]), int(match[1])


def check_pixels(size: Size, limit: int = MAX_PIXELS) -> None:
    """Refuse frames that would take more memory than was reckoned with.

    Raises:
        ValueError: more than `limit` pixels.
    """
    if size[0] * size[1] > limit:
        raise ValueError(
            f"frames of {size[1]}x{size[0]} came; at most {limit} pixels were needed; reduce them"
        )


def _all_formats() -> dict[str, PixelFormat]:
    found = [PixelFormat("gray", "grey", 8)]
    found += [PixelFormat(f"gray{depth}le", "grey", depth) for depth in _DEPTHS]
    for subsampling, interleaved, digit in _YUV:
        planar = f"yuv{subsampling}p"
        found.append(PixelFormat(planar, "planar", 8, subsampling))
        found += [PixelFormat(f"{planar}{d}le", "planar", d, subsampling) for d in _DEPTHS]
        found.append(PixelFormat(interleaved, "semiplanar", 8, subsampling))
        found += [
            PixelFormat(f"p{digit}{depth}le", "semiplanar", depth, subsampling, 16 - depth)
            for depth in (10, 12, 16)
        ]
    found += [PixelFormat("rgb24", "rgb", 8), PixelFormat("bgr24", "bgr", 8)]
    found += [PixelFormat("rgb48le", "rgb", 16), PixelFormat("bgr48le", "bgr", 16)]
    return {one.name: one for one in found}


FORMATS = _all_formats()
"""By name."""

"""Video: the lightness of a Y' plane, and U and V planes for a Y' plane that stays as it is.

Definition: ITU-T H.273. Y' is coded by the sRGB curve, as all of standard range is read here, so
that a grey picture and a full-range Y plane agree. With d = depth - 8, ``range="limited"`` has Y'
0..1 at the codes 16 << d to 235 << d and U and V -0.5..0.5 at 16 << d to 240 << d; "full" has them
at 0 to the greatest code, and around 1 << (depth - 1). The work is done in C (csrc/planes.h),
without the GIL.

Samples of depth 8 are uint8, those of depth 9..16 uint16, of any strides. ``layout`` is "planar"
(U and V apart, codes in the low bits), "nv12" (U and V interleaved, codes in the low bits) or
"p010" (interleaved, codes in the high bits of uint16 at any depth from 9: P010, P012, P016).
``out`` and ``threads`` are as in trtcolor.color. Every function raises TypeError for a dtype or
``threads`` that it does not take and ValueError for a shape, a number, a word or an ``out`` that
does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trtcolor.arrays import as_chroma, as_output, as_plane, one_of
from trtcolor.kernels import _color, thread_count

__all__ = ["chroma_planes", "lightness_from_luma"]

Subsampling = Literal[420, 422, 444]
Layout = Literal["planar", "nv12", "p010"]
Matrix = Literal["bt601", "bt709", "bt2020"]
Range = Literal["limited", "full"]
Siting = Literal["left", "center", "topleft"]
Float = NDArray[np.float32]
Codes = NDArray[np.uint8] | NDArray[np.uint16]

_MATRICES = {
    "bt601": _color.MATRIX_BT601,
    "bt709": _color.MATRIX_BT709,
    "bt2020": _color.MATRIX_BT2020,
}
_HALVED = {420: (1, 1), 422: (0, 1), 444: (0, 0)}  # rows, columns
_COSITED = {"left": (0, 1), "center": (0, 0), "topleft": (1, 1)}
_LAYOUTS = ("planar", "nv12", "p010")
_RANGES = ("limited", "full")


@dataclass(frozen=True)
class _Coding:
    """What a sample means."""

    depth: int
    layout: Layout
    range: Range

    def __post_init__(self) -> None:
        # The plain int of a NumPy one, in which the shifts below would overflow.
        object.__setattr__(self, "depth", one_of("depth", self.depth, range(8, 17)))
        one_of("layout", self.layout, _LAYOUTS)
        one_of("range", self.range, _RANGES)
        if self.layout == "p010" and self.depth == 8:
            raise ValueError(
                'layout is "p010" at depth 8, but has its codes in the high bits of 16; pass a '
                'depth of 9 to 16, or layout="nv12"'
            )

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def shift(self) -> int:
        return 16 - self.depth if self.layout == "p010" else 0

    @property
    def top(self) -> int:
        return (1 << self.depth) - 1

    @property
    def luma(self) -> tuple[int, int]:
        """Black, and the distance from there to white."""
        extra = self.depth - 8
        return (16 << extra, 219 << extra) if self.range == "limited" else (0, self.top)

    @property
    def chroma(self) -> tuple[int, int, int, int]:
        """Zero, the distance from -0.5 to 0.5, the least code, the greatest."""
        extra, zero = self.depth - 8, 1 << self.depth - 1
        if self.range == "limited":
            return zero, 224 << extra, 16 << extra, 240 << extra
        return zero, self.top, 0, self.top

    def plane(self, y: ArrayLike) -> NDArray[Any]:
        plane = as_plane("y", y, (np.uint8, np.uint16))
        if plane.dtype != self.dtype:
            raise TypeError(
                f"y is of dtype {plane.dtype}, but depth {self.depth} needs "
                f"{self.dtype.__name__}; pass such samples, or the depth that they have"
            )
        return plane


def lightness_from_luma(
    y: ArrayLike,
    *,
    depth: int = 8,
    range: Range = "limited",
    layout: Layout = "planar",
    out: Float | None = None,
    threads: int | None = None,
) -> Float:
    """CIE L* of a Y' plane, each sample taken as the grey with that Y'.

    y: (H, W), uint8 for depth 8, uint16 for 9..16. Below black and above white count as these.
    layout: only whether the codes are in the high bits ("p010") matters.
    Returns (H, W) float32 in 0..100.
    """
    coding = _Coding(depth, layout, range)
    luma, count = coding.plane(y), thread_count(threads)
    lightness = as_output(out, luma.shape, np.float32, luma)
    _color.lightness_from_grey(lightness, luma, _luma_table(coding), count)
    return lightness


@overload
def chroma_planes(
    y: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    subsampling: Subsampling = ...,
    depth: int = ...,
    layout: Literal["planar"] = ...,
    matrix: Matrix = ...,
    range: Range = ...,
    siting: Siting = ...,
    out: tuple[NDArray[Any], NDArray[Any]] | None = ...,
    threads: int | None = ...,
) -> tuple[Codes, Codes]: ...
@overload
def chroma_planes(
    y: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    subsampling: Subsampling = ...,
    depth: int = ...,
    layout: Literal["nv12", "p010"],
    matrix: Matrix = ...,
    range: Range = ...,
    siting: Siting = ...,
    out: NDArray[Any] | None = ...,
    threads: int | None = ...,
) -> Codes: ...
def chroma_planes(
    y: ArrayLike,
    chroma: ArrayLike,
    *,
    scale: int | None,
    subsampling: Subsampling = 420,
    depth: int = 8,
    layout: Layout = "planar",
    matrix: Matrix = "bt709",
    range: Range = "limited",
    siting: Siting = "left",
    out: NDArray[Any] | tuple[NDArray[Any], NDArray[Any]] | None = None,
    threads: int | None = None,
) -> Codes | tuple[Codes, Codes]:
    """U and V planes that give a Y' plane the network's chroma.

    Each sample of U and V has the a*b* found at its own position and the mean Y' of the 1, 2 or 4
    samples of y that it covers, clamped to black..white. Where sRGB lacks that colour, a near one
    is found and its components below 0 count as 0; (U, V) is then scaled toward 0 at that Y' until
    R'G'B' lies in 0..1.

    y: (H, W), uint8 for depth 8, uint16 for 9..16; it is only read. chroma: (2, h, w) float32 a*,
    b*; its samples are clamped to -1000..1000, what is read between them to -200..200, and a NaN
    counts as 0.
    scale: 1, 2 or 4, where h = ceil(H / scale) and w = ceil(W / scale); None for any h and w,
    stretched over the picture. Chroma is read bilinearly, and as it is where the grids coincide:
    scale 2 for 420 with siting "center", scale 1 for 444.
    subsampling: 420 (U and V of ceil(H / 2) x ceil(W / 2)), 422 (H x ceil(W / 2)) or 444 (H x W).
    siting: where a sample of 420 or 422 lies. Across, "left" and "topleft" have it on the first of
    the two columns it covers, "center" between them; down, "topleft" has it on the first row of
    420, the others between the two.
    Returns (U, V) for layout "planar", one array (rows, columns, 2) for "nv12" and "p010", of y's
    dtype. out is of that form too.
    """
    coding = _Coding(depth, layout, range)
    luma = coding.plane(y)
    ab, scale = as_chroma(chroma, scale, "y", luma.shape)
    height, width = luma.shape
    halved = _HALVED[one_of("subsampling", subsampling, _HALVED)]
    cosited = _COSITED[one_of("siting", siting, _COSITED)]
    code = _MATRICES[one_of("matrix", matrix, _MATRICES)]
    count = thread_count(threads)
    shape = (height + halved[0] >> halved[0], width + halved[1] >> halved[1])
    result, u, v = _planes(out, shape, coding, luma, ab)
    _color.chroma_planes(
        u, v, luma, ab, coding.shift, *halved, *cosited, scale or 0, code,
        *coding.luma, *coding.chroma, count,
    )  # fmt: skip
    return result


def _planes(
    out: Any, shape: tuple[int, int], coding: _Coding, *inputs: NDArray[Any]
) -> tuple[Codes | tuple[Codes, Codes], NDArray[Any], NDArray[Any]]:
    """What to return, and the U and the V plane in it."""
    if coding.layout != "planar":
        both = as_output(out, (*shape, 2), coding.dtype, *inputs)
        return both, both[:, :, 0], both[:, :, 1]
    if out is None:
        out = (None, None)
    elif not isinstance(out, tuple | list) or len(out) != 2:
        raise TypeError(
            f'out is {type(out).__name__}, but layout "planar" has two planes; pass (U, V)'
        )
    u = as_output(out[0], shape, coding.dtype, *inputs, name="out[0]")
    v = as_output(out[1], shape, coding.dtype, *inputs, u, name="out[1]")
    return (u, v), u, v


@cache
def _luma_table(coding: _Coding) -> Float:
    table = np.empty(1 << 8 * np.dtype(coding.dtype).itemsize, np.float32)
    _color.luma_table(table, coding.shift, *coding.luma)
    table.flags.writeable = False
    return table

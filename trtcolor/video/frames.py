"""What passes through a film: frames of luma on their way in, coloured ones on their way out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.arrays import one_of
from trtcolor.planes import Matrix, Range, Siting, Subsampling
from trtcolor.video.state import FilmState

__all__ = ["ColouredFrame", "LumaFrame", "Signal", "usual_matrix"]


@dataclass(frozen=True)
class Signal:
    """How the samples of a film are coded (ITU-T H.273).

    Attributes:
        depth: bits of a sample, 8 to 16. Samples are uint8 at 8 and uint16 above, where the codes
            lie in the low bits.
        range: ``"limited"`` or ``"full"``.
        matrix: ``"bt601"``, ``"bt709"`` or ``"bt2020"``.
        subsampling: 420, 422 or 444, of the chroma that comes out.
        siting: where a sample of 420 or 422 lies: ``"left"``, ``"center"`` or ``"topleft"``.

    Raises:
        ValueError: a value is none of these.
    """

    depth: int = 8
    range: Range = "limited"
    matrix: Matrix = "bt709"
    subsampling: Subsampling = 420
    siting: Siting = "left"

    def __post_init__(self) -> None:
        one_of("depth", self.depth, tuple(range(8, 17)))
        one_of("range", self.range, ("limited", "full"))
        one_of("matrix", self.matrix, ("bt601", "bt709", "bt2020"))
        one_of("subsampling", self.subsampling, (420, 422, 444))
        one_of("siting", self.siting, ("left", "center", "topleft"))

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """Of the samples."""
        return np.uint8 if self.depth == 8 else np.uint16

    def chroma_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of U and of V for a luma plane of ``size`` = (height, width)."""
        height, width = size
        down, across = {420: (2, 2), 422: (1, 2), 444: (1, 1)}[self.subsampling]
        return -(-height // down), -(-width // across)


def usual_matrix(size: tuple[int, int]) -> Matrix:
    """What frames of (height, width) that do not say are taken to be coded by, as by players:
    BT.709 from 720 rows, below BT.601."""
    return "bt709" if size[0] >= 720 else "bt601"


@dataclass(frozen=True, eq=False)
class LumaFrame:
    """A frame before it has colour.

    Attributes:
        luma: (H, W) uint8 or uint16, the Y' plane as it was decoded, of any strides. It is only
            read, and must not change until its coloured frame has come.
        signal: what its codes mean.
        time: when it is shown, in seconds; None: not known.
        tag: whatever its maker wants back with the coloured frame.

    Raises:
        TypeError: luma is no array, or not of the signal's dtype.
        ValueError: it is no (H, W) of at least 1x1.
    """

    luma: NDArray[Any]
    signal: Signal
    time: Fraction | None = None
    tag: Any = None

    def __post_init__(self) -> None:
        needed = np.dtype(self.signal.dtype)
        if not isinstance(self.luma, np.ndarray) or self.luma.dtype != needed:
            came = getattr(self.luma, "dtype", type(self.luma).__name__)
            raise TypeError(
                f"luma of {came} came at depth {self.signal.depth}; an array of {needed} was "
                "needed; pass such samples, or the depth that they have"
            )
        if self.luma.ndim != 2 or 0 in self.luma.shape:
            raise ValueError(
                f"luma of shape {self.luma.shape} came; (H, W) of at least 1x1 was needed; pass "
                "the Y' plane alone"
            )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.luma.shape
        return height, width


@dataclass(frozen=True, eq=False)
class ColouredFrame:
    """A frame with colour.

    Attributes:
        luma: the very array that came in.
        u, v: planes of its dtype, of the size that the signal's subsampling says.
        signal, time, tag: as they came.
        chroma: (2, h, w) float32 a* and b* on the network's grid, after the filter along time and
            the saturation, rounded as a sidecar keeps it: what ``u`` and ``v`` were made from.
        cut: whether it is the first frame of a shot; the first of all is one.
        state: what colouring the next frame depends on; None: it was merged alone.
    """

    luma: NDArray[Any]
    u: NDArray[Any]
    v: NDArray[Any]
    signal: Signal
    time: Fraction | None
    tag: Any
    chroma: NDArray[np.float32]
    cut: bool
    state: FilmState | None = None

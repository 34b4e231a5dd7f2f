"""Tiles: a plane cut into windows that together give what the whole plane would.

A network whose outputs look no further than its halo can colour a large frame window by window:
each keeps what lies at least the halo away from where it was cut off, or at the plane's own edge,
where it sees the same border as the whole plane does. All windows have one size, so that a backend
meets one shape only; where they would reach beyond the plane they overlap more instead. Sizes are
(height, width) in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from trtcolor.geometry import Size, chroma_size, padded_size

Planes = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """One window along one axis.

    Attributes:
        window: the samples that the network sees.
        kept: those of them, in the plane's numbering, whose result is taken.
    """

    window: range
    kept: range


@dataclass(frozen=True)
class Tiling:
    """All windows of a plane, row by row.

    Attributes:
        size: of the plane.
        rows, columns: the windows along each axis, all of one length.
    """

    size: Size
    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @property
    def tile(self) -> Size:
        """Size of every window."""
        return len(self.rows[0].window), len(self.columns[0].window)

    @property
    def work(self) -> float:
        """Pixels of all windows over those of the plane: 1 for a single one."""
        return len(self) * self.tile[0] * self.tile[1] / (self.size[0] * self.size[1])

    @classmethod
    def whole(cls, size: Size) -> Tiling:
        """A single window."""
        rows, columns = (range(side) for side in size)
        return cls(size, (Span(rows, rows),), (Span(columns, columns),))

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[tuple[Span, Span]]:
        return product(self.rows, self.columns)


def run_tiles(
    run: Callable[[Planes], dict[str, Planes]], lightness: Planes, tiles: Tiling, scale: int
) -> dict[str, Planes]:
    """What a network gives for a plane, computed tile by tile.

    Args:
        run: the network: (1, 1, h, w) lightness to (1, C, h/scale, w/scale) planes by name.
        lightness: (1, 1, H, W).
        tiles: of H x W.
        scale: pixels per sample of the planes; divides where tiles and what they keep begin.

    Returns:
        (1, C, H/scale, W/scale) by the names that `run` gives.
    """
    if len(tiles) == 1:
        return run(lightness)
    whole: dict[str, Planes] = {}
    for rows, columns in tiles:
        seen = lightness[..., _samples(rows.window), _samples(columns.window)]
        for name, part in run(np.ascontiguousarray(seen)).items():
            if name not in whole:
                shape = (*part.shape[:2], *chroma_size(tiles.size, scale))
                whole[name] = np.empty(shape, np.float32)
            down, across = (_samples(span.kept, scale) for span in (rows, columns))
            inner_down, inner_across = (
                _samples(span.kept, scale, span.window.start) for span in (rows, columns)
            )
            whole[name][..., down, across] = part[..., inner_down, inner_across]
    return whole


def _samples(pixels: range, scale: int = 1, origin: int = 0) -> slice:
    """The samples over a range of pixels, counted from a first pixel."""
    return slice((pixels.start - origin) // scale, -(-(pixels.stop - origin) // scale))


@lru_cache(maxsize=64)
def plan_tiles(size: Size, multiple: int, halo: int, pixels: int) -> Tiling | None:
    """The tiling that computes the fewest pixels, in the fewest windows of no more than so many.

    Args:
        size: of the plane, both multiples of `multiple`.
        multiple: windows begin and end at multiples of it.
        halo: pixels of context on each side that a result depends on; rounded up to `multiple`.
        pixels: the most that a window may have.

    Returns:
        A single window of the whole plane where that is small enough; None where even the smallest
        windows are too large.

    Raises:
        ValueError: a side is no positive multiple of `multiple`.
    """
    for side in size:
        if side < 1 or side % multiple:
            raise ValueError(
                f"a plane of {size[0]}x{size[1]} came; multiples of {multiple} were needed; pad it"
            )
    if size[0] * size[1] <= pixels:
        return Tiling.whole(size)
    context = padded_size((halo, halo), multiple)[0]
    best: tuple[int, int, int, int] | None = None  # pixels of all, how many, height, width
    for height, width in product(*(_window_lengths(side, multiple, context) for side in size)):
        if height * width <= pixels:
            count = _count(size[0], height, context) * _count(size[1], width, context)
            found = (count * height * width, count, height, width)
            best = found if best is None else min(best, found)
    if best is None:
        return None
    height, width = best[2:]
    return Tiling(size, _spans(size[0], height, context), _spans(size[1], width, context))


def _count(length: int, window: int, context: int) -> int:
    """How many windows of that length an axis needs."""
    return 1 if window >= length else -(-(length - 2 * context) // (window - 2 * context))


def _window_lengths(length: int, multiple: int, context: int) -> set[int]:
    """All lengths worth trying: for each number of windows the shortest that are enough."""
    inner = length - 2 * context  # what is to be shared out evenly
    counts = range(2, inner // multiple + 1)
    cores = {-(-inner // (count * multiple)) * multiple for count in counts}
    return {length} | {core + 2 * context for core in cores}


def _spans(length: int, window: int, context: int) -> tuple[Span, ...]:
    count = _count(length, window, context)
    step = window - 2 * context
    spans, done = [], 0
    for number in range(count):
        last = number == count - 1
        start = min(number * step, length - window)
        stop = length if last else start + window - context
        spans.append(Span(range(start, start + window), range(done, stop)))
        done = stop
    return tuple(spans)

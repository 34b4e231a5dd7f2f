"""Arrays on the GPU whose samples lie apart, copied into rows without a gap by few calls."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from trtcolor.backends._cuda_calls import call, import_runtime
from trtcolor.backends._cuda_memory import copy_async
from trtcolor.backends._cuda_streams import Stream

MOST_COPIES = 4096
"""A view that takes more is refused: each is some microseconds of the host."""
_LARGEST_PITCH = (1 << 31) - 1


@dataclass(frozen=True)
class Rows:
    """`height` runs of `width` bytes, `source_pitch` bytes apart, put `target_pitch` apart.

    `source` and `target` are offsets of the first one in bytes; the source's may be negative.
    """

    target: int
    target_pitch: int
    source: int
    source_pitch: int
    width: int
    height: int


def contiguous_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Bytes from one sample to the next along each axis of an array without gaps."""
    sizes = itertools.accumulate(reversed(shape), lambda size, side: size * side, initial=itemsize)
    return tuple(reversed(list(sizes)[:-1]))


def is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> bool:
    """Whether samples lie in order without gaps; strides are in bytes."""
    needed = contiguous_strides(shape, itemsize)
    return 0 in shape or all(
        side == 1 or stride == need
        for side, stride, need in zip(shape, strides, needed, strict=True)
    )


def row_copies(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> list[Rows]:
    """The copies that put a strided array in order; strides are in bytes, any sign, 0 for repeats.

    Raises:
        ValueError: they would be more than `MOST_COPIES`.
    """
    if 0 in shape:
        return []
    needed = contiguous_strides(shape, itemsize)
    axes = _joined([a for a in zip(shape, strides, needed, strict=True) if a[0] > 1])
    width = itemsize
    if axes and axes[-1][1] == itemsize:
        width *= axes.pop()[0]
    rows = max(
        (a for a in axes if width <= a[1] <= _LARGEST_PITCH and a[2] <= _LARGEST_PITCH),
        default=(1, width, width),
    )
    if rows in axes:
        axes.remove(rows)
    count = 1
    for side, _, _ in axes:
        count *= side
    if count > MOST_COPIES:
        raise ValueError(
            f"an array of shape {shape} and strides {strides} lies too scattered on the GPU; one "
            "in C order was needed; make it contiguous first"
        )
    height, source_pitch, target_pitch = rows
    return [
        Rows(
            sum(index * axis[2] for index, axis in zip(place, axes, strict=True)),
            target_pitch,
            sum(index * axis[1] for index, axis in zip(place, axes, strict=True)),
            source_pitch,
            width,
            height,
        )
        for place in itertools.product(*(range(axis[0]) for axis in axes))
    ]


def copy_rows(target: int, source: int, copies: list[Rows], stream: Stream) -> None:
    """Do the copies of `row_copies` on the GPU, in the order of a stream.

    Raises:
        BackendError: the GPU failed.
    """
    kind = import_runtime().cudaMemcpyKind.cudaMemcpyDefault
    for rows in copies:
        to, come = target + rows.target, source + rows.source
        if rows.height == 1:
            copy_async(to, come, rows.width, stream)
            continue
        pitches = to, rows.target_pitch, come, rows.source_pitch
        call("cudaMemcpy2DAsync", *pitches, rows.width, rows.height, kind, stream.handle)


def _joined(axes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Axes (side, source stride, target stride), neighbours made one where one step is as many."""
    joined: list[tuple[int, int, int]] = []
    for side, stride, need in axes:
        if joined and joined[-1][1] == stride * side:
            joined[-1] = joined[-1][0] * side, stride, need
        else:
            joined.append((side, stride, need))
    return joined

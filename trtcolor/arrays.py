"""What comes in and what is filled: arrays checked before C walks them.

Every check raises TypeError for another dtype or no array, and ValueError for another shape, in one
sentence: what came, what was needed, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Layout = Literal["hwc", "chw"]
Choice = TypeVar("Choice")

_HWC_OF_CHW = (1, 2, 0)


def as_array(name: str, value: ArrayLike, dtypes: tuple[type[np.generic], ...]) -> NDArray[Any]:
    """The value as an array that C can walk: copied only if bytes are swapped or misaligned."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} is a {type(value).__name__} of no one shape, but must be an array; pass one"
        ) from None
    numeric = array.dtype.kind in "fu"  # not every other dtype knows of byte orders
    native = array.dtype.newbyteorder("=") if numeric else array.dtype
    if native not in dtypes:
        foreign = array.dtype == object and not isinstance(value, np.ndarray)
        came = f"a {type(value).__name__}" if foreign else f"of dtype {array.dtype}"
        raise TypeError(
            f"{name} is {came}, but must be "
            f"{' or '.join(dtype.__name__ for dtype in dtypes)}; convert it first"
        )
    if array.dtype != native or not _walkable(array):
        array = array.astype(native, order="C")
    return array


def as_plane(name: str, value: ArrayLike, dtypes: tuple[type[np.generic], ...]) -> NDArray[Any]:
    """A checked (H, W) array."""
    array = as_array(name, value, dtypes)
    return _fitting(name, array, array.ndim == 2, "(H, W)")


def as_picture(
    name: str,
    value: ArrayLike,
    dtypes: tuple[type[np.generic], ...],
    layout: Layout = "hwc",
    channels: int = 3,
) -> NDArray[Any]:
    """A checked (H, W, channels) or (channels, H, W) array."""
    array = as_array(name, value, dtypes)
    hwc = require_layout(layout) == "hwc"
    fits = array.ndim == 3 and array.shape[2 if hwc else 0] == channels
    return _fitting(name, array, fits, f"(H, W, {channels})" if hwc else f"({channels}, H, W)")


def as_chroma(
    value: ArrayLike, scale: int | None, name: str, size: tuple[int, ...]
) -> tuple[NDArray[np.float32], int | None]:
    """Checked (2, h, w) chroma and its scale, for the plane of that name and (height, width)."""
    chroma = as_picture("chroma", value, (np.float32,), "chw", channels=2)
    scale = one_of("scale", scale, (1, 2, 4, None))
    if scale is not None:
        height, width = size
        needed = (2, -(-height // scale), -(-width // scale))
        if chroma.shape != needed:
            raise ValueError(
                f"chroma is {chroma.shape}, but {name} {size} at scale {scale} needs {needed}; "
                "crop the chroma to that, or pass scale=None to stretch it"
            )
    return chroma, scale


def as_output(
    out: NDArray[Any] | None,
    shape: tuple[int, ...],
    dtype: type[np.generic],
    *others: NDArray[Any],
    name: str = "out",
) -> NDArray[Any]:
    """The array to fill: a new one for None, or the given one if it fits and can be written to.

    others: the inputs, and other outputs, with which it must not share memory.
    """
    if out is None:
        try:
            return np.empty(shape, dtype)
        except ValueError:
            raise ValueError(
                f"the result is {shape}, but no array is that large; ask for a smaller one"
            ) from None
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        came = f"of dtype {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(
            f"{name} is {came}, but must be a {dtype.__name__} array; pass numpy.empty({shape}, "
            f"numpy.{dtype.__name__})"
        )
    if out.shape != shape:
        raise ValueError(f"{name} is {out.shape}, but the result is {shape}; pass an array of that")
    if not out.flags.writeable:
        raise ValueError(
            f"{name} is read-only, but the result is written to it; pass a writeable array"
        )
    if not _walkable(out) or _overlaps_itself(out):
        raise ValueError(
            f"{name} is misaligned or overlaps itself, but each of its samples must have a place "
            "of its own; pass an ordinary array"
        )
    if any(_overlap(out, array) for array in others):
        raise ValueError(
            f"{name} shares memory with another array of this call, but must not; "
            "pass an array of its own"
        )
    return out


def as_hwc(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """A view of the picture with its channels last."""
    return array if layout == "hwc" else array.transpose(_HWC_OF_CHW)


def require_layout(layout: Layout) -> Layout:
    """The layout, which must be a known one."""
    return one_of("layout", layout, ("hwc", "chw"))


def one_of(name: str, value: Choice, choices: Iterable[Choice]) -> Choice:
    """The choice that the value is."""
    known = tuple(choices)
    for choice in known:
        plain = isinstance(value, str | int | np.integer) and not isinstance(value, bool)
        if value is choice or (plain and value == choice):
            return choice
    listed = ", ".join(map(str, known))
    raise ValueError(f"{name} is {shown(value)}, but must be one of {listed}; pass one of these")


def one_dtype(
    name: str, value: DTypeLike, dtypes: tuple[type[np.generic], ...]
) -> type[np.generic]:
    """The dtype as one of the choices, which it must be."""
    for dtype in dtypes:
        try:
            if np.dtype(value) == dtype:
                return dtype
        except (TypeError, ValueError, SyntaxError):  # NumPy parses words
            break
    raise TypeError(
        f"{name} is {shown(value)}, but must be "
        f"{' or '.join(dtype.__name__ for dtype in dtypes)}; pass one of these"
    )


def shown(value: object) -> str:
    """The value for a message: in one line, and not a long one."""
    words = " ".join(repr(value).split())
    return words if len(words) <= 80 else f"{words[:77]}..."


def _fitting(name: str, array: NDArray[Any], fits: bool, needed: str) -> NDArray[Any]:
    if not fits or 0 in array.shape:
        raise ValueError(
            f"{name} is {array.shape}, but must be {needed} with no side 0; pass such an array"
        )
    return array


def _walkable(array: NDArray[Any]) -> bool:
    """Whether samples are aligned and a whole number of samples apart."""
    return array.flags.aligned and not any(
        stride % array.itemsize
        for stride, side in zip(array.strides, array.shape, strict=True)
        if side > 1
    )


def _overlaps_itself(array: NDArray[Any]) -> bool:
    """True for broadcast and sliding-window views; False for any slice, flip or transposition."""
    end = array.itemsize
    axes = zip(map(abs, array.strides), array.shape, strict=True)
    for stride, side in sorted(axis for axis in axes if axis[1] > 1):
        if stride < end:
            return True
        end = stride * (side - 1) + end
    return False


def _overlap(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Exact where that is quick to decide, otherwise True when their extents meet."""
    effort: Any = 10_000  # NumPy's stub knows -1 and 0 only
    return np.may_share_memory(one, other, max_work=effort)

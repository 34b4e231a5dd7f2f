"""Any view is put in order by copies of rows, as NumPy puts it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from recording_cuda import recorded

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_strided import (
    MOST_COPIES,
    contiguous_strides,
    copy_rows,
    is_contiguous,
    row_copies,
)

PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
PLANES = np.ascontiguousarray(PICTURE.transpose(2, 0, 1))


def in_order(view: np.ndarray) -> np.ndarray:
    with recorded():
        stream, out = _cuda.Stream(), np.zeros(view.shape, view.dtype)
        copies = row_copies(view.shape, view.strides, view.itemsize)
        copy_rows(out.ctypes.data, view.ctypes.data, copies, stream)
        stream.synchronize()
    return out


@pytest.mark.parametrize(
    ("view", "most"),
    [
        (PICTURE, 1),
        (PICTURE[1:3, 2:5], 1),  # a crop: rows with a pitch
        (PLANES.transpose(1, 2, 0), 3),  # channels first to last: one copy each
        (PICTURE[::-1], 4),
        (PICTURE[..., ::-1], 3),
        (np.broadcast_to(PICTURE[..., :1], PICTURE.shape), 3),
        (np.broadcast_to(PICTURE, (5, 4, 6, 3)), 5),
    ],
)
def test_common_views_take_few_copies(view: np.ndarray, most: int) -> None:
    assert len(row_copies(view.shape, view.strides, view.itemsize)) <= most
    np.testing.assert_array_equal(in_order(view), view)


@st.composite
def views(draw: st.DrawFn) -> np.ndarray:
    """Of 2000 samples: any shape and strides that stay within, also 0 and negative ones."""
    dtype = np.dtype(draw(st.sampled_from(["uint8", "float32", "float64"])))
    base = np.arange(2000).astype(dtype)
    shape = draw(st.lists(st.integers(1, 5), min_size=0, max_size=4))
    steps = [draw(st.integers(-60, 60)) for _ in shape]
    below = sum((side - 1) * min(step, 0) for side, step in zip(shape, steps, strict=True))
    strides = [step * dtype.itemsize for step in steps]
    return as_strided(base[-below:], shape, strides)


@given(views())
def test_every_view_is_put_in_order(view: np.ndarray) -> None:
    np.testing.assert_array_equal(in_order(view), view)


@given(views())
def test_contiguous_is_what_numpy_calls_so(view: np.ndarray) -> None:
    assert is_contiguous(view.shape, view.strides, view.itemsize) == view.flags.c_contiguous
    fresh = np.empty(view.shape, view.dtype)
    assert contiguous_strides(fresh.shape, fresh.itemsize) == fresh.strides


def test_nothing_takes_no_copy() -> None:
    assert row_copies((3, 0, 2), (1, 1, 1), 1) == []
    assert is_contiguous((3, 0, 2), (99, 99, 99), 1)


def test_what_lies_too_scattered_is_refused() -> None:
    side = MOST_COPIES + 1
    with pytest.raises(ValueError, match=r"too scattered on the GPU; .* make it contiguous first"):
        row_copies((side, 2, 2), (-7, -3, -2), 1)

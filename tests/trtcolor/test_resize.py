"""trtcolor.resize against float64 NumPy written from the definition, on every variant."""

import numpy as np
import pytest
from array_views import VIEWS, WRITEABLE, poisoned
from colour_truth import true_weights
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.resize import resize_plane, resize_weights, window_means

pytestmark = pytest.mark.usefixtures("every_variant")

SIDES = st.integers(1, 21)
SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(1, 300), st.integers(1, 300))
def test_resize_weights_are_area_or_bilinear_and_sum_to_1(source, target):
    weights = resize_weights(source, target)
    assert weights.shape == (target, source)
    assert weights.dtype == np.float32
    assert np.abs(weights - true_weights(source, target)).max() <= 1e-6
    assert np.abs(weights.sum(axis=1) - 1).max() <= 1e-5


@given(st.integers(0, 3), SIDES, SIDES, SIDES, SIDES, st.sampled_from(list(VIEWS)), SEEDS)
def test_resize_is_two_products(planes, height, width, h, w, view, seed):
    shape = (planes, height, width) if planes else (height, width)
    plane = np.random.default_rng(seed).uniform(-100, 100, shape).astype(np.float32)
    truth = true_weights(height, h) @ plane.astype(np.float64) @ true_weights(width, w).T
    given_plane = VIEWS[view](plane)
    resized = resize_plane(given_plane, (h, w))
    assert np.abs(resized - truth).max() <= 1e-4
    rows, columns = resize_weights(height, h), resize_weights(width, w)
    assert np.abs(resized - rows @ plane @ columns.T).max() <= 1e-4
    for name in WRITEABLE:
        out = poisoned(name, resized)
        assert resize_plane(given_plane, (h, w), out=out) is out
        assert np.array_equal(out, resized)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 2999)])
def test_a_long_row_resizes_alike_in_every_layout(size):
    plane = np.random.default_rng(27).uniform(0, 100, (7, 1700)).astype(np.float32)
    truth = true_weights(7, size[0]) @ plane.astype(np.float64) @ true_weights(1700, size[1]).T
    resized = resize_plane(plane, size)
    assert np.abs(resized - truth).max() <= 1e-3
    assert np.array_equal(resize_plane(VIEWS["fortran"](plane), size), resized)
    assert np.array_equal(resize_plane(VIEWS["stepped"](plane), size), resized)


def test_resize_to_the_same_size_copies_exactly():
    plane = np.random.default_rng(7).standard_normal((3, 13, 17)).astype(np.float32)
    plane[0, 0, :3] = np.nan, np.inf, -0.0
    resized = resize_plane(plane, (13, 17))
    assert not np.shares_memory(resized, plane)
    assert resized.tobytes() == plane.tobytes()


@given(st.integers(5, 40), st.integers(5, 40), st.integers(1, 5), SEEDS)
def test_window_means_are_the_weighted_sums_of_every_window(height, width, taps, seed):
    random = np.random.default_rng(seed)
    planes = random.normal(size=(2, height, width)).astype(np.float32)
    weights = random.random(taps).astype(np.float32)
    weights /= weights.sum()
    windows = np.lib.stride_tricks.sliding_window_view(planes, (taps, taps), axis=(1, 2))
    expected = np.einsum("crsij,i,j->crs", windows.astype(np.float64), weights, weights)
    np.testing.assert_allclose(window_means(planes, weights), expected, atol=1e-5)

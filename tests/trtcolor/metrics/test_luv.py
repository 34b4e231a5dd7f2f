"""The measures of 001: bins of u* and v*, saturation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2hsv

from trtcolor.metrics.luv import saturation_difference, uv_accuracy, uv_bin


def test_values_go_to_equal_bins_and_those_outside_to_the_end_bins() -> None:
    values = [-500.0, -100.0, -96.01, -96.0, -0.01, 0.0, 3.99, 96.0, 99.99, 100.0, 500.0]
    bins = [0, 0, 0, 1, 24, 25, 25, 49, 49, 49, 49]
    assert uv_bin(np.array(values)).tolist() == bins


def test_accuracies_count_equal_bins_of_each_channel() -> None:
    true = np.array([[50.0, 1.0, -1.0], [50.0, 5.0, -5.0], [50.0, 170.0, 9.0], [50.0, 0.0, 0.0]])
    # u* in its bin: yes, no, yes (both beyond the end), yes; v*: yes, no, no, no.
    found = np.array([[9.0, 3.9, -3.9], [9.0, 8.0, -3.9], [9.0, 99.0, 2.0], [9.0, 2.0, -0.1]])
    assert uv_accuracy(found, true) == (0.75, 0.25)
    assert uv_accuracy(found[None], true[None], bins=2) == (1.0, 0.75)


def test_every_true_value_is_in_its_own_bin() -> None:
    luv = np.random.default_rng(0).uniform(-200, 200, (9, 8, 3)).astype(np.float32)
    assert uv_accuracy(luv, luv) == (1, 1)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 20), width=st.integers(1, 20))
def test_saturation_is_that_of_scikit_image(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(2))
    other[0, 0] = 0, 10, 20
    sums = [rgb2hsv(picture)[..., 1].sum() for picture in (one, other)]
    expected = abs(sums[0] - sums[1]) / sums[1]
    assert saturation_difference(one, other) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_grey_picture_differs_by_all_the_saturation_and_a_grey_original_has_none() -> None:
    red, grey = np.full((4, 4, 3), (200, 50, 50), np.uint8), np.full((4, 4, 3), 90, np.uint8)
    assert saturation_difference(grey, red) == 1
    assert saturation_difference(red, red) == 0
    assert saturation_difference(red, grey) is None
    assert saturation_difference(red, np.zeros_like(red)) is None

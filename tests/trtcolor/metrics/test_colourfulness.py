"""Colourfulness: by hand, against the plain formula, and nothing for greys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtcolor.metrics.colourfulness import colourfulness


def test_a_grey_picture_has_no_colourfulness() -> None:
    grey = np.random.default_rng(8).integers(0, 256, (9, 7, 1), np.uint8).repeat(3, axis=2)
    assert colourfulness(grey) == 0


def test_colourfulness_of_red_beside_blue_is_the_one_computed_by_hand() -> None:
    # rg = (255, 0): mean and deviation 127.5; yb = (127.5, -255): mean -63.75, deviation 191.25
    picture = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    expected = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, 63.75)
    assert colourfulness(picture) == pytest.approx(expected)


def test_differences_are_signed() -> None:
    # Absolute values would see red beside green as one colour twice, of no deviation in rg.
    picture = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    assert colourfulness(picture) == pytest.approx(255 + 0.3 * 127.5)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 20), width=st.integers(1, 20))
def test_it_is_the_plain_formula_in_float64(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = sorted(rng.integers(0, 256, 2))
    picture: NDArray[np.uint8] = rng.integers(low, high + 1, (height, width, 3), np.uint8)
    r, g, b = np.moveaxis(picture.astype(np.float64), -1, 0)
    rg, yb = r - g, (r + g) / 2 - b
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert colourfulness(picture) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert colourfulness(picture[::-1, ::-1]) == pytest.approx(expected, rel=1e-9, abs=1e-6)

"""The share of predicted colours that sRGB does not have, against the definition in float64."""

from __future__ import annotations

import numpy as np
import pytest
from colour_truth import true_linear
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor import color
from trtcolor.metrics.gamut import share_outside_gamut


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([5.0, 20.0, 60.0]))
def test_it_counts_the_colours_whose_linear_rgb_leaves_0_to_1(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    lightness = rng.uniform(1, 99, (30, 40)).astype(np.float32)
    chroma = rng.normal(0, spread, (2, 30, 40)).astype(np.float32)
    lab = np.stack([lightness, *chroma], axis=-1).astype(np.float64)
    linear = true_linear(lab)
    far = (np.maximum(-linear, linear - 1) > 1e-3).any(axis=-1)
    near = (np.maximum(-linear, linear - 1) > -1e-6).any(axis=-1)
    found = share_outside_gamut(lightness, chroma, scale=1)
    assert far.mean() <= found <= near.mean()


def test_the_colours_of_a_picture_are_all_inside() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    lab = color.lab_from_rgb(rgb)
    chroma = np.ascontiguousarray(lab[..., 1:].transpose(2, 0, 1))
    assert share_outside_gamut(np.ascontiguousarray(lab[..., 0]), chroma, scale=1) == 0


@pytest.mark.parametrize(("chroma", "share"), [(0.0, 0.0), (150.0, 1.0)])
def test_grey_is_inside_and_what_no_screen_shows_outside(chroma: float, share: float) -> None:
    lightness = np.full((8, 8), 50, np.float32)
    ab = np.full((2, 4, 4), chroma, np.float32)
    assert share_outside_gamut(lightness, ab, scale=2) == share
    assert share_outside_gamut(lightness, ab, scale=None) == share

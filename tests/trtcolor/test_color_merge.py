"""`merge_lab`: chroma under untouched lightness, in every format.

Every test runs on every variant of the kernels that this processor has.
"""

from functools import partial

import numpy as np
import pytest
from colour_draws import GAMUTS, SEEDS, SIDES, planar, random_merge
from colour_truth import (
    true_lab,
    true_merge,
    true_rgb,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor import color

pytestmark = pytest.mark.usefixtures("every_variant")


@given(SIDES, SIDES, st.sampled_from([1, 2, 4, None]), SIDES, SIDES, SEEDS)
def test_merge_reads_chroma_between_half_pixel_centres(height, width, scale, h, w, seed):
    rng = np.random.default_rng(seed)
    if scale:
        h, w = -(-height // scale), -(-width // scale)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    chroma = rng.uniform(-60, 60, (2, h, w)).astype(np.float32)
    lab = true_merge(lightness.astype(np.float64), chroma.astype(np.float64), scale)
    merged = color.merge_lab(lightness, chroma, scale=scale, gamut="clip", format="rgbf32")
    assert np.abs(merged - true_rgb(lab)).max() <= 1e-4
    merged = color.merge_lab(lightness, chroma, scale=scale, gamut="clip")
    assert np.abs(merged - np.rint(255 * true_rgb(lab))).max() <= 1


@given(SIDES, SIDES, st.sampled_from([1, 2, 4]), SEEDS)
def test_merge_keeps_lightness(height, width, scale, seed):
    rng = np.random.default_rng(seed)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    shape = (2, -(-height // scale), -(-width // scale))
    chroma = rng.uniform(-128, 128, shape).astype(np.float32)
    merged = color.merge_lab(lightness, chroma, scale=scale, format="rgbf32")
    assert np.abs(true_lab(merged.astype(np.float64))[..., 0] - lightness).max() < 5e-3


def test_merge_of_a_wide_picture_finds_the_right_columns():
    lightness = np.full((1, 40_001), 50, np.float32)
    chroma = np.zeros((2, 1, 20_001), np.float32)
    chroma[0] = np.linspace(-20, 20, 20_001)
    lab = np.zeros((1, 40_001, 3))
    lab[..., 0] = 50
    lab[..., 1] = np.interp((np.arange(40_001) + 0.5) / 2 - 0.5, np.arange(20_001), chroma[0, 0])
    merged = color.merge_lab(lightness, chroma, scale=2, format="rgbf32")
    assert np.abs(merged - true_rgb(lab)).max() <= 5e-6


@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from([1, 2, 4, None]), GAMUTS, SEEDS)
def test_formats_of_a_merge_are_one_picture(height, width, scale, gamut, seed):
    lightness, chroma = random_merge(seed, height, width, scale)
    merge = partial(color.merge_lab, lightness, chroma, scale=scale, gamut=gamut)
    exact = merge(format="rgbf32")
    assert exact.dtype == np.float32
    exact = exact.astype(np.float64)
    wide = merge(format="rgb48")
    assert wide.dtype == np.uint16
    assert np.abs(wide - 65535 * exact).max() <= 0.5 + 1e-2
    small = merge(format="rgb24")
    assert np.abs(small - 255 * exact).max() <= 0.5 + 1e-4
    assert np.array_equal(merge(format="bgr24"), small[..., ::-1])
    assert np.array_equal(merge(format="bgr24", layout="chw"), planar(small[..., ::-1], "chw"))


@settings(max_examples=40)
@given(
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from(["rgb24", "bgr24", "rgb48", "rgbf32"]),
    st.sampled_from([1, 2, 4, None]),
    GAMUTS,
    SIDES,
    SIDES,
    SEEDS,
)
def test_a_merge_of_grey_is_that_of_its_lightness(dtype, format, scale, gamut, h, w, seed):
    chroma = random_merge(seed, h, w, scale)[1]
    top = np.iinfo(dtype).max
    grey = np.random.default_rng(seed).integers(0, top, (h, w), dtype, endpoint=True)
    merge = partial(color.merge_lab, chroma=chroma, scale=scale, gamut=gamut, format=format)
    assert np.array_equal(merge(grey), merge(color.lightness_from_grey(grey)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_merge_of_grey_without_chroma_is_the_grey(dtype):
    top = np.iinfo(dtype).max
    grey = np.arange(top + 1, dtype=dtype).reshape(-1, 256)
    chroma = np.zeros((2, *grey.shape), np.float32)
    format = "rgb24" if dtype == np.uint8 else "rgb48"
    merged = color.merge_lab(grey, chroma, scale=1, format=format).astype(int)
    assert np.abs(merged - grey[..., None].astype(int)).max() <= (0 if dtype == np.uint8 else 1)

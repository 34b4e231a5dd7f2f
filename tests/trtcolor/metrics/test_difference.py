"""Differences of colour: CIEDE2000, distances of chroma, PSNR, lightness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000
from skimage.metrics import peak_signal_noise_ratio
from torch.nn import functional as F

from trtcolor.metrics.difference import (
    BEST_PSNR,
    BLOCK,
    chroma_cosine,
    chroma_l1,
    chroma_l2,
    ciede2000,
    lightness_change,
    mean_ciede2000,
    psnr,
)

# Sharma, Wu, Dalal 2005, Table 1: L*, a*, b* of the first, of the second, and their difference.
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
PAIRS = np.array([[float(x) for x in line.split()] for line in SHARMA.split("\n") if line])


def random_lab(seed: int, count: int = 20_000) -> np.ndarray:
    return np.random.default_rng(seed).uniform((0, -110, -110), (100, 110, 110), (count, 3))


def test_ciede2000_gives_sharmas_34_values_both_ways_round() -> None:
    first, second, expected = PAIRS[:, :3], PAIRS[:, 3:6], PAIRS[:, 6]
    assert len(PAIRS) == 34
    np.testing.assert_allclose(ciede2000(first, second), expected, atol=5e-5)
    np.testing.assert_allclose(ciede2000(second, first), expected, atol=5e-5)


def test_ciede2000_agrees_with_scikit_image() -> None:
    one, other = random_lab(1), random_lab(2)
    np.testing.assert_allclose(ciede2000(one, other), deltaE_ciede2000(one, other), atol=1e-9)


def test_ciede2000_of_greys_and_of_a_grey_and_a_colour_agrees_with_scikit_image() -> None:
    one, other = random_lab(3, 500), random_lab(4, 500)
    one[:, 1:] = 0
    other[:250, 1:] = 0
    np.testing.assert_allclose(ciede2000(one, other), deltaE_ciede2000(one, other), atol=1e-9)
    np.testing.assert_allclose(ciede2000(other, one), deltaE_ciede2000(other, one), atol=1e-9)


def test_ciede2000_of_equal_colours_is_zero() -> None:
    lab = random_lab(5)
    assert ciede2000(lab, lab).max() == 0


def test_ciede2000_computes_in_float32_when_given_that_and_stays_accurate() -> None:
    one, other = random_lab(6).astype(np.float32), random_lab(7).astype(np.float32)
    difference = ciede2000(one, other)
    assert difference.dtype == np.float32
    exact = ciede2000(one.astype(np.float64), other.astype(np.float64))
    np.testing.assert_allclose(difference, exact, atol=1e-3)


def test_mean_ciede2000_of_black_and_white_is_one_hundred() -> None:
    black = np.zeros((3, 5, 3), np.uint8)
    assert mean_ciede2000(black, ~black) == pytest.approx(100, abs=1e-3)


def test_ciede2000_in_blocks_is_that_of_each_pixel_by_itself() -> None:
    one, other = random_lab(9, 2 * BLOCK + 7), random_lab(10, 2 * BLOCK + 7)
    whole = ciede2000(one.reshape(5, -1, 3), other.reshape(5, -1, 3))
    assert whole.shape == (5, len(one) // 5)
    some = slice(BLOCK - 3, BLOCK + 3)
    np.testing.assert_array_equal(whole.ravel()[some], ciede2000(one[some], other[some]))


def test_ciede2000_takes_one_colour_against_many() -> None:
    many, mean = random_lab(11, 50), random_lab(12, 1)[0]
    expected = deltaE_ciede2000(many, np.broadcast_to(mean, many.shape))
    np.testing.assert_allclose(ciede2000(many, mean), expected, atol=1e-9)


def test_ciede2000_of_nearly_opposite_hues_is_that_of_scikit_image() -> None:
    one, turns = random_lab(13, 4000), np.random.default_rng(14).uniform(-0.1, 0.1, 4000)
    cosine, sine = -np.cos(turns), -np.sin(turns)
    a, b = one[:, 1], one[:, 2]
    other = np.stack([one[:, 0], cosine * a - sine * b, sine * a + cosine * b], axis=1)
    np.testing.assert_allclose(ciede2000(one, other), deltaE_ciede2000(one, other), atol=1e-7)


def test_ciede2000_of_nearly_equal_colours_keeps_its_digits_in_float32() -> None:
    one = random_lab(15).astype(np.float32)
    other = one + np.float32(1e-3)
    exact = ciede2000(one.astype(np.float64), other.astype(np.float64))
    np.testing.assert_allclose(ciede2000(one, other), exact, rtol=0.02, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ciede2000_of_hardly_any_chroma_is_finite_and_small(dtype: type[np.floating]) -> None:
    chroma = 10.0 ** -np.arange(1, 46)
    one = np.stack([np.full(45, 50.0), chroma, -chroma], axis=1).astype(dtype)
    for other in (one * [1, -1, 1], one * [1, -1, -1], one * [1, 0, 1], one * [1, 0, 0]):
        found = ciede2000(one, other.astype(dtype))
        assert (found <= 5 * chroma).all()


# ---- distances of chroma -----------------------------------------------------------------------


def test_l1_and_l2_are_those_computed_by_hand() -> None:
    true = np.zeros((1, 2, 2))
    predicted = np.array([[[64.0, -32.0], [0.0, 0.0]]])
    assert chroma_l1(predicted, true) == (0.5 + 0.25) / 4
    assert chroma_l2(predicted, true) == (0.25 + 0.0625) / 4


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_l1_and_l2_are_those_of_torch_on_values_divided_by_128(seed: int) -> None:
    one, other = (random_lab(seed + i, 35)[:, 1:].reshape(5, 7, 2) for i in range(2))
    first, second = (torch.from_numpy(ab / 128) for ab in (one, other))
    assert chroma_l1(one, other) == pytest.approx(float(F.l1_loss(first, second)))
    assert chroma_l2(one, other) == pytest.approx(float(F.mse_loss(first, second)))


def test_the_cosine_is_the_mean_over_colourful_pixels() -> None:
    true = np.array([[20.0, 0.0], [0.0, 20.0], [30.0, 0.0], [3.0, 4.0]])
    predicted = np.array([[5.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-60.0, -80.0]])
    assert chroma_cosine(predicted, true) == pytest.approx((1 + 0 - 1) / 3)
    assert chroma_cosine(predicted, true, threshold=4) == pytest.approx((1 + 0 - 1 - 1) / 4)


def test_the_cosine_is_that_of_torch() -> None:
    true, predicted = (random_lab(i, 999)[:, 1:] for i in (16, 17))
    taken = np.hypot(*true.T) > 10
    first, second = torch.from_numpy(predicted[taken]), torch.from_numpy(true[taken])
    expected = float(F.cosine_similarity(first, second).mean())
    assert chroma_cosine(predicted, true) == pytest.approx(expected)


def test_a_prediction_of_no_colour_counts_as_cosine_zero() -> None:
    true = np.array([[20.0, 0.0], [0.0, 20.0]])
    assert chroma_cosine(np.zeros((2, 2)), true) == 0
    assert chroma_cosine(np.array([[0.0, 0.0], [0.0, 7.0]]), true) == 0.5


def test_a_tint_cannot_score_where_hues_are_all_around() -> None:
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    true = 50 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert chroma_cosine(np.broadcast_to([10.0, 25.0], true.shape), true) == pytest.approx(0)


def test_a_grey_picture_has_no_cosine() -> None:
    assert chroma_cosine(np.full((4, 4, 2), 50.0), np.zeros((4, 4, 2))) is None


# ---- other distances ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 30), width=st.integers(1, 30))
def test_psnr_is_that_of_scikit_image(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(2))
    other[0, 0] = ~one[0, 0] | 1
    assert psnr(one, other) == pytest.approx(peak_signal_noise_ratio(other, one), rel=1e-6)


def test_psnr_of_black_and_white_is_zero_and_of_equal_pictures_the_best() -> None:
    black = np.zeros((3, 5, 3), np.uint8)
    assert psnr(black, ~black) == psnr(~black, black) == 0
    assert psnr(black, black) == BEST_PSNR == 100


def test_lightness_change_is_mean_and_largest() -> None:
    light = np.array([[10.0, 20.0], [30.0, 40.0]], np.float32)
    moved = light + np.array([[0.5, -1.5], [0.0, 0.0]], np.float32)
    assert lightness_change(moved, light) == (0.5, 1.5)

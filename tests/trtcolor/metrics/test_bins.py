"""Scores of bins: by hand and against the textbook's log-softmax."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax

from trtcolor.metrics.bins import ab_bin_scores, luv_bin_scores, soft_encoding

GRID = np.stack(np.meshgrid(np.arange(-40, 50, 10), np.arange(-40, 50, 10)), axis=-1)
CENTRES: NDArray[np.float32] = GRID.reshape(-1, 2).astype(np.float32)


def far_apart() -> NDArray[np.float32]:
    """Ten bins of which a colour on one is Gaussian-far from every other."""
    return np.stack([np.arange(10) * 60.0 - 240, np.zeros(10)], axis=1).astype(np.float32)


def test_soft_encoding_is_the_gaussian_of_the_ten_nearest() -> None:
    ab = np.random.default_rng(0).uniform(-128, 128, (6, 7, 2)).astype(np.float32)
    bins, shares = soft_encoding(ab, CENTRES)
    distances = np.linalg.norm(ab[:, :, None] - CENTRES, axis=-1).astype(np.float64)
    order = np.argsort(distances, axis=-1, kind="stable")[..., :10]
    nearest = np.take_along_axis(distances, order, axis=-1)
    gaussian = np.exp(-(nearest**2 - nearest[..., :1] ** 2) / 50)
    found = np.take_along_axis(distances, bins, axis=-1)
    np.testing.assert_allclose(found, nearest, rtol=1e-6)
    np.testing.assert_allclose(shares, gaussian / gaussian.sum(-1, keepdims=True), atol=1e-4)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-6)


def test_equally_near_bins_come_in_their_order() -> None:
    bins, shares = soft_encoding(np.array([5.0, 5.0]), CENTRES)
    assert CENTRES[bins[:4]].tolist() == [[0, 0], [10, 0], [0, 10], [10, 10]]
    assert shares[:4].tolist() == 4 * [shares[0]]


@pytest.mark.parametrize("centres", [CENTRES[:9], CENTRES[:, :1], CENTRES.ravel()])
def test_too_few_bins_or_of_another_shape_are_refused(centres: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="bin centres of shape"):
        soft_encoding(np.zeros((3, 2)), centres)


def test_the_scores_of_a_hand_made_picture() -> None:
    centres = far_apart()
    true = centres[[3, 3, 7, 0]].reshape(2, 2, 2)
    logits = np.zeros((10, 2, 2), np.float32)
    logits[3, 0, 0] = logits[3, 1, 0] = logits[0, 1, 1] = math.log(6)  # 6 of 15
    weights = np.arange(10.0)
    scores = ab_bin_scores(logits, true, centres, weights)
    right, even, wrong = math.log(15 / 6), math.log(10), math.log(15)
    assert scores.cross_entropy == pytest.approx((right + even + wrong + right) / 4)
    expected = (3 * right + 3 * even + 7 * wrong + 0 * right) / 4
    assert scores.weighted_cross_entropy == pytest.approx(expected)
    assert scores.accuracy == 0.5
    assert ab_bin_scores(logits, true, centres, None).weighted_cross_entropy is None


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.0, 1.0, 30.0, 1000.0]))
def test_cross_entropy_is_that_of_scipy_and_stable(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits = (scale * rng.normal(size=(81, 5, 3))).astype(np.float32)
    true = rng.uniform(-60, 60, (5, 3, 2)).astype(np.float32)
    bins, shares = soft_encoding(true, CENTRES)
    logarithms = np.moveaxis(log_softmax(logits.astype(np.float64), axis=0), 0, -1)
    entropy = -(np.take_along_axis(logarithms, bins, axis=-1) * shares).sum(axis=-1)
    scores = ab_bin_scores(logits, true, CENTRES, None)
    assert scores.cross_entropy == pytest.approx(entropy.mean(), rel=1e-5, abs=1e-5)
    assert scores.accuracy == (logits.argmax(axis=0) == bins[..., 0]).mean()


def test_scores_all_alike_name_the_first_bin_and_so_are_hardly_ever_right() -> None:
    true = np.random.default_rng(1).uniform(-30, 30, (8, 8, 2))
    scores = ab_bin_scores(np.zeros((81, 8, 8), np.float32), true, CENTRES, None)
    assert scores.accuracy == 0
    assert scores.cross_entropy == pytest.approx(math.log(81), rel=1e-6)


def test_luv_scores_are_a_sum_of_entropies_and_a_mean_of_accuracies() -> None:
    logits = np.zeros((100, 1, 2), np.float32)
    logits[30] = math.log(51)  # of 100, for u*; v* is even
    true = np.array([[[21.0, -99.0], [-5.0, 77.0]]])
    scores = luv_bin_scores(logits, true)
    entropy = (math.log(100 / 51) + math.log(100)) / 2 + math.log(50)
    assert scores.cross_entropy == pytest.approx(entropy)
    assert scores.weighted_cross_entropy is None
    assert scores.accuracy == (0.5 + 0.5) / 2  # of even scores the first bin, -100..-96


def test_scores_that_do_not_fit_the_truth_are_refused() -> None:
    with pytest.raises(ValueError, match="81 bins and true colours of"):
        ab_bin_scores(np.zeros((80, 4, 4)), np.zeros((4, 4, 2)), CENTRES, None)
    with pytest.raises(ValueError, match="for 81 bins"):
        ab_bin_scores(np.zeros((81, 4, 5)), np.zeros((4, 4, 2)), CENTRES, None)
    for shape in ((99, 4, 4), (100, 4, 5)):
        with pytest.raises(ValueError, match="came for true colours of"):
            luv_bin_scores(np.zeros(shape), np.zeros((4, 4, 2)))

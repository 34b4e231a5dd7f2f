"""Scores of a classifier's ``bin_logits``: cross entropy and accuracy, as its training counts them.

The same bins, the same soft encoding and the same sums as in ``trtcolor_train.bins``, without
torch; a test holds the two against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from trtcolor.metrics.luv import uv_bin

NEIGHBOURS = 10  # bins that share a sample's soft encoding (003, 3.3)
SIGMA = 5.0  # of its Gaussian (003, 3.3)

# Squares of the a*b* plane, all with one list of candidates for the nearest bins.
SQUARE = 2
PLANE = 128

# Bins whose exponentials are taken at once: what is kept of them then stays in the cache.
STRIP = 8

FloatArray = NDArray[np.floating]
Float = NDArray[np.float32]


@dataclass(frozen=True)
class BinScores:
    """How well the scores of bins fit the true colours of one picture.

    Attributes:
        cross_entropy: in nats, mean over samples; for u* and v* the sum of both.
        weighted_cross_entropy: with each sample weighted by the rarity of its nearest bin
            (003, 3.4), divided by the number of samples; None without weights.
        accuracy: share of samples whose best bin is the one nearest to the truth; for u* and v*
            the mean of both.
    """

    cross_entropy: float
    weighted_cross_entropy: float | None
    accuracy: float


def soft_encoding(ab: FloatArray, centres: FloatArray) -> tuple[NDArray[np.intp], Float]:
    """The soft encoding of true colours in bins (003, 3.3).

    Args:
        ab: (..., 2) a*b* in real units.
        centres: (Q, 2) a*b* of the bins, Q from 10.

    Returns:
        (..., 10) indices of the nearest bins, nearest first, and their (..., 10) float32 shares,
        Gaussian of deviation 5 in the distance, which sum to 1.

    Raises:
        ValueError: fewer than 10 bins, or centres of another shape.

    Source: 003, section 3.3; as ``trtcolor_train.bins.AbBins.encode``.
    """
    table = np.ascontiguousarray(centres, dtype=np.float32)
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < NEIGHBOURS:
        raise ValueError(
            f"bin centres of shape {table.shape} came; (Q, 2) with Q from {NEIGHBOURS} was needed; "
            "pass the a*b* of each bin"
        )
    colours = np.asarray(ab, dtype=np.float32)
    samples = colours.reshape(-1, 2)
    side = 2 * PLANE // SQUARE
    square = np.floor((samples + PLANE) / SQUARE).astype(np.intp).clip(0, side - 1)
    candidates = _candidates(table.tobytes())[square[:, 0] * side + square[:, 1]]
    a, b = table[candidates, 0] - samples[:, :1], table[candidates, 1] - samples[:, 1:]
    squared = a * a + b * b
    # Distances are sorted with their bins below them in one number: their bits as float32, which
    # are not negative, order as they do. Equal ones go by bin, so that no machine differs.
    keys = squared.view(np.uint32).astype(np.uint64) << np.uint64(32) | candidates
    keys.sort(axis=1)
    keys = keys[:, :NEIGHBOURS]
    nearest = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    # The exponent is taken from the nearest bin on, so that no sum is 0 far from every bin.
    shares = np.exp((nearest[:, :1] - nearest) * np.float32(1 / (2 * SIGMA**2)))
    shares /= shares.sum(axis=1, keepdims=True)
    shape = (*colours.shape[:-1], NEIGHBOURS)
    bins = (keys & np.uint64(0xFFFFFFFF)).astype(np.intp)
    return bins.reshape(shape), shares.reshape(shape)


@lru_cache(maxsize=4)
def _candidates(table: bytes) -> NDArray[np.uint64]:
    """For each square of the plane the bins that may be among the nearest of a colour in it.

    A colour is at most half a diagonal from its square's centre, so each of its ten nearest bins is
    no further from that centre than the centre's own tenth-nearest bin plus twice half a diagonal.
    Colours off the plane, which sRGB does not have, are looked up in its outermost squares.

    Returns:
        ((2 PLANE / SQUARE)^2, K).
    """
    centres = np.frombuffer(table, np.float32).reshape(-1, 2)
    middles = np.arange(-PLANE, PLANE, SQUARE, dtype=np.float32) + SQUARE / 2
    a, b = (middles[:, None] - centres[:, channel] for channel in range(2))  # (side, Q)
    distances = np.hypot(a[:, None], b[None]).reshape(-1, len(centres))
    order = np.argsort(distances, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    reach = distances[:, NEIGHBOURS - 1 : NEIGHBOURS] + math.sqrt(2) * SQUARE + 1e-3
    return order[:, : int((distances <= reach).sum(axis=1).max())].astype(np.uint64)


def ab_bin_scores(
    logits: FloatArray,
    ab_true: FloatArray,
    centres: FloatArray,
    class_weights: FloatArray | None,
) -> BinScores:
    """Scores of bins of the a*b* plane against the soft encoding of the true colours.

    Args:
        logits: (Q, h, w) scores, one picture's ``bin_logits``.
        ab_true: (h, w, 2) true a*b*, area-averaged to the scores' grid.
        centres: (Q, 2) a*b* of the bins.
        class_weights: (Q,) weight of a sample by its nearest bin, or None.

    Raises:
        ValueError: the shapes do not fit one another.

    Source: 003, sections 3.3 and 3.4, and Table 1 ("Cross Entropy", "Accuracy").
    """
    if logits.shape != (len(centres), *ab_true.shape[:2]):
        raise ValueError(
            f"bin scores of shape {logits.shape} came for {len(centres)} bins and true colours of "
            f"{ab_true.shape}; (Q, h, w) and (h, w, 2) were needed; bring the truth to the scores' "
            "grid"
        )
    scores = logits.reshape(len(centres), -1)
    indices, shares = soft_encoding(ab_true.reshape(-1, 2), centres)
    expected = (np.take_along_axis(scores, indices.T, axis=0) * shares.T).sum(axis=0)
    nearest = indices[:, 0]
    normaliser, accuracy = _normaliser_and_accuracy(scores, nearest)
    entropy = normaliser - expected
    weighted = None
    if class_weights is not None:
        weighted = float((entropy * class_weights[nearest]).mean(dtype=np.float64))
    return BinScores(float(entropy.mean(dtype=np.float64)), weighted, accuracy)


def luv_bin_scores(logits: FloatArray, uv_true: FloatArray) -> BinScores:
    """Scores of equal bins of u* and of v* against the bins of the true colours.

    Args:
        logits: (2 B, h, w) scores, one picture's ``bin_logits``: B bins of u*, then B of v*.
        uv_true: (h, w, 2) true u*v*, area-averaged to the scores' grid.

    Raises:
        ValueError: the shapes do not fit one another.

    Source: 001, section 3.6 (the sum of two cross entropies) and 5.1 (the accuracies).
    """
    if len(logits) % 2 or logits.shape[1:] != uv_true.shape[:2]:
        raise ValueError(
            f"bin scores of shape {logits.shape} came for true colours of {uv_true.shape}; "
            "(2 B, h, w) and (h, w, 2) were needed; bring the truth to the scores' grid"
        )
    bins = len(logits) // 2
    entropy, accuracy = 0.0, 0.0
    for channel in range(2):
        scores = logits[channel * bins : (channel + 1) * bins].reshape(bins, -1)
        truth = uv_bin(uv_true[..., channel].ravel(), bins)
        normaliser, share = _normaliser_and_accuracy(scores, truth)
        expected = np.take_along_axis(scores, truth[None], axis=0)[0]
        entropy += float((normaliser - expected).mean(dtype=np.float64))
        accuracy += share / 2
    return BinScores(entropy, None, accuracy)


def _normaliser_and_accuracy(
    scores: FloatArray, truth: NDArray[np.intp]
) -> tuple[FloatArray, float]:
    """(Q, n) scores and (n,) true bins -> (n,) log of the sum of exponentials, and accuracy."""
    largest = scores.max(axis=0)
    if np.count_nonzero(scores == largest) == largest.size:  # argmax over a column takes longer
        best = np.take_along_axis(scores, truth[None], axis=0)[0] == largest
    else:  # of equal scores the first bin is the best
        best = scores.argmax(axis=0) == truth
    total = np.zeros_like(largest)
    for start in range(0, len(scores), STRIP):
        strip = scores[start : start + STRIP] - largest
        total += np.exp(strip, out=strip).sum(axis=0)
    return largest + np.log(total), float(best.mean())

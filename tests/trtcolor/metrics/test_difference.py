"""CIEDE2000 and colourfulness against published values, another implementation and arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000

from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.difference import ciede2000, mean_ciede2000

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


def test_a_grey_picture_has_no_colourfulness() -> None:
    grey = np.random.default_rng(8).integers(0, 256, (9, 7, 1), np.uint8).repeat(3, axis=2)
    assert colourfulness(grey) == 0


def test_colourfulness_of_red_beside_blue_is_the_one_computed_by_hand() -> None:
    # rg = (255, 0): mean and deviation 127.5; yb = (127.5, -255): mean -63.75, deviation 191.25
    picture = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    expected = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, 63.75)
    assert colourfulness(picture) == pytest.approx(expected)

"""SSIM: scikit-image's, on pictures of every size, alone and against a reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from trtcolor.metrics.structure import WINDOW, StructuralReference, ssim

Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def truth(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(
        structural_similarity(
            one,
            other,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=2,
        )
    )


def pair(seed: int, height: int, width: int, noise: float) -> Pictures:
    """A picture of smooth and flat parts, and the same with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = 100 * np.sin(np.stack([x / 5, y / 7, (x + y) / 9], axis=2) + rng.uniform(0, 6, 3))
    first = np.clip(128 + waves, 60, 255)
    second = np.clip(first + rng.normal(0, noise, first.shape), 0, 255)
    return first.astype(np.uint8), second.astype(np.uint8)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(WINDOW, 90),
    width=st.integers(WINDOW, 90),
    noise=st.sampled_from([0.5, 5.0, 50.0]),
)
def test_it_is_that_of_scikit_image(seed: int, height: int, width: int, noise: float) -> None:
    one, other = pair(seed, height, width, noise)
    # float32 shows where there is a single window.
    assert ssim(one, other) == pytest.approx(truth(one, other), abs=5e-5)


@pytest.mark.parametrize("size", [(700, 90), (11, 4000), (300, 300)])
def test_bands_of_a_large_picture_leave_no_seam(size: tuple[int, int]) -> None:
    one, other = pair(1, *size, 20.0)
    assert ssim(one, other) == pytest.approx(truth(one, other), abs=1e-6)


def test_dark_and_light_flat_pictures_are_those_of_the_formula() -> None:
    black, white = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(black, white) == pytest.approx(c1 / (255**2 + c1), rel=1e-4)


def test_equal_pictures_have_one_and_order_does_not_matter() -> None:
    one, other = pair(2, 40, 30, 10.0)
    assert ssim(one, one) == pytest.approx(1, abs=1e-6)
    assert ssim(one, other) == pytest.approx(ssim(other, one), abs=1e-6)
    assert ssim(255 - one, one) < 0


def test_a_reference_gives_each_picture_what_the_function_gives() -> None:
    original, noisy = pair(3, 50, 60, 15.0)
    reference = StructuralReference(original)
    for picture in (noisy, original, 255 - noisy, original[::-1]):
        assert reference.ssim(picture) == ssim(picture, original)


@pytest.mark.parametrize("size", [(1, 1), (10, 10), (5, 40), (40, 2)])
def test_a_picture_smaller_than_the_window_is_mirrored_at_its_edges(size: tuple[int, int]) -> None:
    one, other = pair(4, *size, 30.0)
    around = [((lack := max(0, 11 - side)) // 2, lack - lack // 2) for side in size]
    padded = [np.pad(picture, [*around, (0, 0)], "symmetric") for picture in (one, other)]
    assert ssim(one, other) == pytest.approx(truth(*padded), abs=5e-5)
    assert ssim(one, one) == pytest.approx(1, abs=1e-6)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(12, 13, 3\) came for an original of \(13, 12, 3\)"):
        ssim(np.zeros((12, 13, 3), np.uint8), np.zeros((13, 12, 3), np.uint8))

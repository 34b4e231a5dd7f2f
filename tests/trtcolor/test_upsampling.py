"""trtcolor.upsampling against float64 NumPy written from the definition, on every variant."""

import numpy as np
import pytest
from array_views import VIEWS, WRITEABLE, poisoned
from colour_truth import true_bilinear, true_joint_bilateral
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.upsampling import chroma_guide, joint_bilateral_upsample

pytestmark = pytest.mark.usefixtures("every_variant")

SIDES = st.integers(1, 19)
SCALES = st.sampled_from([None, 1, 2, 4])
SIGMAS = st.floats(0.5, 60)
SEEDS = st.integers(0, 2**32 - 1)


def grid(height, width, scale, samples):
    """(h, w) of the chroma: `samples` where the scale leaves it open."""
    return samples if scale is None else (-(-height // scale), -(-width // scale))


def planes(height, width, size, seed):
    """Lightness of two tones and noise, and chroma of any kind."""
    random = np.random.default_rng(seed)
    lightness = random.choice([20.0, 75.0], (height, width)) + random.normal(0, 6, (height, width))
    chroma = random.uniform(-110, 110, (2, *size))
    return lightness.astype(np.float32), chroma.astype(np.float32)


@given(SIDES, SIDES, SCALES, st.tuples(SIDES, SIDES), SIGMAS, st.sampled_from(list(VIEWS)), SEEDS)
def test_it_is_the_weighted_mean_of_the_four_samples_around(
    height, width, scale, samples, sigma, view, seed
):
    size = grid(height, width, scale, samples)
    lightness, chroma = planes(height, width, size, seed)
    guide = np.random.default_rng(seed).uniform(0, 100, size).astype(np.float32)
    truth = true_joint_bilateral(
        *(a.astype(float) for a in (lightness, chroma, guide)), scale, sigma
    )
    given_planes = [VIEWS[view](a) for a in (chroma, lightness)]
    upsampled = joint_bilateral_upsample(
        *given_planes, scale=scale, guide=VIEWS[view](guide), range_sigma=sigma
    )
    assert upsampled.dtype == np.float32
    assert np.abs(upsampled - truth).max() <= 2e-3
    for name in WRITEABLE:
        out = poisoned(name, upsampled)
        assert (
            joint_bilateral_upsample(
                chroma, lightness, scale=scale, guide=guide, range_sigma=sigma, out=out
            )
            is out
        )
        assert np.array_equal(out, upsampled)


@given(SIDES, SIDES, SCALES, st.tuples(SIDES, SIDES), SEEDS)
def test_constant_chroma_stays_as_it_is(height, width, scale, samples, seed):
    size = grid(height, width, scale, samples)
    lightness, chroma = planes(height, width, size, seed)
    constant = np.broadcast_to(chroma[:, :1, :1], chroma.shape)
    upsampled = joint_bilateral_upsample(constant, lightness, scale=scale)
    assert np.array_equal(upsampled, np.broadcast_to(chroma[:, :1, :1], upsampled.shape))


@given(SIDES, SIDES, SCALES, st.tuples(SIDES, SIDES), st.floats(0.01, 60), SEEDS)
def test_no_value_leaves_the_range_of_the_samples_around_it(
    height, width, scale, samples, sigma, seed
):
    size = grid(height, width, scale, samples)
    lightness, chroma = planes(height, width, size, seed)
    upsampled = joint_bilateral_upsample(chroma, lightness, scale=scale, range_sigma=sigma)
    rows = true_bilinear(height, size[0], 1 / scale if scale else size[0] / height) > 0
    columns = true_bilinear(width, size[1], 1 / scale if scale else size[1] / width) > 0
    for y in range(height):
        for x in range(width):
            around = chroma[:, rows[y]][:, :, columns[x]]
            # A sample that position's rounding gives a weight of 1e-16 counts as around.
            low, high = around.min(axis=(1, 2)), around.max(axis=(1, 2))
            assert (low - 1e-3 <= upsampled[:, y, x]).all()
            assert (upsampled[:, y, x] <= high + 1e-3).all()


@given(SIDES, SIDES, SCALES, st.tuples(SIDES, SIDES), SEEDS)
def test_even_lightness_leaves_bilinear(height, width, scale, samples, seed):
    size = grid(height, width, scale, samples)
    _, chroma = planes(height, width, size, seed)
    lightness = np.full((height, width), 40, np.float32)
    rows = true_bilinear(height, size[0], 1 / scale if scale else size[0] / height)
    columns = true_bilinear(width, size[1], 1 / scale if scale else size[1] / width)
    upsampled = joint_bilateral_upsample(chroma, lightness, scale=scale)
    assert np.abs(upsampled - rows @ chroma.astype(float) @ columns.T).max() <= 2e-3


@given(SIDES, SIDES, SCALES, st.tuples(SIDES, SIDES), st.data())
def test_bands_are_the_rows_of_the_whole(height, width, scale, samples, data):
    size = grid(height, width, scale, samples)
    lightness, chroma = planes(height, width, size, 3)
    first = data.draw(st.integers(0, height - 1))
    end = data.draw(st.integers(first + 1, height))
    whole = joint_bilateral_upsample(chroma, lightness, scale=scale)
    guide = chroma_guide(lightness, size, scale=scale)
    band = joint_bilateral_upsample(chroma, lightness, scale=scale, guide=guide, rows=(first, end))
    assert np.array_equal(band, whole[:, first:end])


def test_colours_stop_at_a_border_of_lightness_that_bilinear_lets_them_cross():
    lightness = np.full((32, 32), 30, np.float32)
    lightness[:, 18:] = 70  # inside a sample of 8 pixels, not between two
    chroma = np.zeros((2, 4, 4), np.float32)
    chroma[0, :, :2], chroma[0, :, 2:] = 50, -50
    upsampled = joint_bilateral_upsample(chroma, lightness, scale=None)[0]
    bilinear = joint_bilateral_upsample(chroma, lightness, scale=None, range_sigma=1000)[0]
    assert (np.sign(upsampled[:, 15:18]) == 1).all()
    assert (np.sign(upsampled[:, 18:]) == -1).all()
    assert (np.sign(bilinear[:, 16:18]) == -1).all()


def test_a_nan_counts_as_0_and_the_rest_is_clamped():
    lightness = np.full((6, 6), 50, np.float32)
    wild = np.full((2, 3, 3), np.nan, np.float32)
    assert (joint_bilateral_upsample(wild, lightness, scale=2) == 0).all()
    wild[:] = np.inf
    assert (joint_bilateral_upsample(wild, lightness, scale=2) == 1000).all()
    chroma = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    guide = np.zeros((3, 3), np.float32)
    as_nan, as_0 = (
        joint_bilateral_upsample(chroma, np.full((6, 6), value, np.float32), scale=2, guide=guide)
        for value in (np.nan, 0)
    )
    assert np.array_equal(as_nan, as_0)


@given(st.integers(1, 13), st.integers(1, 13), st.sampled_from([1, 2, 4]))
def test_the_guide_is_the_mean_over_the_pixels_that_a_sample_covers(height, width, scale):
    lightness = np.random.default_rng(5).uniform(0, 100, (height, width)).astype(np.float32)
    guide = chroma_guide(lightness, (-(-height // scale), -(-width // scale)), scale=scale)
    for y, row in enumerate(guide):
        for x, value in enumerate(row):
            covered = lightness[scale * y : scale * (y + 1), scale * x : scale * (x + 1)]
            assert abs(value - covered.mean(dtype=float)) <= 1e-4


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads):
    random = np.random.default_rng(8)
    lightness = random.uniform(0, 100, (301, 1103)).astype(np.float32)
    chroma = random.normal(0, 30, (2, 37, 91)).astype(np.float32)
    one = joint_bilateral_upsample(chroma, lightness, scale=None, threads=1)
    several = joint_bilateral_upsample(chroma, lightness, scale=None, threads=threads)
    assert np.array_equal(one, several)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scale": 2}, r"chroma is \(2, 3, 4\), but lightness \(9, 8\) at scale 2 needs"),
        ({"scale": 3}, "scale is 3, but must be one of 1, 2, 4, None"),
        ({"range_sigma": 0}, "range_sigma is 0, but must be 0.01 to 1000"),
        ({"range_sigma": float("nan")}, "range_sigma is nan"),
        ({"rows": (0, 10)}, r"rows is \(0, 10\), but must be \(first, end\) of some of the 9 rows"),
        ({"rows": (4, 4)}, r"rows is \(4, 4\)"),
        ({"rows": 4}, "rows is 4"),
        ({"guide": np.zeros((3, 5), np.float32)}, r"guide is \(3, 5\)"),
        ({"out": np.zeros((2, 9, 7), np.float32)}, r"out is \(2, 9, 7\)"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(change, words):
    lightness, chroma = np.zeros((9, 8), np.float32), np.zeros((2, 3, 4), np.float32)
    with pytest.raises(ValueError, match=words):
        joint_bilateral_upsample(chroma, lightness, **({"scale": None} | change))


def test_other_dtypes_are_refused():
    lightness, chroma = np.zeros((9, 8), np.float32), np.zeros((2, 3, 4), np.float32)
    with pytest.raises(TypeError, match="lightness is of dtype float64"):
        joint_bilateral_upsample(chroma, lightness.astype(float), scale=None)
    with pytest.raises(TypeError, match="chroma is of dtype uint8"):
        joint_bilateral_upsample(chroma.astype(np.uint8), lightness, scale=None)

"""Consistency of colours over a clip, and luma."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

from trtcolor.color import rgb_from_lab
from trtcolor.metrics.clips import (
    ChromaFlicker,
    ColorDistributionConsistency,
    color_distribution_consistency,
    luma_error,
)

Frame = NDArray[np.uint8]


def frames(seed: int, count: int) -> list[Frame]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 40 + 9 * i, (13, 17, 3), np.uint8) for i in range(count)]


def flat(*colour: int) -> Frame:
    return np.full((4, 5, 3), colour, np.uint8)


def truth(clip: list[Frame], distances: tuple[int, ...] = (1, 2, 4)) -> float:
    """Of scipy, whose function is the divergence's square root."""

    def histogram(frame: Frame, channel: int) -> NDArray[np.int64]:
        return np.histogram(frame[..., channel], bins=256, range=(0, 256))[0]

    means = []
    for distance in distances:
        pairs = list(zip(clip, clip[distance:], strict=False))
        divergences = [
            jensenshannon(histogram(a, channel), histogram(b, channel)) ** 2
            for a, b in pairs
            for channel in range(3)
        ]
        means.append(np.mean(divergences))
    return float(np.mean(means))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(5, 12))
def test_it_is_the_mean_divergence_of_scipy(seed: int, count: int) -> None:
    clip = frames(seed, count)
    assert color_distribution_consistency(clip) == pytest.approx(truth(clip), rel=1e-9)
    found = color_distribution_consistency(clip, distances=(1, 3))
    assert found == pytest.approx(truth(clip, (1, 3)), rel=1e-9)


def test_a_still_clip_has_zero_and_disjoint_colours_have_ln_2() -> None:
    assert color_distribution_consistency([flat(1, 2, 3)] * 6) == 0
    flicker = [flat(0, 0, 0), flat(255, 255, 255)] * 3
    # At distance 1 all pairs differ, at 2 and 4 none does.
    assert color_distribution_consistency(flicker) == pytest.approx(math.log(2) / 3)


def test_one_channel_of_three_counts_a_third() -> None:
    clip = [flat(9, 8, 7), flat(9, 8, 200)]
    assert color_distribution_consistency(clip) == pytest.approx(math.log(2) / 3)


def test_a_short_shot_has_the_distances_that_it_has() -> None:
    clip = frames(0, 3)
    assert color_distribution_consistency(clip) == pytest.approx(truth(clip, (1, 2)))
    assert color_distribution_consistency(clip[:1]) is None
    assert color_distribution_consistency([]) is None


def test_shots_are_measured_apart_and_weighted_by_their_frames() -> None:
    first, second = frames(1, 6), frames(2, 9)
    consistency = ColorDistributionConsistency()
    for clip in (first, second, frames(3, 1)):
        for index, frame in enumerate(clip):
            consistency.update(frame, cut=index == 0)
    values = [truth(clip) for clip in (first, second)]
    (n1, v1), (n2, v2), last = consistency.shots()
    assert (n1, n2, last) == (6, 9, (1, None))
    assert [v1, v2] == pytest.approx(values)
    assert consistency.result() == pytest.approx((6 * values[0] + 9 * values[1]) / 15)


def test_the_first_frame_begins_a_shot_with_or_without_a_cut() -> None:
    for cut in (False, True):
        consistency = ColorDistributionConsistency()
        consistency.update(flat(0, 0, 0), cut=cut)
        assert consistency.shots() == ((1, None),)
        assert consistency.result() is None


@pytest.mark.parametrize("distances", [(), (0, 1), (-2,)])
def test_distances_below_one_are_refused(distances: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="distances are"):
        ColorDistributionConsistency(distances=distances)


# ---- luma --------------------------------------------------------------------------------------


def test_luma_error_is_that_computed_by_hand() -> None:
    frame = np.array([[[100, 100, 100], [255, 0, 0]]], np.uint8)
    grey = np.array([[100, 80]], np.uint8)
    mean, largest = luma_error(frame, grey)
    assert largest == pytest.approx(80 - 0.299 * 255, abs=1e-4)
    assert mean == pytest.approx(largest / 2)
    assert luma_error(frame, grey, matrix="bt709")[1] == pytest.approx(80 - 54.213, abs=1e-4)


def test_a_source_of_three_channels_is_taken_by_its_luma() -> None:
    red = np.full((3, 3, 3), (255, 0, 0), np.uint8)
    grey = np.full((3, 3, 3), 76, np.uint8)
    assert luma_error(red, red) == (0, 0)
    assert luma_error(red, grey) == pytest.approx((0.245, 0.245), abs=1e-3)


def test_another_matrix_or_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="matrix is 'bt2020'"):
        luma_error(flat(0, 0, 0), flat(0, 0, 0), matrix="bt2020")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"came for a source of \(4, 4\)"):
        luma_error(flat(0, 0, 0), np.zeros((4, 4), np.uint8))


# ---- flicker of colours ------------------------------------------------------------------------


def lit(a: float, b: float, lightness: float = 50.0) -> Frame:
    """A plain frame of one CIELAB colour, as sRGB."""
    lab = np.tile(np.array([lightness, a, b], np.float32), (6, 7, 1))
    return rgb_from_lab(lab)


def flicker(clip: list[Frame], cuts: tuple[int, ...] = (), **options: float) -> ChromaFlicker:
    measure = ChromaFlicker(**options)
    for index, frame in enumerate(clip):
        measure.update(frame, index in cuts)
    return measure


def test_colours_that_do_not_change_do_not_flicker() -> None:
    measure = flicker([lit(10, 20)] * 5)
    assert measure.result() == 0
    assert measure.share == 1


def test_flicker_is_the_distance_of_chroma_where_lightness_stands_still() -> None:
    measure = flicker([lit(10, 20), lit(13, 24), lit(13, 24)])
    assert measure.result() == pytest.approx(5 / 2, abs=0.4)  # of 8-bit codes
    assert flicker([lit(10, 20), lit(13, 24, 55)]).result() is None
    assert flicker([lit(10, 20), lit(13, 24, 55)]).share == 0
    assert flicker([lit(10, 20), lit(13, 24, 55)], still=10).result() == pytest.approx(5, abs=0.6)


def test_what_moves_is_left_out_of_flicker() -> None:
    before, after = lit(10, 20), lit(10, 20)
    after[:, :3] = lit(-30, 40, 80)[:, :3]
    measure = flicker([before, after])
    assert measure.result() == 0
    assert measure.share == pytest.approx(4 / 7)


def test_no_flicker_is_counted_across_a_cut() -> None:
    clip = [lit(10, 20), lit(10, 20), lit(-40, 5), lit(-40, 5)]
    assert flicker(clip, (0, 2)).result() == 0
    assert (flicker(clip).result() or 0) > 10
    assert flicker(clip[:1]).result() is flicker([]).share is None


def test_a_change_of_size_in_a_shot_is_no_flicker_to_be_measured() -> None:
    with pytest.raises(ValueError, match="cut=True"):
        flicker([lit(1, 2), lit(1, 2)[:3]])
    assert flicker([lit(1, 2), lit(1, 2)[:3]], (1,)).result() is None


@pytest.mark.parametrize("still", [-1.0, float("nan")])
def test_stillness_below_nothing_is_refused(still: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        ChromaFlicker(still=still)

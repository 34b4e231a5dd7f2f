"""Colours are held where the picture stands still, inside a shot, and nowhere else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from clips import grainy, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.resize import resize_plane
from trtcolor.video.steady import KEY_FRAMES, SteadyChroma, SteadyFeatures

Float = NDArray[np.float32]
SIZE = (18, 24)
STEADY = st.floats(0.05, 1.0)


def lightness(seed: int, frame: int = 0, *, grain: float = 0.0, gain: float = 1.0) -> Float:
    """L* of a still scene on a small grid, with the grain and the light of a frame."""
    picture = (scene(seed) * gain).clip(0, 255).astype(np.uint8)
    if grain:
        picture = grainy(picture, 1000 * seed + frame, grain)
    return resize_plane(color.lightness_from_rgb(picture), SIZE)


def noise(seed: int, count: int, spread: float = 8.0) -> list[Float]:
    rng = np.random.default_rng(seed)
    return [rng.normal(10, spread, (2, *SIZE)).astype(np.float32) for _ in range(count)]


def filtered(
    planes: list[Float], chroma: list[Float], cuts: tuple[int, ...] = (0,), steady: float = 0.5
) -> list[Float]:
    steadier = SteadyChroma(steady)
    return [
        steadier.update(plane, ab, cut=index in cuts)
        for index, (plane, ab) in enumerate(zip(planes, chroma, strict=True))
    ]


@given(seed=st.integers(0, 1000), count=st.integers(1, 6))
@settings(deadline=None, max_examples=20)
def test_no_steadiness_is_the_identity(seed: int, count: int) -> None:
    chroma = noise(seed, count)
    out = filtered([lightness(seed)] * count, chroma, steady=0.0)
    assert all(one is other for one, other in zip(out, chroma, strict=True))


@given(seed=st.integers(0, 1000), steady=STEADY, motion=st.floats(0, 60))
@settings(deadline=None, max_examples=30)
def test_what_comes_out_lies_between_what_came_and_what_was_there(
    seed: int, steady: float, motion: float
) -> None:
    rng = np.random.default_rng(seed)
    planes = [(50 + rng.uniform(-motion, motion, SIZE)).astype(np.float32) for _ in range(5)]
    chroma = noise(seed, 5)
    out = filtered(planes, chroma, steady=steady)
    for before, new, mixed in zip(out, chroma[1:], out[1:], strict=False):
        assert (mixed >= np.minimum(before, new)).all()
        assert (mixed <= np.maximum(before, new)).all()
    low, high = np.minimum.reduce(chroma), np.maximum.reduce(chroma)
    assert all(((low <= one) & (one <= high)).all() for one in out)


@given(seed=st.integers(0, 1000), steady=STEADY)
@settings(deadline=None, max_examples=20)
def test_a_still_picture_converges_to_what_the_network_says(seed: int, steady: float) -> None:
    first, last = noise(seed, 2)
    out = filtered([lightness(seed)] * 120, [first] + [last] * 119, steady=steady)
    distances = [float(np.abs(one - last).max()) for one in out]
    assert all(later <= earlier for earlier, later in pairwise(distances))
    assert distances[-1] < 1e-3 * distances[0]
    assert distances[1] > 0


@given(seed=st.integers(0, 1000), steady=STEADY, at=st.integers(1, 5))
@settings(deadline=None, max_examples=20)
def test_nothing_crosses_a_cut(seed: int, steady: float, at: int) -> None:
    planes, chroma = [lightness(seed)] * 8, noise(seed, 8)  # the same picture behind the cut
    out = filtered(planes, chroma, (0, at), steady)
    alone = filtered(planes[at:], chroma[at:], (0,), steady)
    assert all(np.array_equal(*both) for both in zip(out[at:], alone, strict=True))


def test_noise_of_colours_is_reduced_where_the_picture_stands_still() -> None:
    out = filtered([lightness(1)] * 40, noise(1, 40))
    assert np.std(out[20:]) < 0.6 * np.std(noise(1, 40)[20:])


@pytest.mark.parametrize("grain", [3.0, 8.0])
def test_neither_flicker_nor_grain_of_old_film_is_taken_for_motion(grain: float) -> None:
    rng = np.random.default_rng(2)
    planes = [lightness(2, i, grain=grain, gain=rng.uniform(0.85, 1.1)) for i in range(40)]
    out = np.std(filtered(planes, noise(2, 40))[20:])
    assert out < 1.25 * np.std(filtered([lightness(2)] * 40, noise(2, 40))[20:])


def test_a_moving_thing_takes_its_own_colours_and_what_is_around_it_keeps_them() -> None:
    planes, chroma, there = [], [], []
    for index in range(14):
        plane, mask = lightness(3).copy() * 0.5, np.zeros(SIZE, bool)
        mask[6:12, 1 + index : 7 + index] = True
        plane[mask] = 95.0
        planes.append(plane)
        chroma.append(np.where(mask, np.float32(40), np.float32(-20)) * np.ones((2, 1, 1), "f4"))
        there.append(mask)
    for mask, ab in zip(there, filtered(planes, chroma, steady=1.0), strict=True):
        assert np.abs(ab[:, mask] - 40).max() < 1
        assert np.abs(ab[:, ~mask] + 20).max() < 1


@pytest.mark.parametrize("pixels", [2, 6])
def test_a_pan_leaves_no_colours_behind(pixels: int) -> None:
    wide = scene(4, width=900, detail=16)
    frames = [wide[:, pixels * i : pixels * i + 96] for i in range(40)]
    planes = [resize_plane(color.lightness_from_rgb(frame), SIZE) for frame in frames]
    labs = [color.lab_from_rgb(frame, layout="hwc") for frame in frames]
    chroma = [resize_plane(np.moveaxis(lab[..., 1:], -1, 0).copy(), SIZE) for lab in labs]
    lag = [
        np.abs(one - ab).mean() for one, ab in zip(filtered(planes, chroma), chroma, strict=True)
    ]
    assert np.mean(lag) < 0.1 * np.std(chroma)


def test_a_frame_of_another_size_begins_anew() -> None:
    steadier, chroma = SteadyChroma(1.0), noise(5, 1)[0]
    steadier.update(lightness(5), chroma, cut=True)
    smaller = chroma[:, :9].copy()
    assert steadier.update(lightness(5)[:9], smaller, cut=False) is smaller


def test_a_plain_picture_has_no_gain_to_be_found() -> None:
    grey = np.full(SIZE, 50, np.float32)
    out = filtered([grey, grey + 7, np.zeros(SIZE, np.float32)], noise(6, 3))
    assert np.isfinite(out).all()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), True, "1", None])
@pytest.mark.parametrize("kind", [SteadyChroma, SteadyFeatures])
def test_another_steadiness_is_refused(kind: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="a number from 0"):
        kind(wrong)


# ---- global features ---------------------------------------------------------------------------


def features(own: list[Float], cuts: tuple[int, ...] = (0,), steady: float = 0.5) -> list[Float]:
    steadier = SteadyFeatures(steady)
    return [
        steadier.update(vector if steadier.wanted(cut=index in cuts) else None)
        for index, vector in enumerate(own)
    ]


def vectors(seed: int, count: int) -> list[Float]:
    return list(np.random.default_rng(seed).normal(0, 1, (count, 5)).astype(np.float32))


def test_without_steadiness_each_frame_has_its_own_features() -> None:
    own = vectors(1, 20)
    assert all(one is other for one, other in zip(features(own, steady=0.0), own, strict=True))


def test_features_are_looked_at_once_in_so_many_frames_of_a_shot() -> None:
    steadier = SteadyFeatures(0.5)
    wanted = [steadier.wanted(cut=index in (0, 11)) for index in range(30)]
    assert [i for i, yes in enumerate(wanted) if yes] == [0, KEY_FRAMES, 11, 19, 27]


@given(seed=st.integers(0, 1000), steady=STEADY, at=st.integers(1, 20))
@settings(deadline=None, max_examples=20)
def test_no_features_cross_a_cut(seed: int, steady: float, at: int) -> None:
    own = vectors(seed, 40)
    out = features(own, (0, at), steady)
    alone = features(own[at:], (0,), steady)
    assert all(np.array_equal(*both) for both in zip(out[at:], alone, strict=True))


@given(seed=st.integers(0, 1000), steady=STEADY)
@settings(deadline=None, max_examples=20)
def test_features_of_a_shot_stay_among_its_own(seed: int, steady: float) -> None:
    own = vectors(seed, 60)
    low, high = np.min(own, axis=0) - 1e-5, np.max(own, axis=0) + 1e-5
    assert all(((low <= one) & (one <= high)).all() for one in features(own, steady=steady))


def test_features_follow_a_shot_that_changes() -> None:
    before, after = vectors(7, 2)
    out = features([before] * 40 + [after] * 200)
    assert np.abs(out[-1] - after).max() < 0.05
    steps = np.linalg.norm(np.diff(out, axis=0), axis=1)
    assert steps.max() < 0.25 * np.linalg.norm(after - before)

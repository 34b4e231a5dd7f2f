"""Scene cuts: where scenes change, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from clips import grainy, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.video.cuts import REACH, CutDetector, with_cuts

Frame = NDArray[np.uint8]


def cuts(frames: list[Frame]) -> list[int]:
    return [index for index, (_, cut) in enumerate(with_cuts(frames)) if cut]


def shot(seed: int, length: int) -> list[Frame]:
    """A still scene under grain and flicker, as of old film."""
    rng = np.random.default_rng(seed)
    picture = scene(seed).astype(np.float64)
    lit = [(picture * rng.uniform(0.9, 1.1)).clip(0, 255).astype(np.uint8) for _ in range(length)]
    return [grainy(frame, seed + index) for index, frame in enumerate(lit)]


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000), lengths=st.lists(st.integers(REACH, 20), min_size=1, max_size=4)
)
def test_every_change_of_scene_is_a_cut_and_grain_and_flicker_are_none(
    seed: int, lengths: list[int]
) -> None:
    frames = [f for index, n in enumerate(lengths) for f in shot(seed + 1000 * index, n)]
    assert cuts(frames) == [0, *np.cumsum(lengths)[:-1].tolist()]


def test_frames_come_back_unchanged_and_in_order() -> None:
    frames = shot(1, 7) + shot(2, 2)
    assert [frame is other for (frame, _), other in zip(with_cuts(frames), frames, strict=True)]
    assert list(with_cuts([])) == []
    assert cuts(frames[:1]) == [0]


def test_only_a_few_frames_are_held_back() -> None:
    taken = 0

    def counted() -> list[Frame]:
        nonlocal taken
        for frame in shot(3, 30):
            taken += 1
            yield frame

    for given_back, _ in enumerate(with_cuts(counted()), 1):
        assert taken - given_back < REACH


@pytest.mark.parametrize("length", range(1, REACH))
@pytest.mark.parametrize("level", [0, 255])
def test_a_flash_or_a_dropout_is_no_cut(length: int, level: int) -> None:
    frames = shot(4, 20)
    frames[9 : 9 + length] = [np.full_like(frames[0], level)] * length
    assert cuts(frames) == [0]


def test_a_damaged_frame_is_no_cut() -> None:
    assert cuts([*shot(5, 8), scene(6), *shot(5, 8)]) == [0]


@pytest.mark.parametrize("length", range(1, REACH))
def test_a_shot_shorter_than_the_reach_counts_to_the_one_before(length: int) -> None:
    assert cuts(shot(5, 8) + shot(6, length) + shot(7, 8)) == [0, 8 + length]


@pytest.mark.parametrize("pixels", [1, 4, 8])
def test_a_pan_is_no_cut(pixels: int) -> None:
    wide = scene(8, width=600, detail=12)
    frames = [wide[:, pixels * index : pixels * index + 96] for index in range(40)]
    still = [frames[0]] * 10
    assert cuts(still + frames) == [0]


def test_a_fade_is_no_cut() -> None:
    picture = scene(9).astype(np.float64)
    fade = [(picture * share).astype(np.uint8) for share in np.linspace(0, 1, 25)]
    assert cuts(fade + fade[::-1]) == [0]


def test_a_cut_into_fast_action_is_found_and_the_action_is_none() -> None:
    rng = np.random.default_rng(10)
    wide = scene(11, width=600, detail=12)
    shaken = [wide[:, start : start + 96] for start in 200 + rng.integers(-6, 7, 20)]
    assert cuts(shot(12, 12) + shaken) == [0, 12]


def test_a_cut_from_black_is_found() -> None:
    assert cuts([np.zeros_like(scene(0))] * 6 + shot(13, 6)) == [0, 6]


def test_the_detector_answers_a_fixed_number_of_frames_later() -> None:
    detector = CutDetector()
    planes = [color.lightness_from_rgb(frame) for frame in shot(14, 5) + shot(15, 5)]
    answers = [detector.update(plane) for plane in planes]
    assert answers[: REACH - 1] == [None] * (REACH - 1)
    assert [*answers[REACH - 1 :], *detector.finish()] == [i in (0, 5) for i in range(10)]
    assert list(detector.finish()) == []


def test_the_size_of_frames_may_change_with_the_shot() -> None:
    assert cuts(shot(16, 5) + [scene(17, 40, 30)] * 5) == [0, 5]

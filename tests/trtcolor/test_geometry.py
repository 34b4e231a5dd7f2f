"""Sizes hold for every frame, however small, odd or long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.geometry import (
    checked_render,
    chroma_size,
    crop,
    network_size,
    pad_edges,
    padded_size,
    plan_render,
)
from trtcolor.spec import SizeRule

sides = st.integers(1, 12_000)
frames = st.tuples(sides, sides)
scales = st.sampled_from([1, 2, 4])
shorter_sides = st.integers(1, 3000)


def rule(scale: int = 2, multiple: int = 8, render_size: int | None = None) -> SizeRule:
    return SizeRule(multiple, scale, 224, render_size=render_size)


@given(frames, scales, shorter_sides)
def test_network_size_never_enlarges_and_is_the_frame_or_a_multiple(
    frame: tuple[int, int], scale: int, shorter: int
) -> None:
    size = network_size(frame, shorter, scale)
    assert 1 <= size[0] <= frame[0]
    assert 1 <= size[1] <= frame[1]
    assert size == frame or (size[0] % scale == 0 and size[1] % scale == 0)


@given(frames, scales, shorter_sides)
def test_network_size_has_the_shorter_side_asked_for_within_one_chroma_sample(
    frame: tuple[int, int], scale: int, shorter: int
) -> None:
    size = network_size(frame, shorter, scale)
    if min(frame) <= shorter:
        assert size == frame
    elif shorter >= scale and size != frame:
        assert abs(min(size) - shorter) < scale
        if shorter % scale == 0:
            assert min(size) == shorter


@given(frames, scales, shorter_sides)
def test_network_size_keeps_the_aspect_within_one_chroma_sample(
    frame: tuple[int, int], scale: int, shorter: int
) -> None:
    size = network_size(frame, shorter, scale)
    if size != frame and shorter >= scale:
        factor = shorter / min(frame)
        for side, reduced in zip(frame, size, strict=True):
            assert abs(reduced - side * factor) < scale


@given(frames, scales, st.integers(1, 4), st.one_of(shorter_sides, st.just("full")))
def test_plan_pads_up_to_the_multiple_and_crops_chroma_to_what_it_covers(
    frame: tuple[int, int], scale: int, times: int, render: int | str
) -> None:
    multiple = scale * times
    plan = plan_render(frame, rule(scale, multiple), render)  # type: ignore[arg-type]
    for network, padded, chroma in zip(plan.network, plan.padded, plan.chroma, strict=True):
        assert padded % multiple == 0
        assert 0 <= padded - network < multiple
        assert (chroma - 1) * scale < network <= chroma * scale
        assert chroma <= padded // scale
    if plan.network == frame:
        assert plan.merge_scale == scale
    else:
        assert plan.merge_scale is None
        assert plan.network == (plan.chroma[0] * scale, plan.chroma[1] * scale)


def test_auto_render_takes_the_models_size_and_full_size_without_one() -> None:
    assert plan_render((480, 640), rule(render_size=240), "auto").network == (240, 320)
    assert plan_render((480, 640), rule(), "auto").network == (480, 640)
    assert plan_render((480, 640), rule(render_size=240), "full").network == (480, 640)
    assert plan_render((480, 640), rule(render_size=240), 120).network == (120, 160)


@pytest.mark.parametrize("frame", [(1, 1), (10_000, 1), (1, 10_000), (223, 5), (224, 9_999)])
def test_a_frame_whose_shorter_side_is_small_enough_is_seen_at_full_size(
    frame: tuple[int, int],
) -> None:
    plan = plan_render(frame, rule(), 224)
    assert plan.network == frame
    assert plan.merge_scale == 2


def test_a_long_frame_is_reduced_by_its_shorter_side() -> None:
    assert plan_render((10_000, 448), rule(), 224).network == (5000, 224)


def test_a_render_size_below_one_chroma_sample_gives_one_sample() -> None:
    assert plan_render((100, 100), rule(scale=4), 1).network == (4, 4)


@pytest.mark.parametrize("render", [0, -1, 1.5, True, "half", None])
def test_a_render_that_is_no_size_is_refused(render: object) -> None:
    with pytest.raises(ValueError, match=r"render is .* was needed"):
        checked_render(render)


def test_numpy_integers_are_render_sizes() -> None:
    assert checked_render(np.int64(224)) == 224


@pytest.mark.parametrize("frame", [(0, 5), (5, 0)])
def test_an_empty_frame_is_refused(frame: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1x1"):
        plan_render(frame, rule())


def test_a_chroma_scale_that_cannot_be_merged_is_refused() -> None:
    with pytest.raises(ValueError, match="chroma scale of 8"):
        plan_render((8, 8), rule(scale=8))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
def test_padding_repeats_the_last_row_and_column_and_cropping_undoes_it(
    height: int, width: int, below: int, right: int
) -> None:
    planes = np.random.default_rng(0).random((2, 1, height, width), np.float32)
    size = (height + below, width + right)
    padded = pad_edges(planes, size)
    assert padded.shape == (2, 1, *size)
    rows = np.minimum(np.arange(size[0]), height - 1)
    columns = np.minimum(np.arange(size[1]), width - 1)
    np.testing.assert_array_equal(padded, planes[:, :, rows[:, None], columns])
    np.testing.assert_array_equal(crop(padded, (height, width)), planes)


def test_padding_takes_single_planes_and_leaves_full_ones_as_they_are() -> None:
    plane = np.ones((3, 5), np.float32)
    assert pad_edges(plane, (8, 8)).shape == (8, 8)
    assert pad_edges(plane, (3, 5)) is plane


def test_padding_to_less_is_refused() -> None:
    with pytest.raises(ValueError, match="never crops"):
        pad_edges(np.ones((3, 5), np.float32), (8, 4))


def test_padded_and_chroma_sizes_round_up() -> None:
    assert padded_size((1, 17), 8) == (8, 24)
    assert chroma_size((1, 17), 4) == (1, 5)

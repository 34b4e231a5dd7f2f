"""Profiles say which sizes an engine takes, in text width first and in tensors height first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.bundle import open_bundle
from trtcolor.engines.profile import ShapeProfile, default_profiles, input_ranges
from trtcolor.geometry import plan_render
from trtcolor.spec import LARGEST_SIDE, ModelSpec, SizeRule

LIGHTNESS = {"lightness": (-1, 1, -1, -1)}


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return open_bundle().spec


@st.composite
def profiles(draw: st.DrawFn) -> ShapeProfile:
    axes = [
        sorted(draw(st.lists(st.integers(1, largest), min_size=3, max_size=3)))
        for largest in (1024, LARGEST_SIDE, LARGEST_SIDE)
    ]
    return ShapeProfile(*zip(*axes, strict=True))


def test_the_width_comes_first_in_text_and_last_in_tensors() -> None:
    assert ShapeProfile.parse("64x32:640x480:4x2048x1024") == ShapeProfile(
        (1, 32, 64), (1, 480, 640), (4, 1024, 2048)
    )


def test_one_number_is_a_square_and_one_entry_a_fixed_size() -> None:
    assert ShapeProfile.parse("64:128:2048") == ShapeProfile(
        (1, 64, 64), (1, 128, 128), (1, 2048, 2048)
    )
    assert ShapeProfile.parse("320x256") == ShapeProfile(*[(1, 256, 320)] * 3)


@given(profiles())
def test_the_text_of_a_profile_is_read_back_as_the_same(profile: ShapeProfile) -> None:
    assert ShapeProfile.parse(str(profile)) == profile


@pytest.mark.parametrize(
    "text", ["", "64:128", "64:128:256:512", "64:x:128", "1x2x3x4", "-64", "64,128,256", "64:1e3:2"]
)
def test_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"MIN:OPT:MAX was needed.*64:640x480:2048"):
        ShapeProfile.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("64:512x64:256x2048", "width 64, then 512, then 256; MIN <= OPT <= MAX"),
        ("4x64x64:64:64", "batch 4, then 1, then 1"),
        ("0:64:64", "minimum is"),
        ("64:64:16385", "maximum is"),
        ("64:64:1025x64x64", "batch from 1 to 1024"),
    ],
)
def test_what_no_engine_could_have_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ShapeProfile.parse(text)


def test_sides_that_are_no_multiples_are_refused_with_the_padded_ones_named() -> None:
    rule = SizeRule(multiple=32, chroma_scale=2, training_size=128)
    ShapeProfile.parse("32:640x480:1920x1088").check(rule)
    with pytest.raises(ValueError, match=r"multiples of 32.*give 64x64:640x480:1920x1088$"):
        ShapeProfile.parse("60:640x480:1920x1080").check(rule)


@given(height=st.integers(1, 2048), width=st.integers(1, 2048), multiple=st.integers(1, 64))
def test_the_default_profile_admits_every_frame_up_to_2048(
    spec: ModelSpec, height: int, width: int, multiple: int
) -> None:
    rule = SizeRule(multiple, 1, 128, global_size=128)
    (profile,) = default_profiles(replace(spec, size=rule))
    profile.check(rule)
    assert profile.admits((1, *plan_render((height, width), rule, "full").padded))
    assert not profile.admits((2, *profile.optimum[1:]))


def test_the_smallest_size_of_the_default_profile_is_that_of_the_smallest_frame(
    spec: ModelSpec,
) -> None:
    (profile,) = default_profiles(spec)
    assert profile.minimum[1:] == plan_render((1, 1), spec.size).padded


def test_the_default_optimum_is_what_frames_are_rendered_at(spec: ModelSpec) -> None:
    rule = spec.size
    for size, side in ((512, 512), (None, 512), (100, 128), (4000, 4000)):
        (profile,) = default_profiles(replace(spec, size=replace(rule, render_size=size)))
        assert profile.optimum == (1, side, side)
        assert profile.maximum == (1, max(side, 2048), max(side, 2048))


def test_a_graph_keeps_its_fixed_axes_and_takes_the_others_from_the_profile() -> None:
    profile = ShapeProfile.parse("64x32:640x480:4x2048x1024")
    inputs = {"lightness": (-1, 1, -1, -1), "global_features": (-1, 256)}
    assert input_ranges(inputs, [profile]) == (
        {
            "lightness": ((1, 1, 32, 64), (1, 1, 480, 640), (4, 1, 1024, 2048)),
            "global_features": ((1, 256), (1, 256), (4, 256)),
        },
    )
    (fixed,) = input_ranges({"lightness": (-1, 1, 224, 224)}, [profile])
    assert fixed["lightness"] == ((1, 1, 224, 224), (1, 1, 224, 224), (4, 1, 224, 224))


def test_profiles_that_mean_the_same_for_a_graph_are_one() -> None:
    two = [ShapeProfile.parse("64:128:256"), ShapeProfile.parse("256:512:1024")]
    assert len(input_ranges(LIGHTNESS, two)) == 2
    assert len(input_ranges({"lightness": (-1, 1, 224, 224)}, two)) == 1


def test_another_dynamic_axis_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'lightness' has the shape \(-1, -1, -1, -1\)"):
        input_ranges({"lightness": (-1, -1, -1, -1)}, [ShapeProfile.parse("64")])

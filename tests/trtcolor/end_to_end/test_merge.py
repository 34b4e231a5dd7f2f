"""The graph behind the network lays chroma under lightness as `trtcolor.color.merge_lab` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sessions import assert_same_colours, run, session

from trtcolor import color
from trtcolor.bundle import read_spec
from trtcolor.end_to_end.steps import Gamut, merge_graph
from trtcolor.geometry import Render, plan_render

MakeBundle = Callable[..., Path]
ONE = np.ones(1, np.float32)
GAMUTS: list[Gamut] = ["reduce", "clip"]


def merged(
    folder: Path,
    lightness: NDArray[np.float32],
    chroma: NDArray[np.float32],
    *,
    saturation: NDArray[np.float32] = ONE,
    **options: Any,
) -> NDArray[np.uint8]:
    """(H, W) and (2, h, w) -> (H, W, 3)."""
    model = merge_graph(read_spec(folder), **options)
    rgb: NDArray[np.uint8] = run(
        model, lightness=lightness[None, None], chroma=chroma[None], saturation=saturation
    )["rgb"][0]
    return rgb


@pytest.mark.parametrize("gamut", GAMUTS)
@pytest.mark.parametrize("reach", [30.0, 110.0, 300.0])
def test_colours_in_and_outside_srgb_come_out_as_from_the_kernels(
    make_bundle: MakeBundle, gamut: Gamut, reach: float
) -> None:
    rng = np.random.default_rng(0)
    lightness = rng.uniform(0, 100, (700, 700)).astype(np.float32)
    chroma = rng.uniform(-reach, reach, (2, 700, 700)).astype(np.float32)
    found = merged(make_bundle(scale=1), lightness, chroma, gamut=gamut)
    assert_same_colours(found, color.merge_lab(lightness, chroma, scale=1, gamut=gamut))


def test_pale_yellows_whose_rays_graze_the_gamut_are_as_close_as_the_kernels_to_each_other(
    make_bundle: MakeBundle, every_variant: str
) -> None:
    lightness, hue = np.meshgrid(np.linspace(92, 99, 500), np.radians(np.linspace(96, 109, 500)))
    lightness = lightness.astype(np.float32)
    for reach in (60, 90, 200):
        chroma = (reach * np.stack([np.cos(hue), np.sin(hue)])).astype(np.float32)
        found = merged(make_bundle(f"reach{reach}", scale=1), lightness, chroma)
        distance = np.abs(found.astype(int) - color.merge_lab(lightness, chroma, scale=1))
        assert (distance > 1).mean() < 1e-5


@pytest.mark.parametrize("gamut", GAMUTS)
def test_every_17th_colour_comes_back(make_bundle: MakeBundle, gamut: Gamut) -> None:
    number = np.arange(0, 2**24, 17)
    colours = np.stack([number >> 16, number >> 8 & 255, number & 255], -1).astype(np.uint8)
    lab = color.lab_from_rgb(colours[None])
    found = merged(make_bundle(scale=1), lab[..., 0], np.moveaxis(lab[..., 1:], -1, 0), gamut=gamut)
    assert np.abs(found.astype(int) - colours).max() <= 1
    assert (found != colours).mean() < 1e-3


def test_each_grey_comes_back_without_a_tint(make_bundle: MakeBundle) -> None:
    greys = np.arange(256, dtype=np.uint8)[None]
    lightness = color.lightness_from_grey(greys)
    found = merged(make_bundle(scale=1), lightness, np.zeros((2, 1, 256), np.float32))
    np.testing.assert_array_equal(found, greys[..., None].repeat(3, axis=-1))


@pytest.mark.parametrize("render", ["full", 20, 3, "auto"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_chroma_of_any_size_is_laid_where_it_belongs(
    make_bundle: MakeBundle, scale: int, render: Render
) -> None:
    spec = read_spec(make_bundle(scale=scale, multiple=8, render_size=12))
    merge = session(merge_graph(spec, render=render))

    @settings(max_examples=40)
    @given(st.integers(1, 99), st.integers(1, 99), st.integers(0, 99), st.booleans())
    def check(height: int, width: int, seed: int, padded: bool) -> None:
        rng = np.random.default_rng(seed)
        plan = plan_render((height, width), spec.size, render)
        lightness = rng.uniform(0, 100, (2, 1, height, width)).astype(np.float32)
        sides = [side // scale for side in plan.padded]
        whole = rng.uniform(-60, 60, (2, 2, *sides)).astype(np.float32)
        chroma = whole[:, :, : plan.chroma[0], : plan.chroma[1]]
        feeds = {
            "lightness": lightness,
            "chroma": whole if padded else chroma,
            "saturation": np.float32([1.5]),
        }
        (found,) = merge.run(None, feeds)
        for index in range(2):
            expected = color.merge_lab(
                lightness[index, 0], 1.5 * chroma[index], scale=plan.merge_scale
            )
            assert_same_colours(found[index], expected)

    check()


@pytest.mark.parametrize("gamut", GAMUTS)
def test_chroma_that_is_no_number_or_huge_is_taken_as_the_kernels_take_it(
    make_bundle: MakeBundle, gamut: Gamut
) -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 1e30, -2000, 0, -0.0, 1e-30], np.float32)
    chroma = np.stack(np.meshgrid(odd, odd))
    lightness = np.linspace(0, 100, 64, dtype=np.float32).reshape(8, 8)
    found = merged(make_bundle(scale=1), lightness, chroma, gamut=gamut)
    assert_same_colours(found, color.merge_lab(lightness, chroma, scale=1, gamut=gamut))


def test_a_saturation_of_0_is_grey(make_bundle: MakeBundle) -> None:
    lightness = np.linspace(0, 100, 256, dtype=np.float32)[None]
    chroma = np.full((2, 1, 128), 50, np.float32)
    found = merged(make_bundle(), lightness, chroma, saturation=np.zeros(1, np.float32))
    assert (found.max(axis=-1) == found.min(axis=-1)).all()


def test_a_gamut_is_reduce_or_clip(make_bundle: MakeBundle) -> None:
    with pytest.raises(ValueError, match="'reduce' or 'clip'"):
        merge_graph(read_spec(make_bundle()), gamut="p3")  # type: ignore[arg-type]

"""The graph before the network sees frames as the Colorizer's first step does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument
from sessions import run, session

from trtcolor import color
from trtcolor.colorizer import Colorizer
from trtcolor.end_to_end.steps import Channels, prepare_graph
from trtcolor.geometry import Render

MakeBundle = Callable[..., Path]
SIDES = st.one_of(st.integers(1, 40), st.integers(1, 300))


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("rule", "render"),
    [
        ({"scale": 2, "multiple": 8, "global_size": 24, "render_size": 16}, "auto"),
        ({"scale": 2, "multiple": 8, "global_size": 24, "render_size": 16}, "full"),
        ({"scale": 4, "multiple": 4, "render_size": 3}, "auto"),
        ({"scale": 1, "multiple": 1}, "auto"),
        ({"scale": 1, "multiple": 5}, 33),
        ({"scale": 4, "multiple": 12, "global_size": 7}, 1),
    ],
)
def test_any_size_is_seen_as_by_the_colorizer(
    make_bundle: MakeBundle, rule: dict[str, int], render: Render
) -> None:
    colorizer = Colorizer(make_bundle(joint=False, **rule), render=render)
    prepare = session(prepare_graph(colorizer.spec, render=render, channels=3))

    @settings(max_examples=40)
    @given(SIDES, SIDES, st.integers(0, 99))
    def check(height: int, width: int, seed: int) -> None:
        frames = noise(2, height, width, 3, seed=seed)
        lightness, seen, *square = prepare.run(None, {"frames": frames})
        for index, frame in enumerate(frames):
            expected = colorizer.prepare(frame)
            np.testing.assert_allclose(lightness[index, 0], expected.frame.lightness, atol=5e-5)
            assert seen[index].shape == expected.network_lightness[0].shape
            np.testing.assert_allclose(seen[index], expected.network_lightness[0], atol=1e-4)
            if square:
                np.testing.assert_allclose(
                    square[0][index], expected.global_lightness[0], atol=1e-4
                )

    check()


@pytest.mark.parametrize("size", [(16384, 3), (5, 16383), (4001, 4099)])
def test_large_frames_keep_their_place(make_bundle: MakeBundle, size: tuple[int, int]) -> None:
    colorizer = Colorizer(make_bundle(global_size=24, joint=False), render=96)
    frame = noise(*size, 1)
    found = run(prepare_graph(colorizer.spec, render=96, channels=1), frames=frame[None])
    expected = colorizer.prepare(frame)
    np.testing.assert_allclose(found["network_lightness"], expected.network_lightness, atol=1e-4)
    np.testing.assert_allclose(found["global_lightness"], expected.global_lightness, atol=1e-4)


@pytest.mark.parametrize("channels", [1, None])
def test_each_grey_has_its_lightness(make_bundle: MakeBundle, channels: Channels) -> None:
    spec = Colorizer(make_bundle()).spec
    greys = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    found = run(prepare_graph(spec, channels=channels), frames=greys)["lightness"]
    expected = color.lightness_from_grey(greys[0, ..., 0])
    if channels == 1:
        np.testing.assert_array_equal(found[0, 0], expected)
    np.testing.assert_allclose(found[0, 0], expected, atol=2e-5)


def test_every_17th_colour_has_its_lightness(make_bundle: MakeBundle) -> None:
    spec = Colorizer(make_bundle()).spec
    number = np.arange(0, 2**24, 17)
    colours = np.stack([number >> 16, number >> 8 & 255, number & 255], -1).astype(np.uint8)
    found = run(prepare_graph(spec, render=8, channels=3), frames=colours[None, None])
    expected = color.lightness_from_rgb(colours[None])
    np.testing.assert_allclose(found["lightness"][0, 0], expected, atol=5e-5)


def test_grey_and_colour_share_a_graph(make_bundle: MakeBundle) -> None:
    spec = Colorizer(make_bundle()).spec
    either = prepare_graph(spec, channels=None)
    for channels in (1, 3):
        frames = noise(2, 21, 34, channels)
        expected = run(prepare_graph(spec, channels=channels), frames=frames)
        for name, found in run(either, frames=frames).items():
            np.testing.assert_allclose(found, expected[name], atol=2e-5)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_another_number_of_channels_fails(make_bundle: MakeBundle, channels: int) -> None:
    spec = Colorizer(make_bundle()).spec
    frames = noise(1, 9, 8, channels)
    with pytest.raises(InvalidArgument):
        run(prepare_graph(spec, channels=3), frames=frames)
    with pytest.raises(Fail, match="cannot be reshaped"):
        run(prepare_graph(spec, channels=None), frames=frames)


@pytest.mark.parametrize("channels", [0, 2, 4, "3", 3.5])
def test_channels_are_one_or_three(make_bundle: MakeBundle, channels: Channels) -> None:
    spec = Colorizer(make_bundle()).spec
    with pytest.raises(ValueError, match="1 for grey, 3 for RGB or None for either"):
        prepare_graph(spec, channels=channels)


@pytest.mark.parametrize("render", [0, -3, "half", True, 2.5])
def test_a_render_size_is_a_number_of_pixels(make_bundle: MakeBundle, render: Render) -> None:
    spec = Colorizer(make_bundle()).spec
    with pytest.raises(ValueError, match="a positive number of pixels"):
        prepare_graph(spec, render=render, channels=3)

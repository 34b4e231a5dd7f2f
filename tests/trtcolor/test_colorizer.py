"""A frame of any kind and size comes out coloured, with the lightness that it came with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import picture
from numpy.typing import NDArray

from trtcolor import Colorizer, color
from trtcolor.errors import BackendError, BundleError, UnknownModelError

MakeBundle = Callable[..., Path]
SIZES = [(1, 1), (1, 9), (7, 1), (17, 23), (8, 8), (33, 16)]


def true_lightness(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """CIE L* in float64 from the lines of DESIGN.md, of (H, W) grey or (H, W, 3) sRGB."""
    code = rgb.astype(np.float64) / np.iinfo(rgb.dtype).max
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    weights = np.array([0.212671, 0.715160, 0.072169])
    y = linear if rgb.ndim == 2 else linear @ (weights / weights.sum())
    small = (6 / 29) ** 3
    return 116 * np.where(y > small, np.cbrt(y), y / (3 * (6 / 29) ** 2) + 4 / 29) - 16


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_any_size_comes_out_coloured_at_that_size(
    size: tuple[int, int], scale: int, make_bundle: MakeBundle
) -> None:
    coloured = Colorizer(make_bundle(scale=scale)).colorize(60 + picture(*size) // 2)
    assert coloured.shape == (*size, 3)
    assert coloured.dtype == np.uint8
    assert (coloured[..., 0] != coloured[..., 2]).any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("render", ["full", 8])
def test_the_lightness_that_came_in_goes_out(
    size: tuple[int, int], dtype: type, render: Any, colorizer: Colorizer
) -> None:
    grey = picture(*size, dtype=dtype)
    coloured = colorizer.colorize(grey, render=render, saturation=3)
    change = np.abs(true_lightness(coloured) - true_lightness(grey))
    assert change.max() <= (0.6 if dtype == np.uint8 else 0.01)


def test_a_reduced_network_size_gives_about_the_same_colours_as_the_full_one(
    colorizer: Colorizer,
) -> None:
    ramp = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    full, half = (colorizer.colorize(ramp, render=size) for size in ("full", 32))
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(full[inner].astype(int) - half[inner]).max() <= 6


def test_predicted_chroma_is_the_networks_on_the_edge_padded_frame(
    make_bundle: MakeBundle,
) -> None:
    low = np.random.default_rng(5).normal(0, 0.1, (2, 1, 3, 3)).astype(np.float32)
    bias = np.array([3, -4], np.float32)
    colorizer = Colorizer(make_bundle(weights={"low": low, "low_bias": bias}))
    frame = picture(13, 18)
    chroma = colorizer.predict(colorizer.prepare(frame))
    padded = np.pad(color.lightness_from_grey(frame), ((0, 3), (0, 6)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(padded, 1), (3, 3))
    for plane, weights, shift in zip(chroma, low[:, 0], bias.tolist(), strict=True):
        expected = (windows * weights).sum(axis=(2, 3))[::2, ::2] + shift
        np.testing.assert_allclose(plane, expected[:7, :9], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colorize_is_prepare_predict_and_merge_in_a_row(dtype: type, colorizer: Colorizer) -> None:
    frame = picture(19, 30, 3, dtype=dtype)
    prepared = colorizer.prepare(frame)
    merged = colorizer.merge(prepared, colorizer.predict(prepared), saturation=0.5)
    np.testing.assert_array_equal(merged, colorizer.colorize(frame, saturation=0.5))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_kept_as_it_was(dtype: type, channels: int, colorizer: Colorizer) -> None:
    frame = picture(9, 11, channels, dtype=dtype)
    coloured = colorizer.colorize(frame)
    assert coloured.shape == (9, 11, 4)
    assert coloured.dtype == dtype
    np.testing.assert_array_equal(coloured[..., 3], frame[..., -1])
    np.testing.assert_array_equal(coloured[..., :3], colorizer.colorize(frame[..., : channels - 1]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_comes_out_the_same_in_whatever_layout_it_came(
    dtype: type, colorizer: Colorizer
) -> None:
    grey = picture(9, 11, dtype=dtype)
    expected = colorizer.colorize(grey).astype(int)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(colorizer.colorize(grey[..., None]), expected)
    assert np.abs(colorizer.colorize(rgb) - expected).max() <= 1
    flipped = np.ascontiguousarray(grey[:, ::-1])[:, ::-1]
    np.testing.assert_array_equal(colorizer.colorize(flipped), expected)


def test_a_colour_frame_is_seen_as_its_lightness(colorizer: Colorizer) -> None:
    frame = picture(9, 11, 3)
    np.testing.assert_array_equal(
        colorizer.prepare(frame).frame.lightness, color.lightness_from_rgb(frame)
    )


def test_the_frame_that_came_is_not_changed(colorizer: Colorizer) -> None:
    frame = picture(9, 11, 4)
    before = frame.copy()
    frame.flags.writeable = False
    colorizer.colorize(frame)
    np.testing.assert_array_equal(frame, before)


def test_saturation_zero_gives_the_grey_frame_back(colorizer: Colorizer) -> None:
    for dtype in (np.uint8, np.uint16):
        grey = picture(16, 16, dtype=dtype)
        out = colorizer.colorize(grey, saturation=0).astype(int)
        assert np.abs(out - grey[..., None].astype(int)).max() <= 1
        assert (out[..., 0] == out[..., 2]).all()


def test_saturation_multiplies_chroma(colorizer: Colorizer) -> None:
    frame = picture(16, 16)
    prepared = colorizer.prepare(frame)
    chroma = colorizer.predict(prepared)
    np.testing.assert_array_equal(
        colorizer.merge(prepared, chroma, saturation=2), colorizer.merge(prepared, 2 * chroma)
    )


@pytest.mark.parametrize("saturation", [-0.1, 10.1, float("nan"), float("inf")])
def test_a_saturation_out_of_range_is_refused(saturation: float, colorizer: Colorizer) -> None:
    with pytest.raises(ValueError, match=r"saturation is .* from 0 to 10"):
        colorizer.colorize(picture(8, 8), saturation=saturation)


def test_clipping_does_not_keep_lightness_but_reducing_does(make_bundle: MakeBundle) -> None:
    folder, grey = make_bundle(), picture(16, 16)
    change = {}
    for gamut in ("clip", "reduce"):
        coloured = Colorizer(folder, gamut=gamut).colorize(grey, saturation=10)
        change[gamut] = np.abs(true_lightness(coloured) - true_lightness(grey)).max()
    assert change["reduce"] <= 0.6 < change["clip"]


def test_joint_bilateral_chroma_keeps_lightness_and_differs_at_borders(
    make_bundle: MakeBundle,
) -> None:
    folder, grey = make_bundle(), picture(33, 47)
    bilinear, along_borders = (
        Colorizer(folder, render=16, upsampling=way).colorize(grey)
        for way in ("bilinear", "joint-bilateral")
    )
    assert (bilinear != along_borders).any()
    assert np.abs(true_lightness(along_borders) - true_lightness(grey)).max() <= 0.6


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        ([[1, 2]], TypeError, "list came"),
        (np.zeros((4, 4)), TypeError, "float64 came"),
        (np.zeros((4, 4), bool), TypeError, "bool came"),
        (np.zeros((4, 4), np.int16), TypeError, "int16 came"),
        (np.zeros(4, np.uint8), ValueError, "put the channels last"),
        (np.zeros((4, 4, 5), np.uint8), ValueError, "put the channels last"),
        (np.zeros((4, 4, 0), np.uint8), ValueError, "put the channels last"),
        (np.zeros((1, 4, 4, 3), np.uint8), ValueError, "put the channels last"),
        (np.zeros((0, 4), np.uint8), ValueError, "at least 1x1"),
        (np.zeros((4, 0, 3), np.uint8), ValueError, "at least 1x1"),
    ],
)
def test_what_is_no_frame_is_refused(
    frame: Any, error: type[Exception], message: str, colorizer: Colorizer
) -> None:
    with pytest.raises(error, match=message) as caught:
        colorizer.colorize(frame)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_an_error_and_not_a_grey_frame(
    value: float, make_bundle: MakeBundle
) -> None:
    folder = make_bundle(weights={"low_bias": np.array([0, value], np.float32)})
    with pytest.raises(BackendError, match="gave chroma that is not finite"):
        Colorizer(folder).colorize(picture(8, 8))


def test_a_network_with_another_grid_than_its_spec_is_refused(make_bundle: MakeBundle) -> None:
    from trtcolor.spec import SizeRule

    folder = make_bundle(scale=2, size=SizeRule(8, 4, 32))
    with pytest.raises(BackendError, match=r"chroma of shape \(1, 2, 4, 4\)"):
        Colorizer(folder).colorize(picture(8, 8))


def test_a_chroma_scale_that_cannot_be_merged_is_refused(make_bundle: MakeBundle) -> None:
    with pytest.raises(BundleError, match="chroma scale 8"):
        Colorizer(make_bundle(scale=8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamut": "shrink"}, "gamut is 'shrink'"),
        ({"upsampling": "nearest"}, "upsampling is 'nearest', but must be one of bilinear, joint"),
        ({"render": 0}, "render is 0"),
        ({"backend": "abacus"}, "backend is 'abacus'"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_a_wrong_argument_is_refused(
    arguments: dict[str, Any], message: str, make_bundle: MakeBundle
) -> None:
    with pytest.raises(ValueError, match=message):
        Colorizer(make_bundle(), **arguments)


def test_an_altered_or_unknown_model_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    with (folder / "weights.bin").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(BundleError, match="SHA-256"):
        Colorizer(folder)
    with pytest.raises(UnknownModelError):
        Colorizer("no-such-model")


def test_a_closed_colorizer_refuses(make_bundle: MakeBundle) -> None:
    with Colorizer(make_bundle()) as colorizer:
        colorizer.colorize(picture(8, 8))
    with pytest.raises(BackendError, match="closed"):
        colorizer.colorize(picture(8, 8))


def test_two_colorizers_in_threads_do_not_disturb_each_other(make_bundle: MakeBundle) -> None:
    frames = [picture(40 + i, 50 - i, seed=i) for i in range(8)]
    pair = [Colorizer(make_bundle(f"model-{i}", seed=i), threads=1) for i in range(2)]
    expected = [[one.colorize(frame) for frame in frames] for one in pair]
    found: dict[int, list[NDArray[Any]]] = {}

    def work(worker: int) -> None:
        found[worker] = [pair[worker % 2].colorize(frame) for frame in frames]

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    for worker in range(4):
        for frame, reference in zip(found[worker], expected[worker % 2], strict=True):
            np.testing.assert_array_equal(frame, reference)

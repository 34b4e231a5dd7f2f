"""trtcolor.color against float64 NumPy written from the definition.

Every test runs on every variant of the kernels that this processor has.
"""

import numpy as np
import pytest
from colour_draws import in_gamut, random_lab
from colour_truth import (
    WHITE,
    coded,
    true_lab,
    true_linear,
    true_linear_from_luv,
    true_luv,
    true_rgb,
)

from trtcolor import color

pytestmark = pytest.mark.usefixtures("every_variant")


# ---- accuracy ------------------------------------------------------------------------------


def test_all_colours_are_within_2e_4_and_come_back_exactly():
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    for red in range(256):
        rgb = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
        lab = color.lab_from_rgb(rgb)
        assert np.abs(lab - true_lab(rgb / 255)).max() <= 2e-4
        assert np.array_equal(color.rgb_from_lab(lab), rgb)
        assert np.array_equal(color.rgb_from_lab(lab, gamut="reduce"), rgb)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_primaries_have_their_published_lab_values(rgb, lab):
    got = color.lab_from_rgb(np.array([[rgb]], np.uint8))
    np.testing.assert_allclose(got[0, 0], lab, atol=0.02)


def test_greys_have_no_chroma():
    codes = np.arange(256, dtype=np.uint8)
    grey = np.repeat(codes[None, :, None], 3, axis=2)
    assert np.abs(color.lab_from_rgb(grey)[..., 1:]).max() <= 1e-4
    ramp = np.repeat(np.linspace(0, 1, 99_999, dtype=np.float32)[None, :, None], 3, axis=2)
    assert np.abs(color.lab_from_rgb(ramp)[..., 1:]).max() <= 1e-4


def test_float_rgb_is_within_2e_4():
    rgb = np.random.default_rng(1).random((600, 601, 3), np.float32)
    rgb[:100] *= 0.05
    lab = color.lab_from_rgb(rgb)
    assert np.abs(lab - true_lab(rgb.astype(np.float64))).max() <= 2e-4


def test_rgb_from_any_lab_is_within_1_as_uint8_and_1e_4_as_float():
    lab = random_lab(np.random.default_rng(2), 700, 701, reach=130.0)
    truth = true_rgb(lab.astype(np.float64))
    assert np.abs(color.rgb_from_lab(lab) - np.rint(255 * truth)).max() <= 1
    assert np.abs(color.rgb_from_lab(lab, dtype=np.float32) - truth).max() <= 1e-4


def test_rgb_from_lab_in_gamut_differs_from_float64_on_5e_5_of_the_bytes_at_most():
    lab = random_lab(np.random.default_rng(20), 1500, 1501, reach=100.0)
    lab = lab[in_gamut(true_linear(lab.astype(np.float64)))][None]
    assert lab.shape[1] > 400_000
    wanted = np.rint(255 * true_rgb(lab.astype(np.float64)))
    assert (color.rgb_from_lab(lab) != wanted).mean() <= 5e-5


def test_uint8_is_the_float_result_rounded_to_nearest():
    lab = random_lab(np.random.default_rng(3), 700, 701, reach=130.0)
    exact = 255 * color.rgb_from_lab(lab, dtype=np.float32).astype(np.float64)
    assert np.abs(color.rgb_from_lab(lab) - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_lightness_from_grey_is_within_5e_5_for_every_code(dtype):
    if dtype == np.float32:
        codes, top = np.linspace(0, 1, 65536, dtype=dtype), 1
    else:
        top = np.iinfo(dtype).max
        codes = np.arange(top + 1, dtype=dtype)
    truth = true_lab(np.repeat(codes[:, None] / np.float64(top), 3, axis=1))[:, 0]
    assert np.abs(color.lightness_from_grey(codes[None])[0] - truth).max() <= 5e-5


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_lightness_from_rgb_is_the_first_channel_of_lab(dtype):
    rgb = np.random.default_rng(4).integers(0, 256, (33, 35, 3)).astype(dtype)
    if dtype == np.float32:
        rgb /= 255
    assert np.array_equal(color.lightness_from_rgb(rgb), color.lab_from_rgb(rgb)[..., 0])


def test_luv_is_within_3e_4_and_comes_back_exactly():
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    for red in range(0, 256, 15):
        rgb = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
        luv = color.luv_from_rgb(rgb)
        assert np.abs(luv - true_luv(rgb / 255)).max() <= 3e-4
        assert np.array_equal(color.rgb_from_luv(luv), rgb)
        assert np.array_equal(color.rgb_from_luv(luv, gamut="reduce"), rgb)
    rgb = np.random.default_rng(21).random((300, 301, 3), np.float32)
    luv = color.luv_from_rgb(rgb)
    assert np.abs(luv - true_luv(rgb.astype(np.float64))).max() <= 3e-4
    assert np.abs(color.rgb_from_luv(luv, dtype=np.float32) - rgb).max() <= 1e-5


@pytest.mark.parametrize(
    ("rgb", "luv"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 175.01, 37.75)),
        ((0, 255, 0), (87.73, -83.08, 107.40)),
        ((0, 0, 255), (32.30, -9.40, -130.34)),
    ],
)
def test_primaries_have_their_published_luv_values(rgb, luv):
    got = color.luv_from_rgb(np.array([[rgb]], np.uint8))
    np.testing.assert_allclose(got[0, 0], luv, atol=0.05)


def test_greys_have_no_chroma_in_luv():
    codes = np.arange(256, dtype=np.uint8)
    grey = np.repeat(codes[None, :, None], 3, axis=2)
    assert np.abs(color.luv_from_rgb(grey)[..., 1:]).max() <= 1e-4


def test_rgb_from_luv_out_of_gamut_is_within_1_of_the_clipped_truth():
    luv = random_lab(np.random.default_rng(22), 300, 301, reach=130.0)
    luv[..., 0] = luv[..., 0].clip(20, None)
    truth = coded(true_linear_from_luv(luv.astype(np.float64)).clip(0, 1))
    luv_v = luv[..., 2] / (13 * luv[..., 0]) + 9 / (WHITE[0] + 15 + 3 * WHITE[2])
    assert (luv_v > 0.01).mean() > 0.95
    wrong = np.abs(color.rgb_from_luv(luv) - np.rint(255 * truth)).max(axis=-1) > 1
    assert not wrong[luv_v > 0.01].any()


# ---- gamut ---------------------------------------------------------------------------------


def test_reduce_keeps_lightness_and_hue_and_ends_at_the_edge_of_the_gamut():
    lab = random_lab(np.random.default_rng(5), 300, 301, reach=150.0)
    rgb = color.rgb_from_lab(lab, dtype=np.float32, gamut="reduce")
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    got, wanted = true_lab(rgb.astype(np.float64)), lab.astype(np.float64)
    assert np.abs(got[..., 0] - wanted[..., 0]).max() < 5e-3
    reach = np.hypot(wanted[..., 1], wanted[..., 2])
    off_the_ray = np.abs(got[..., 1] * wanted[..., 2] - got[..., 2] * wanted[..., 1]) / reach
    assert off_the_ray.max() < 0.1
    scale = np.hypot(got[..., 1], got[..., 2]) / reach
    assert scale.max() < 1 + 1e-3
    further = wanted.copy()
    further[..., 1:] *= (scale + 0.1 / reach)[..., None]
    # Rays of pale yellow graze a face of the gamut, where the place of their exit is ill-defined.
    hue = np.degrees(np.arctan2(wanted[..., 2], wanted[..., 1]))
    grazing = (wanted[..., 0] > 90) & (np.abs(hue - 101) < 7)
    reduced = (scale < 0.999) & ~grazing
    assert reduced.mean() > 0.5
    assert not in_gamut(true_linear(further))[reduced].any()


def test_rgb_from_luv_near_black_is_the_clipped_truth_though_it_divides_by_little():
    random = np.random.default_rng(26)
    luv = random.uniform(-100, 100, (200, 300, 3)).astype(np.float32)
    luv[..., 0] = 10 ** random.uniform(-3.7, 0.9, luv.shape[:2])  # L* 2e-4 to 8
    least = 13 * luv[..., 0] * (0.0101 - 9 / (WHITE[0] + 15 + 3 * WHITE[2]))  # v' of 0.0101
    luv[..., 2] = luv[..., 2].clip(least, None)
    truth = coded(true_linear_from_luv(luv.astype(np.float64)).clip(0, 1))
    got = color.rgb_from_luv(luv, dtype=np.float32)
    assert np.abs(got - truth).max() <= 1e-4


def test_reduce_keeps_lightness_and_hue_of_luv_and_ends_at_the_edge_of_the_gamut():
    luv = random_lab(np.random.default_rng(25), 300, 301, reach=180.0)
    rgb = color.rgb_from_luv(luv, dtype=np.float32, gamut="reduce")
    got, wanted = true_luv(rgb.astype(np.float64)), luv.astype(np.float64)
    assert np.abs(got[..., 0] - wanted[..., 0]).max() < 5e-3
    assert np.abs(got[..., 1] * wanted[..., 2] - got[..., 2] * wanted[..., 1]).max() < 1.5
    reach = np.hypot(wanted[..., 1], wanted[..., 2])
    scale = np.hypot(got[..., 1], got[..., 2]) / reach
    assert scale.max() < 1 + 1e-3
    further = wanted.copy()
    further[..., 1:] *= (scale + 0.02 / reach)[..., None]
    reduced = scale < 0.999
    assert reduced.mean() > 0.5
    assert not in_gamut(true_linear_from_luv(further))[reduced].any()


def test_reduce_leaves_luv_in_gamut_alone():
    luv = random_lab(np.random.default_rng(26), 200, 201, reach=130.0)
    inside = in_gamut(true_linear_from_luv(luv.astype(np.float64)))
    clip = color.rgb_from_luv(luv)
    reduce = color.rgb_from_luv(luv, gamut="reduce")
    assert np.array_equal(clip[inside], reduce[inside])
    assert not np.array_equal(clip, reduce)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_reduce_leaves_colours_in_gamut_alone(dtype):
    lab = random_lab(np.random.default_rng(6), 200, 201, reach=130.0)
    inside = in_gamut(true_linear(lab))
    clip = color.rgb_from_lab(lab, dtype=dtype)
    reduce = color.rgb_from_lab(lab, dtype=dtype, gamut="reduce")
    assert np.array_equal(clip[inside], reduce[inside])
    assert not np.array_equal(clip, reduce)


def test_reduce_clamps_lightness_to_black_and_white():
    lab = np.array([[[-5, 40, 40], [0, 40, 40], [100, 40, 40], [120, -9, 9]]], np.float32)
    for rgb_from in (color.rgb_from_lab, color.rgb_from_luv):
        rgb = rgb_from(lab, gamut="reduce")
        assert rgb[0].tolist() == [[0] * 3, [0] * 3, [255] * 3, [255] * 3]


# ---- what is not a colour ------------------------------------------------------------------


def test_nan_counts_as_0_and_out_of_range_floats_are_clamped():
    odd = np.array([[np.nan, -1, -np.inf, 2, np.inf]], np.float32)
    grey = color.lightness_from_grey(odd)
    assert grey.tolist() == color.lightness_from_grey(np.float32([[0, 0, 0, 1, 1]])).tolist()
    rgb = np.stack([odd, odd[:, ::-1], odd], axis=-1)
    clean = np.nan_to_num(rgb, nan=0, posinf=1, neginf=0).clip(0, 1)
    assert np.array_equal(color.lab_from_rgb(rgb), color.lab_from_rgb(clean))


@pytest.mark.parametrize("gamut", ["clip", "reduce"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_lab_that_is_not_finite_gives_a_colour(gamut, dtype):
    values = np.array([np.nan, np.inf, -np.inf, 0, 1e30, -1e30, 1e-45], np.float32)
    lab = np.stack(np.meshgrid(values, values, values), axis=-1).reshape(7, 49, 3)
    clean = np.nan_to_num(lab, nan=0).clip(-1000, 1000)
    rgb = color.rgb_from_lab(lab, gamut=gamut, dtype=dtype)
    assert np.array_equal(rgb, color.rgb_from_lab(clean, gamut=gamut, dtype=dtype))
    merged = color.merge_lab(
        lab[..., 0],
        lab[..., 1:].transpose(2, 0, 1),
        scale=1,
        gamut=gamut,
        format="rgb24" if dtype == np.uint8 else "rgbf32",
    )
    assert np.array_equal(merged, rgb)


@pytest.mark.parametrize("gamut", ["clip", "reduce"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_luv_that_is_not_finite_gives_a_colour(gamut, dtype):
    values = np.array([np.nan, np.inf, -np.inf, 0, 1e-3, -50, 1e30, 1e-45], np.float32)
    luv = np.stack(np.meshgrid(values, values, values), axis=-1).reshape(8, 64, 3)
    clean = np.nan_to_num(luv, nan=0).clip(-1000, 1000)
    rgb = color.rgb_from_luv(luv, gamut=gamut, dtype=dtype)
    assert np.array_equal(rgb, color.rgb_from_luv(clean, gamut=gamut, dtype=dtype))
    assert np.isfinite(rgb).all()
    assert rgb.max() <= (255 if dtype == np.uint8 else 1)
    assert (rgb[luv[..., 0] <= 0] == 0).all()

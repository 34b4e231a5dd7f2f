"""trtcolor.color against float64 NumPy written from the definition.

Every test runs on every variant of the kernels that this processor has.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from array_views import POISON, VIEWS, WRITEABLE, poisoned
from colour_truth import (
    WHITE,
    coded,
    true_lab,
    true_linear,
    true_linear_from_luv,
    true_luv,
    true_merge,
    true_rgb,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor import color
from trtcolor.resize import resize_plane, resize_weights

pytestmark = pytest.mark.usefixtures("every_variant")


# ---- what the tests draw -------------------------------------------------------------------

SIDES = st.integers(1, 21)
SEEDS = st.integers(0, 2**32 - 1)
GAMUTS = st.sampled_from(["clip", "reduce"])
LAYOUTS = st.sampled_from(["hwc", "chw"])


def random_lab(rng, *shape, reach=60.0):
    lab = rng.uniform(-reach, reach, (*shape, 3)).astype(np.float32)
    lab[..., 0] = rng.uniform(0, 100, shape)
    return lab


def in_gamut(linear):
    return ((linear >= 0) & (linear <= 1)).all(axis=-1)


def random_merge(seed, height, width, scale):
    rng = np.random.default_rng(seed)
    h, w = (-(-height // scale), -(-width // scale)) if scale else rng.integers(1, 22, 2)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    return lightness, rng.uniform(-90, 90, (2, h, w)).astype(np.float32)


def planar(array, layout):
    return array if layout == "hwc" else array.transpose(2, 0, 1)


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


# ---- merge ---------------------------------------------------------------------------------


@given(SIDES, SIDES, st.sampled_from([1, 2, 4, None]), SIDES, SIDES, SEEDS)
def test_merge_reads_chroma_between_half_pixel_centres(height, width, scale, h, w, seed):
    rng = np.random.default_rng(seed)
    if scale:
        h, w = -(-height // scale), -(-width // scale)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    chroma = rng.uniform(-60, 60, (2, h, w)).astype(np.float32)
    lab = true_merge(lightness.astype(np.float64), chroma.astype(np.float64), scale)
    merged = color.merge_lab(lightness, chroma, scale=scale, gamut="clip", format="rgbf32")
    assert np.abs(merged - true_rgb(lab)).max() <= 1e-4
    merged = color.merge_lab(lightness, chroma, scale=scale, gamut="clip")
    assert np.abs(merged - np.rint(255 * true_rgb(lab))).max() <= 1


@given(SIDES, SIDES, st.sampled_from([1, 2, 4]), SEEDS)
def test_merge_keeps_lightness(height, width, scale, seed):
    rng = np.random.default_rng(seed)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    shape = (2, -(-height // scale), -(-width // scale))
    chroma = rng.uniform(-128, 128, shape).astype(np.float32)
    merged = color.merge_lab(lightness, chroma, scale=scale, format="rgbf32")
    assert np.abs(true_lab(merged.astype(np.float64))[..., 0] - lightness).max() < 5e-3


def test_merge_of_a_wide_picture_finds_the_right_columns():
    lightness = np.full((1, 40_001), 50, np.float32)
    chroma = np.zeros((2, 1, 20_001), np.float32)
    chroma[0] = np.linspace(-20, 20, 20_001)
    lab = np.zeros((1, 40_001, 3))
    lab[..., 0] = 50
    lab[..., 1] = np.interp((np.arange(40_001) + 0.5) / 2 - 0.5, np.arange(20_001), chroma[0, 0])
    merged = color.merge_lab(lightness, chroma, scale=2, format="rgbf32")
    assert np.abs(merged - true_rgb(lab)).max() <= 5e-6


@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from([1, 2, 4, None]), GAMUTS, SEEDS)
def test_formats_of_a_merge_are_one_picture(height, width, scale, gamut, seed):
    lightness, chroma = random_merge(seed, height, width, scale)
    merge = partial(color.merge_lab, lightness, chroma, scale=scale, gamut=gamut)
    exact = merge(format="rgbf32")
    assert exact.dtype == np.float32
    exact = exact.astype(np.float64)
    wide = merge(format="rgb48")
    assert wide.dtype == np.uint16
    assert np.abs(wide - 65535 * exact).max() <= 0.5 + 1e-2
    small = merge(format="rgb24")
    assert np.abs(small - 255 * exact).max() <= 0.5 + 1e-4
    assert np.array_equal(merge(format="bgr24"), small[..., ::-1])
    assert np.array_equal(merge(format="bgr24", layout="chw"), planar(small[..., ::-1], "chw"))


@settings(max_examples=40)
@given(
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from(["rgb24", "bgr24", "rgb48", "rgbf32"]),
    st.sampled_from([1, 2, 4, None]),
    GAMUTS,
    SIDES,
    SIDES,
    SEEDS,
)
def test_a_merge_of_grey_is_that_of_its_lightness(dtype, format, scale, gamut, h, w, seed):
    chroma = random_merge(seed, h, w, scale)[1]
    top = np.iinfo(dtype).max
    grey = np.random.default_rng(seed).integers(0, top, (h, w), dtype, endpoint=True)
    merge = partial(color.merge_lab, chroma=chroma, scale=scale, gamut=gamut, format=format)
    assert np.array_equal(merge(grey), merge(color.lightness_from_grey(grey)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_merge_of_grey_without_chroma_is_the_grey(dtype):
    top = np.iinfo(dtype).max
    grey = np.arange(top + 1, dtype=dtype).reshape(-1, 256)
    chroma = np.zeros((2, *grey.shape), np.float32)
    format = "rgb24" if dtype == np.uint8 else "rgb48"
    merged = color.merge_lab(grey, chroma, scale=1, format=format).astype(int)
    assert np.abs(merged - grey[..., None].astype(int)).max() <= (0 if dtype == np.uint8 else 1)


# ---- memory: layouts, views, out -------------------------------------------------------------

CONVERSIONS = {
    "lab_from_rgb uint8": (color.lab_from_rgb, np.uint8, {}),
    "lab_from_rgb float32": (color.lab_from_rgb, np.float32, {}),
    "lightness_from_rgb uint8": (color.lightness_from_rgb, np.uint8, {}),
    "lightness_from_rgb float32": (color.lightness_from_rgb, np.float32, {}),
    "luv_from_rgb uint8": (color.luv_from_rgb, np.uint8, {}),
    "luv_from_rgb float32": (color.luv_from_rgb, np.float32, {}),
    "rgb_from_luv uint8": (color.rgb_from_luv, "lab", {}),
    "rgb_from_luv float32": (color.rgb_from_luv, "lab", {"dtype": np.float32}),
    "rgb_from_luv reduce": (color.rgb_from_luv, "lab", {"gamut": "reduce"}),
    "rgb_from_lab uint8": (color.rgb_from_lab, "lab", {}),
    "rgb_from_lab float32": (color.rgb_from_lab, "lab", {"dtype": np.float32}),
    "rgb_from_lab reduce": (color.rgb_from_lab, "lab", {"gamut": "reduce"}),
}


@settings(max_examples=300)
@given(
    st.sampled_from(list(CONVERSIONS)),
    LAYOUTS,
    st.sampled_from(list(VIEWS)),
    st.sampled_from(WRITEABLE),
    SIDES,
    SIDES,
    SEEDS,
)
def test_layout_view_and_out_do_not_change_a_conversion(
    conversion, layout, view, out_view, height, width, seed
):
    convert, kind, options = CONVERSIONS[conversion]
    rng = np.random.default_rng(seed)
    if kind == "lab":
        picture = random_lab(rng, height, width, reach=110.0)
    elif kind == np.uint8:
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    else:
        picture = rng.random((height, width, 3), np.float32)
    wanted = convert(picture, **options)
    if wanted.ndim == 3:
        wanted = planar(wanted, layout)
    given_picture = VIEWS[view](planar(picture, layout))
    got = convert(given_picture, layout=layout, **options)
    assert np.array_equal(got, wanted)
    assert got.flags.c_contiguous
    out = poisoned(out_view, wanted)
    assert convert(given_picture, layout=layout, out=out, **options) is out
    assert np.array_equal(out, wanted)


@given(
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.sampled_from(list(VIEWS)),
    st.sampled_from(WRITEABLE),
    SIDES,
    SIDES,
    SEEDS,
)
def test_view_and_out_do_not_change_lightness_from_grey(dtype, view, out_view, h, w, seed):
    grey = np.random.default_rng(seed).integers(0, 256, (h, w)).astype(dtype)
    if dtype == np.float32:
        grey /= 255
    wanted = color.lightness_from_grey(grey)
    out = poisoned(out_view, wanted)
    assert color.lightness_from_grey(VIEWS[view](grey), out=out) is out
    assert np.array_equal(out, wanted)


@given(
    LAYOUTS,
    st.sampled_from(list(VIEWS)),
    st.sampled_from(WRITEABLE),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.sampled_from(["rgb24", "bgr24", "rgb48", "rgbf32"]),
    st.sampled_from([1, 2, 4, None]),
    SIDES,
    SIDES,
    SEEDS,
)
def test_layout_view_and_out_do_not_change_a_merge(
    layout, view, out_view, dtype, format, scale, h, w, seed
):
    lightness, chroma = random_merge(seed, h, w, scale)
    lightness = lightness.astype(dtype)
    merge = partial(color.merge_lab, scale=scale, format=format)
    wanted = planar(merge(lightness, chroma), layout)
    out = poisoned(out_view, wanted)
    assert merge(VIEWS[view](lightness), VIEWS[view](chroma), layout=layout, out=out) is out
    assert np.array_equal(out, wanted)


def test_nothing_outside_out_is_written():
    frame = np.full((9, 30, 5), POISON, np.uint8)
    out = frame[1:-1, 3:-3:2, 1:-1]
    lab = random_lab(np.random.default_rng(8), 7, 12)
    color.rgb_from_lab(lab, out=out)
    color.merge_lab(lab[..., 0].copy(), lab.transpose(2, 0, 1)[1:], scale=1, out=out)
    out[...] = POISON
    assert (frame == POISON).all()


def test_every_number_of_threads_gives_the_same_bytes():
    rng = np.random.default_rng(28)
    lab = random_lab(rng, 401, 509, reach=110.0)  # more than the pool leaves to one thread
    rgb = rng.integers(0, 256, lab.shape, np.uint8)
    grey, chroma = rgb[..., 0].astype(np.uint16), lab[::2, ::2, 1:].transpose(2, 0, 1)
    calls = [
        partial(color.lab_from_rgb, rgb),
        partial(color.luv_from_rgb, rgb),
        partial(color.lightness_from_rgb, rgb),
        partial(color.lightness_from_grey, grey),
        *(
            partial(convert, lab, dtype=dtype, gamut=gamut)
            for convert in (color.rgb_from_lab, color.rgb_from_luv)
            for dtype in (np.uint8, np.float32)
            for gamut in ("clip", "reduce")
        ),
        *(partial(color.merge_lab, grey, chroma, scale=scale) for scale in (2, None)),
        partial(resize_plane, lab[..., 0], (112, 113)),
        partial(resize_plane, lab[..., 0], (500, 600)),
    ]
    for call in calls:
        wanted = call(threads=1)
        for threads in (2, 3, 16, None):
            assert call(threads=threads).tobytes() == wanted.tobytes()


def test_several_callers_at_once_get_the_same_result():
    rgb = np.random.default_rng(9).integers(0, 256, (400, 401, 3), dtype=np.uint8)
    wanted = color.lab_from_rgb(rgb)
    with ThreadPoolExecutor(4) as pool:
        for lab in pool.map(color.lab_from_rgb, [rgb] * 16):
            assert np.array_equal(lab, wanted)


# ---- refusals ------------------------------------------------------------------------------

RGB = np.zeros((4, 6, 3), np.uint8)
LAB = np.zeros((4, 6, 3), np.float32)
PLANE = np.zeros((4, 6), np.float32)
CHROMA = np.zeros((2, 2, 3), np.float32)
READ_ONLY = np.broadcast_to(np.float32(0), LAB.shape)
SELF_OVERLAPPING = np.lib.stride_tricks.as_strided(np.zeros(99, np.float32), LAB.shape, (4, 4, 4))
REFUSED = {
    "float64 RGB": (TypeError, lambda: color.lab_from_rgb(RGB / 255)),
    "a list of numbers": (TypeError, lambda: color.lab_from_rgb([[[1, 2, 3]]])),
    "no array at all": (TypeError, lambda: color.lab_from_rgb(None)),
    "uint8 Lab": (TypeError, lambda: color.rgb_from_lab(RGB)),
    "four channels": (ValueError, lambda: color.lab_from_rgb(np.zeros((4, 6, 4), np.uint8))),
    "a plane for a picture": (ValueError, lambda: color.lightness_from_rgb(RGB[..., 0])),
    "a picture for a plane": (ValueError, lambda: color.lightness_from_grey(RGB)),
    "the other layout": (ValueError, lambda: color.lab_from_rgb(RGB, layout="chw")),
    "an unknown layout": (ValueError, lambda: color.lab_from_rgb(RGB, layout="HWC")),
    "an unknown layout of a merge": (
        ValueError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, layout="nhwc"),
    ),
    "an unknown gamut": (ValueError, lambda: color.rgb_from_lab(LAB, gamut="clamp")),
    "a word that is no dtype": (TypeError, lambda: color.rgb_from_lab(LAB, dtype="bytes24")),
    "a word that NumPy does not parse": (TypeError, lambda: color.rgb_from_lab(LAB, dtype="(2,")),
    "an array for a word": (ValueError, lambda: color.rgb_from_lab(LAB, gamut=LAB)),
    "an array for threads": (TypeError, lambda: color.lab_from_rgb(RGB, threads=LAB)),
    "an array for a size": (ValueError, lambda: resize_plane(PLANE, LAB)),
    "an array of words": (
        TypeError,
        lambda: color.lab_from_rgb(np.array(["red"], "T" if np.__version__ >= "2" else "U")),
    ),
    "rows of unlike lengths": (ValueError, lambda: color.lightness_from_grey([[1, 2], [3]])),
    "uint16 RGB": (TypeError, lambda: color.luv_from_rgb(RGB.astype(np.uint16))),
    "float64 lightness": (
        TypeError,
        lambda: color.merge_lab(PLANE.astype(np.float64), CHROMA, scale=2),
    ),
    "uint8 chroma": (TypeError, lambda: color.merge_lab(PLANE, CHROMA.astype(np.uint8), scale=2)),
    "an unknown format": (
        ValueError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, format="rgba"),
    ),
    "out of another format": (
        TypeError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, format="rgb48", out=RGB.copy()),
    ),
    "no threads": (ValueError, lambda: color.lab_from_rgb(RGB, threads=0)),
    "fewer than no threads": (ValueError, lambda: color.rgb_from_luv(LAB, threads=-2)),
    "half a thread": (TypeError, lambda: color.merge_lab(PLANE, CHROMA, scale=2, threads=0.5)),
    "a truth for threads": (TypeError, lambda: color.lightness_from_grey(PLANE, threads=True)),
    "a word for threads": (TypeError, lambda: resize_plane(PLANE, (2, 2), threads="2")),
    "half a thread by default": (TypeError, lambda: color.set_threads(1.5)),
    "no threads by default": (ValueError, lambda: color.set_threads(0)),
    "an unknown dtype": (TypeError, lambda: color.rgb_from_lab(LAB, dtype=np.uint16)),
    "no rows": (ValueError, lambda: color.lab_from_rgb(RGB[:0])),
    "no columns": (ValueError, lambda: color.lightness_from_grey(PLANE[:, :0])),
    "out of another shape": (ValueError, lambda: color.lab_from_rgb(RGB, out=LAB[1:])),
    "out of another dtype": (TypeError, lambda: color.lab_from_rgb(RGB, out=RGB.copy())),
    "out of swapped bytes": (TypeError, lambda: color.lab_from_rgb(RGB, out=LAB.astype(">f4"))),
    "out that is a list": (TypeError, lambda: color.lab_from_rgb(RGB, out=[0])),
    "read-only out": (ValueError, lambda: color.lab_from_rgb(RGB, out=READ_ONLY)),
    "out that overlaps itself": (
        ValueError,
        lambda: color.lab_from_rgb(RGB, out=SELF_OVERLAPPING),
    ),
    "misaligned out": (
        ValueError,
        lambda: color.lab_from_rgb(
            RGB, out=np.zeros(289, np.uint8)[1:].view(np.float32).reshape(LAB.shape)
        ),
    ),
    "out that is the input": (
        ValueError,
        lambda: color.rgb_from_lab(LAB, dtype=np.float32, out=LAB),
    ),
    "out that is the input backwards": (
        ValueError,
        lambda: resize_plane(PLANE, PLANE.shape, out=PLANE[::-1]),
    ),
    "out over the chroma": (
        ValueError,
        lambda: color.merge_lab(
            np.zeros((2, 2), np.float32),
            CHROMA[:, :1, :1],
            scale=2,
            format="rgbf32",
            out=CHROMA.reshape(2, 2, 3),
        ),
    ),
    "out over the grey": (
        ValueError,
        lambda: color.merge_lab(RGB[..., 0], CHROMA, scale=2, out=RGB),
    ),
    "chroma of another scale": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=4)),
    "chroma with three channels": (
        ValueError,
        lambda: color.merge_lab(PLANE, np.zeros((3, 2, 3), np.float32), scale=2),
    ),
    "scale True": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=True)),
    "scale 2.0": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=2.0)),
    "scale 3": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=3)),
    "a picture to resize_plane": (ValueError, lambda: resize_plane(LAB[None], (2, 2))),
    "size 0": (ValueError, lambda: resize_plane(PLANE, (0, 2))),
    "one size": (ValueError, lambda: resize_plane(PLANE, 2)),
    "a fraction of a pixel": (ValueError, lambda: resize_plane(PLANE, (2.5, 2))),
    "a size beyond memory": (ValueError, lambda: resize_plane(PLANE, (2**62, 2**62))),
    "weights to half a sample": (TypeError, lambda: resize_weights(3, 1.5)),
    "weights to size 0": (ValueError, lambda: resize_weights(3, 0)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_is_one_sentence(case):
    error, call = REFUSED[case]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert len(message) <= 200
    assert "\n" not in message
    assert ". " not in message
    assert "but" in message
    assert "; " in message

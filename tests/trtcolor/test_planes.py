"""trtcolor.planes against float64 NumPy written from the definition.

Every test runs on every variant of the kernels that this processor has.
"""

import numpy as np
import pytest
from array_views import VIEWS, WRITEABLE
from colour_truth import true_lab
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from plane_truth import (
    DEPTHS,
    MATRICES,
    RANGES,
    SCALES,
    SEEDS,
    SIDES,
    SITINGS,
    SUBSAMPLINGS,
    WEIGHTS,
    any_chroma,
    any_luma,
    codes_of,
    colours_of_srgb,
    decoded,
    dtype_of,
    network_size,
    true_planes,
)

from trtcolor import planes
from trtcolor.color import lightness_from_grey

POISON = 77

pytestmark = pytest.mark.usefixtures("every_variant")


# ---- U and V -------------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("depth", [8, 10, 12, 16])
@pytest.mark.parametrize("range_", ["limited", "full"])
def test_u_and_v_of_srgb_colours_are_within_1_code_at_every_depth(matrix, depth, range_):
    y, chroma = colours_of_srgb(1, (120, 121), depth, matrix, range_)
    u, v = planes.chroma_planes(
        y, chroma, scale=1, subsampling=444, depth=depth, matrix=matrix, range=range_
    )
    true_u, true_v, inside = true_planes(y, chroma, 1, 444, depth, matrix, range_, "left")
    assert inside.mean() > 0.7
    assert np.abs(u - true_u)[inside].max() <= 1
    assert np.abs(v - true_v)[inside].max() <= 1


@settings(max_examples=150, deadline=None)
@given(SEEDS, SIDES, SIDES, SCALES, SUBSAMPLINGS, DEPTHS, MATRICES, RANGES, SITINGS)
def test_every_grid_is_read_at_the_samples_own_position(
    seed, height, width, scale, subsampling, depth, matrix, range_, siting
):
    rng = np.random.default_rng(seed)
    black, span, *_ = codes_of(depth, range_)
    y = (black + span * rng.uniform(0.4, 0.7, (height, width))).astype(dtype_of(depth))
    chroma = any_chroma(rng, network_size(rng, height, width, scale), 12)
    u, v = planes.chroma_planes(
        y, chroma, scale=scale, subsampling=subsampling, depth=depth, matrix=matrix, range=range_,
        siting=siting,
    )  # fmt: skip
    true_u, true_v, inside = true_planes(
        y, chroma, scale, subsampling, depth, matrix, range_, siting
    )
    assert inside.all()
    assert u.dtype == v.dtype == y.dtype
    assert u.shape == v.shape == true_u.shape
    assert np.abs(u - true_u).max() <= 1
    assert np.abs(v - true_v).max() <= 1


@pytest.mark.parametrize("depth", [8, 9, 10, 12, 16])
@pytest.mark.parametrize("range_", ["limited", "full"])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_no_chroma_is_the_zero_code_exactly_for_every_luma(depth, range_, matrix):
    y = np.arange(2**depth, dtype=dtype_of(depth))[None]
    u, v = planes.chroma_planes(
        y, np.zeros((2, *y.shape), np.float32), scale=1, subsampling=444, depth=depth,
        range=range_, matrix=matrix,
    )  # fmt: skip
    assert (u == 2 ** (depth - 1)).all()
    assert (v == 2 ** (depth - 1)).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS, DEPTHS, MATRICES, RANGES, st.sampled_from([30, 90, 130, 1e3, 1e30]))
def test_r_g_and_b_lie_in_0_to_1_but_for_rounding(seed, depth, matrix, range_, reach):
    rng = np.random.default_rng(seed)
    y = any_luma(rng, (40, 41), depth)
    u, v = planes.chroma_planes(
        y, any_chroma(rng, y.shape, reach), scale=1, subsampling=444, depth=depth, matrix=matrix,
        range=range_,
    )  # fmt: skip
    rgb = decoded(y, u, v, depth, matrix, range_)
    *_, chroma_span = codes_of(depth, range_)
    rounding = 0.52 * (2 - 2 * WEIGHTS[matrix][2]) / chroma_span
    assert rgb.min() >= -rounding
    assert rgb.max() <= 1 + rounding
    low, high = (0, 2**depth - 1) if range_ == "full" else (16 << depth - 8, 240 << depth - 8)
    assert low <= min(u.min(), v.min())
    assert max(u.max(), v.max()) <= high


def test_what_srgb_lacks_goes_to_the_edge_of_the_gamut_near_its_hue():
    angle = np.radians(np.arange(0, 360, 5))
    y = np.repeat(np.linspace(8000, 60000, 14).astype(np.uint16)[:, None], angle.size, axis=1)
    ab = 60 * np.stack([np.cos(angle), np.sin(angle)])
    chroma = np.repeat(ab[:, None], y.shape[0], axis=1).astype(np.float32)
    for matrix in WEIGHTS:
        u, v = planes.chroma_planes(
            y, chroma, scale=1, subsampling=444, depth=16, matrix=matrix, range="full"
        )
        rgb = decoded(y, u, v, 16, matrix, "full")
        *_, inside = true_planes(y, chroma, 1, 444, 16, matrix, "full", "left")
        assert np.minimum(rgb.min(axis=-1), 1 - rgb.max(axis=-1))[~inside].max() <= 1e-4
        _, a, b = np.moveaxis(true_lab(rgb.clip(0, 1)), -1, 0)
        turn = np.degrees(np.angle(np.exp(1j * (np.arctan2(b, a) - angle))))
        assert np.abs(turn)[~inside].mean() <= 4


def test_values_beyond_black_and_white_count_as_these():
    rng = np.random.default_rng(2)
    y = any_luma(rng, (64, 65), 8)
    chroma = any_chroma(rng, y.shape, 60)
    outside = planes.chroma_planes(y, chroma, scale=1, subsampling=444)
    inside = planes.chroma_planes(y.clip(16, 235), chroma, scale=1, subsampling=444)
    assert (y < 16).any()
    assert (y > 235).any()
    assert np.array_equal(outside, inside)


def test_the_luma_plane_is_left_alone():
    y = any_luma(np.random.default_rng(3), (33, 35), 8)
    y.flags.writeable = False
    before = y.tobytes()
    planes.chroma_planes(y, np.full((2, 17, 18), 30, np.float32), scale=2)
    assert y.tobytes() == before


# ---- the network's chroma ------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 10])
def test_chroma_is_not_resampled_where_the_grids_coincide(depth):
    """Each sample of 4:2:0 sees one network sample alone: a checkerboard stays one."""
    rng = np.random.default_rng(4)
    y = any_luma(rng, (23, 70), depth)
    chroma = any_chroma(rng, y.shape, 40)
    checkers = np.indices(y.shape).sum(axis=0) % 2
    chroma[0] = np.where(checkers, 40, -40)
    doubled = y.repeat(2, axis=0).repeat(2, axis=1)
    alone = planes.chroma_planes(y, chroma, scale=1, subsampling=444, depth=depth)
    for luma in (doubled, doubled[:-1, :-1]):
        half = planes.chroma_planes(luma, chroma, scale=2, siting="center", depth=depth)
        assert np.array_equal(half, alone)
    spread = planes.chroma_planes(doubled, chroma, scale=None, siting="center", depth=depth)
    assert np.array_equal(spread, alone)


def test_a_nan_in_a_sample_counts_as_0_and_infinity_as_1000():
    rng = np.random.default_rng(5)
    y = any_luma(rng, (40, 41), 8)
    chroma = any_chroma(rng, (20, 21), 50)
    odd, plain = chroma.copy(), chroma.copy()
    for value, stands_for in ((np.nan, 0), (np.inf, 1000), (-np.inf, -1000)):
        places = rng.random(chroma.shape) < 0.1
        odd[places], plain[places] = value, stands_for
    for siting in ("left", "center", "topleft"):
        assert np.array_equal(
            planes.chroma_planes(y, odd, scale=2, siting=siting),
            planes.chroma_planes(y, plain, scale=2, siting=siting),
        )


def test_chroma_beyond_200_counts_as_200():
    rng = np.random.default_rng(11)
    y = any_luma(rng, (40, 41), 16)
    wild = any_chroma(rng, y.shape, 900)
    options = {"scale": 1, "subsampling": 444, "depth": 16}
    assert np.array_equal(
        planes.chroma_planes(y, wild, **options),
        planes.chroma_planes(y, wild.clip(-200, 200), **options),
    )


# ---- memory --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    SEEDS, SIDES, SIDES, SUBSAMPLINGS, st.sampled_from([8, 10, 16]), SITINGS,
    st.sampled_from(sorted(VIEWS)), st.sampled_from(sorted(VIEWS)), st.sampled_from(WRITEABLE),
)  # fmt: skip
def test_every_memory_layout_gives_the_same_bytes(
    seed, height, width, subsampling, depth, siting, y_view, chroma_view, out_view
):
    rng = np.random.default_rng(seed)
    y = any_luma(rng, (height, width), depth)
    chroma = any_chroma(rng, (-(-height // 2), -(-width // 2)), 70)
    options = {"scale": 2, "subsampling": subsampling, "depth": depth, "siting": siting}
    plain = planes.chroma_planes(y, chroma, **options)
    out = tuple(VIEWS[out_view](np.full(plain[0].shape, POISON, y.dtype)) for _ in plain)
    result = planes.chroma_planes(VIEWS[y_view](y), VIEWS[chroma_view](chroma), out=out, **options)
    assert result[0] is out[0]
    assert result[1] is out[1]
    assert np.array_equal(out, plain)


@pytest.mark.parametrize("subsampling", [420, 422, 444])
def test_interleaved_and_shifted_samples_are_the_planar_ones(subsampling):
    rng = np.random.default_rng(6)
    for depth in range(8, 17):
        y = any_luma(rng, (17, 23), depth)
        chroma = any_chroma(rng, (9, 12), 70)
        options = {"scale": 2, "subsampling": subsampling, "depth": depth}
        uv = np.stack(planes.chroma_planes(y, chroma, **options), axis=-1)
        assert np.array_equal(planes.chroma_planes(y, chroma, layout="nv12", **options), uv)
        if depth > 8:
            out = np.full_like(uv, POISON)
            high = planes.chroma_planes(
                y << (16 - depth), chroma, layout="p010", out=out, **options
            )
            assert high is out
            assert np.array_equal(out, uv << (16 - depth))


def test_u_and_v_may_be_parts_of_one_array():
    y = any_luma(np.random.default_rng(7), (18, 22), 8)
    chroma = any_chroma(np.random.default_rng(8), (9, 11), 70)
    frame = np.full((9, 3, 11), POISON, np.uint8)
    planes.chroma_planes(y, chroma, scale=2, out=(frame[:, 0], frame[:, 2]))
    u, v = planes.chroma_planes(y, chroma, scale=2)
    assert np.array_equal(frame, np.stack([u, np.full_like(u, POISON), v], axis=1))


@pytest.mark.parametrize("subsampling", [420, 422, 444])
@pytest.mark.parametrize("depth", [8, 10])
def test_every_number_of_threads_gives_the_same_bytes(subsampling, depth):
    rng = np.random.default_rng(9)
    y = any_luma(rng, (401, 403), depth)
    chroma = any_chroma(rng, (201, 202), 70)
    options = {"scale": 2, "subsampling": subsampling, "depth": depth}
    one = planes.chroma_planes(y, chroma, threads=1, **options)
    for threads in (2, 5):
        assert np.array_equal(planes.chroma_planes(y, chroma, threads=threads, **options), one)


@pytest.mark.parametrize("depth", [np.uint8(16), np.int8(10), np.int64(12)])
@pytest.mark.parametrize("range_", ["limited", "full"])
def test_a_depth_may_be_an_integer_of_numpy(depth, range_):
    y = any_luma(np.random.default_rng(12), (16, 18), int(depth))
    chroma = any_chroma(np.random.default_rng(13), (8, 9), 70)
    for layout in ("planar", "p010"):
        coding = {"layout": layout, "range": range_}
        planes._luma_table.cache_clear()  # or the table of the first call would serve both
        got = planes.lightness_from_luma(y, depth=depth, **coding)
        planes._luma_table.cache_clear()
        assert np.array_equal(got, planes.lightness_from_luma(y, depth=int(depth), **coding))
        got = planes.chroma_planes(y, chroma, scale=2, depth=depth, **coding)
        wanted = planes.chroma_planes(y, chroma, scale=2, depth=int(depth), **coding)
        assert np.array_equal(got, wanted)


# ---- lightness -----------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
def test_a_full_range_luma_plane_is_a_grey_picture(depth):
    y = np.arange(2**depth, dtype=dtype_of(depth)).reshape(16, -1)
    lightness = planes.lightness_from_luma(y, depth=depth, range="full")
    assert np.array_equal(lightness, lightness_from_grey(y))


@pytest.mark.parametrize("depth", range(8, 17))
@pytest.mark.parametrize("range_", ["limited", "full"])
def test_lightness_is_that_of_the_grey_clamped_to_black_and_white(depth, range_):
    black, span, *_ = codes_of(depth, range_)
    y = np.arange(2**depth, dtype=dtype_of(depth))[None]
    luma = ((y.astype(np.float64) - black) / span).clip(0, 1)
    truth = true_lab(np.stack([luma] * 3, axis=-1))[..., 0]
    lightness = planes.lightness_from_luma(y, depth=depth, range=range_)
    assert np.abs(lightness - truth).max() <= 1e-5
    if depth > 8:
        high = planes.lightness_from_luma(
            y << (16 - depth),
            depth=depth,
            range=range_,
            layout="p010",
            out=np.empty_like(lightness),
        )
        assert np.array_equal(high, lightness)


# ---- another decoder -----------------------------------------------------------------------


def test_pillow_decodes_full_range_bt601_to_the_networks_chroma():
    rng = np.random.default_rng(10)
    y = rng.integers(90, 180, (64, 64)).astype(np.uint8)
    chroma = any_chroma(rng, y.shape, 25)
    u, v = planes.chroma_planes(y, chroma, scale=1, subsampling=444, matrix="bt601", range="full")
    picture = Image.merge("YCbCr", [Image.fromarray(plane) for plane in (y, u, v)])
    rgb = np.asarray(picture.convert("RGB"), np.float64) / 255
    assert np.abs(np.moveaxis(true_lab(rgb)[..., 1:], -1, 0) - chroma).mean() <= 0.5


# ---- bad input -----------------------------------------------------------------------------

Y = np.zeros((6, 8), np.uint8)
Y16 = np.zeros((6, 8), np.uint16)
AB = np.zeros((2, 3, 4), np.float32)
HALF = np.zeros((3, 4), np.uint8)
LOCKED = np.frombuffer(bytes(12), np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    ("y", "chroma", "options", "error", "match"),
    [
        (Y.astype(float), AB, {}, TypeError, "y is of dtype float64"),
        (Y, AB, {"depth": 10}, TypeError, "depth 10 needs uint16"),
        (Y16, AB, {}, TypeError, "depth 8 needs uint8"),
        (Y, AB.astype(float), {}, TypeError, "chroma is of dtype float64"),
        (Y[None], AB, {}, ValueError, r"y is \(1, 6, 8\)"),
        (Y[:0], AB, {}, ValueError, r"y is \(0, 8\)"),
        (Y, AB[:1], {}, ValueError, r"chroma is \(1, 3, 4\)"),
        (Y, AB[:, :0], {"scale": None}, ValueError, r"chroma is \(2, 0, 4\)"),
        (Y, AB, {"scale": 1}, ValueError, r"scale 1 needs \(2, 6, 8\)"),
        (Y, AB, {"scale": 3}, ValueError, "scale is 3"),
        (Y, AB, {"subsampling": "420"}, ValueError, "subsampling is '420'"),
        (Y, AB, {"subsampling": 411}, ValueError, "subsampling is 411"),
        (Y, AB, {"depth": 7}, ValueError, "depth is 7"),
        (Y16, AB, {"depth": 17}, ValueError, "depth is 17"),
        (Y16, AB, {"depth": 10.5}, ValueError, "depth is 10.5"),
        (Y, AB, {"layout": "nv21"}, ValueError, "layout is 'nv21'"),
        (Y, AB, {"layout": ["nv12"]}, ValueError, "layout is"),
        (Y, AB, {"layout": "p010"}, ValueError, 'layout is "p010" at depth 8'),
        (Y, AB, {"matrix": "smpte240m"}, ValueError, "matrix is 'smpte240m'"),
        (Y, AB, {"range": "tv"}, ValueError, "range is 'tv'"),
        (Y, AB, {"siting": "top"}, ValueError, "siting is 'top'"),
        (Y, AB, {"threads": 0}, ValueError, "threads is 0"),
        (Y, AB, {"threads": 1.5}, TypeError, "threads is 1.5"),
        (Y, AB, {"out": HALF}, TypeError, r"pass \(U, V\)"),
        (Y, AB, {"out": (HALF,)}, TypeError, r"pass \(U, V\)"),
        (Y, AB, {"out": (HALF, HALF)}, ValueError, r"out\[1\] shares memory"),
        (Y, AB, {"out": (HALF, HALF[:2].copy())}, ValueError, r"out\[1\] is \(2, 4\)"),
        (Y, AB, {"out": (Y[:3, :4], HALF)}, ValueError, r"out\[0\] shares memory"),
        (Y, AB, {"out": (LOCKED, HALF)}, ValueError, r"out\[0\] is read-only"),
        (Y, AB, {"out": (HALF, HALF.astype(np.uint16))}, TypeError, r"out\[1\] is of dtype"),
        (Y, AB, {"layout": "nv12", "out": (HALF, HALF)}, TypeError, "out is tuple"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(y, chroma, options, error, match):
    with pytest.raises(error, match=match) as refused:
        planes.chroma_planes(y, chroma, **{"scale": 2, **options})
    assert "; " in str(refused.value)


@pytest.mark.parametrize(
    ("y", "options", "error", "match"),
    [
        (Y16, {}, TypeError, "depth 8 needs uint8"),
        (Y.astype(np.float32), {}, TypeError, "y is of dtype float32"),
        (Y, {"range": None}, ValueError, "range is None"),
        (Y, {"out": np.zeros((6, 8))}, TypeError, "out is of dtype float64"),
        (Y, {"out": np.zeros((6, 7), np.float32)}, ValueError, r"out is \(6, 7\)"),
    ],
)
def test_bad_luma_is_refused_in_one_sentence(y, options, error, match):
    with pytest.raises(error, match=match) as refused:
        planes.lightness_from_luma(y, **options)
    assert "; " in str(refused.value)

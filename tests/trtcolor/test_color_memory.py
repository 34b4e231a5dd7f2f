"""trtcolor.color on arrays of any layout, view and output, from any number of threads.

Every test runs on every variant of the kernels that this processor has.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from array_views import POISON, VIEWS, WRITEABLE, poisoned
from colour_draws import LAYOUTS, SEEDS, SIDES, planar, random_lab, random_merge
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor import color
from trtcolor.resize import resize_plane

pytestmark = pytest.mark.usefixtures("every_variant")


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

"""Large pictures are taken apart and put together in bands, which shows nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trtcolor import color
from trtcolor.frames import BAND, array_from_frame, frame_from_array
from trtcolor.upsampling import joint_bilateral_upsample


@pytest.mark.parametrize("height", [1, BAND, BAND + 1, 2 * BAND + 7])
def test_a_16_bit_picture_has_the_lightness_of_the_whole_in_floats(height: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 65536, (height, 9, 3), np.uint16)
    expected = color.lightness_from_rgb(rgb.astype(np.float32) / np.float32(65535))
    np.testing.assert_array_equal(frame_from_array(rgb).lightness, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_lies_beside_the_colours_that_an_opaque_picture_gets(dtype: type) -> None:
    rgba = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 14, 4), dtype)
    chroma = np.random.default_rng(1).normal(0, 20, (2, 10, 7)).astype(np.float32)
    with_alpha, opaque = (
        array_from_frame(frame_from_array(array), chroma, scale=2, gamut="reduce")
        for array in (rgba, rgba[:, :, :3])
    )
    np.testing.assert_array_equal(with_alpha[:, :, :3], opaque)
    np.testing.assert_array_equal(with_alpha[:, :, 3], rgba[:, :, 3])
    assert with_alpha.flags.c_contiguous


@pytest.mark.parametrize(("dtype", "format"), [(np.uint8, "rgb24"), (np.uint16, "rgb48")])
@pytest.mark.parametrize("height", [1, BAND, BAND + 1, 2 * BAND + 7])
@pytest.mark.parametrize(("scale", "rows"), [(2, None), (None, 11)])
def test_joint_bilateral_chroma_is_merged_as_that_of_the_whole_picture(
    height: int, scale: Any, rows: int | None, dtype: type, format: Any
) -> None:
    random = np.random.default_rng(2)
    frame = frame_from_array(random.integers(0, np.iinfo(dtype).max, (height, 13), dtype))
    chroma = random.normal(0, 30, (2, rows or -(-height // 2), 7)).astype(np.float32)
    merged = array_from_frame(
        frame, chroma, scale=scale, gamut="reduce", upsampling="joint-bilateral"
    )
    full = joint_bilateral_upsample(chroma, frame.lightness, scale=scale)
    whole = color.merge_lab(frame.lightness, full, scale=1, format=format)
    np.testing.assert_array_equal(merged, whole)
    bilinear = array_from_frame(frame, chroma, scale=scale, gamut="reduce")
    assert height == 1 or (merged != bilinear).any()

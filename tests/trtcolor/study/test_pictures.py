"""Pictures as they are shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor.study.pictures import prepared_picture


@settings(max_examples=25)
@given(st.integers(1, 400), st.integers(1, 400))
def test_a_picture_of_any_size_becomes_224_square(height: int, width: int) -> None:
    rgb = np.full((height, width, 3), (10, 120, 240), np.uint8)
    found = prepared_picture(rgb)
    assert found.shape == (224, 224, 3)
    assert (found == (10, 120, 240)).all()


def test_a_picture_of_256_is_cropped_to_its_middle() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    np.testing.assert_array_equal(prepared_picture(rgb), rgb[16:240, 16:240])


@pytest.mark.parametrize("turned", [False, True])
def test_aspect_is_kept_and_the_sides_go(turned: bool) -> None:
    rgb = np.zeros((256, 512, 3), np.uint8)
    rgb[:, 128:384] = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    expected = rgb[16:240, 144:368]
    if turned:
        rgb, expected = rgb.swapaxes(0, 1), expected.swapaxes(0, 1)
    np.testing.assert_array_equal(prepared_picture(np.ascontiguousarray(rgb)), expected)

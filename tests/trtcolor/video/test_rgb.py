"""Raw RGB: the pictures that came, in the order of RGB, and back in the order of the format."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.errors import VideoError
from trtcolor.frames import frame_from_array
from trtcolor.video.formats import FORMATS
from trtcolor.video.rgb import RgbReader

RGB = [name for name, pixels in FORMATS.items() if pixels.is_rgb]


@given(
    st.sampled_from(RGB), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.integers(0)
)
def test_what_is_read_is_written_back(
    name: str, height: int, width: int, count: int, seed: int
) -> None:
    pixels = FORMATS[name]
    content = np.random.default_rng(seed).bytes(pixels.frame_bytes((height, width)) * count)
    reader = RgbReader(BytesIO(content), (height, width), pixels)
    out = BytesIO()
    writer = reader.writer(out)
    for picture in reader:
        assert picture.shape == (height, width, 3)
        assert frame_from_array(picture).size == (height, width)  # what Colorizer.stream takes
        writer.write(picture)
    assert out.getvalue() == content


@pytest.mark.parametrize("name", RGB)
def test_red_comes_first(name: str) -> None:
    pixels = FORMATS[name]
    samples = [3, 2, 1] if pixels.kind == "bgr" else [1, 2, 3]
    content = np.array(samples, pixels.dtype).tobytes()
    (picture,) = RgbReader(BytesIO(content), (1, 1), pixels)
    np.testing.assert_array_equal(picture, [[[1, 2, 3]]])


def test_what_is_cut_short_or_too_large_is_refused() -> None:
    pictures = iter(RgbReader(BytesIO(bytes(107)), (3, 4), FORMATS["bgr24"]))
    next(pictures)
    next(pictures)
    with pytest.raises(VideoError, match="ends after 35 of the 36 bytes of frame 2"):
        next(pictures)
    with pytest.raises(ValueError, match="frames of 4x3 came; at most 11 pixels were needed"):
        RgbReader(BytesIO(), (3, 4), FORMATS["bgr24"], max_pixels=11)

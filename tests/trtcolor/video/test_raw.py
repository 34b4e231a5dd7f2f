"""Raw frames: the luminance that came is the one that goes, in every format."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from coloured import coloured_by_hand
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.errors import VideoError
from trtcolor.video.formats import FORMATS
from trtcolor.video.raw import RawReader

YUV = [name for name, pixels in FORMATS.items() if not pixels.is_rgb]


@given(
    st.sampled_from(YUV), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.integers(0)
)
def test_luma_goes_out_to_the_bit_and_chroma_behind_it(
    name: str, height: int, width: int, count: int, seed: int
) -> None:
    pixels = FORMATS[name]
    rng = np.random.default_rng(seed)
    content = rng.bytes(pixels.frame_bytes((height, width)) * count)
    reader = RawReader(BytesIO(content), (height, width), pixels)
    out = BytesIO()
    writer = reader.writer(out)
    written = [coloured_by_hand(frame) for frame in reader]
    assert len(written) == count
    for frame in written:
        writer.write(frame)
    one = writer.format.frame_bytes((height, width))
    assert len(out.getvalue()) == one * count
    luma_bytes = height * width * pixels.dtype.itemsize
    for index, frame in enumerate(written):
        start = index * pixels.frame_bytes((height, width))
        found = out.getvalue()[index * one :][:one]
        assert found[:luma_bytes] == content[start:][:luma_bytes]
        chroma = np.frombuffer(found[luma_bytes:], pixels.dtype) >> pixels.shift
        if pixels.kind == "semiplanar":
            u, v = chroma[::2], chroma[1::2]
        else:
            u, v = np.split(chroma, 2)
        np.testing.assert_array_equal(u, frame.u.ravel())
        np.testing.assert_array_equal(v, frame.v.ravel())
    again = RawReader(BytesIO(out.getvalue()), (height, width), writer.format, range="full")
    for found, frame in zip(again, written, strict=True):
        np.testing.assert_array_equal(found.luma, frame.luma)


@pytest.mark.parametrize("name", ["gray", "gray10le", "nv12", "p010le", "yuv444p"])
def test_a_frame_that_is_cut_short_comes_after_the_whole_ones(name: str) -> None:
    pixels = FORMATS[name]
    one = pixels.frame_bytes((3, 5))
    for missing in (1, one - 1):
        frames = iter(RawReader(BytesIO(bytes(2 * one - missing)), (3, 5), pixels, name="'x'"))
        next(frames)
        said = f"'x' ends after {one - missing} of the {one} bytes of frame 1; whole frames"
        with pytest.raises(VideoError, match=said):
            next(frames)


@given(st.sampled_from(YUV), st.integers(1, 4), st.integers(1, 4), st.binary())
def test_any_bytes_are_frames_or_end_within_one(
    name: str, height: int, width: int, content: bytes
) -> None:
    pixels = FORMATS[name]
    whole, rest = divmod(len(content), pixels.frame_bytes((height, width)))
    frames = iter(RawReader(BytesIO(content), (height, width), pixels))
    for _ in range(whole):
        assert next(frames).size == (height, width)
    with pytest.raises(VideoError if rest else StopIteration):
        next(frames)


def test_what_the_codes_mean() -> None:
    def signal(name: str, **options: object):
        return RawReader(BytesIO(), (720, 9), FORMATS[name], **options).signal

    assert signal("gray").range == "full"
    assert signal("gray", range="limited").range == "limited"
    assert signal("nv12").range == "limited"
    assert signal("nv12", range="full").range == "full"
    assert signal("p410le").subsampling == 444
    assert signal("yuv422p", siting="topleft").siting == "topleft"
    assert signal("yuv422p").matrix == "bt709"


def test_frames_over_the_limit_are_refused() -> None:
    with pytest.raises(ValueError, match="frames of 5x4 came; at most 19 pixels were needed"):
        RawReader(BytesIO(), (4, 5), FORMATS["gray"], max_pixels=19)

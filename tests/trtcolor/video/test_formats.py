"""Pixel formats: as FFmpeg lays them out."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from trtcolor.video.formats import (
    FORMATS,
    check_pixels,
    parse_size,
    pixel_format,
    with_chroma,
)

SIZE = (7, 9)


def ffmpeg_frame(name: str) -> bytes:
    """A frame of SIZE in a format, made from a grey ramp of 16 bits in full range."""
    ramp = np.arange(63, dtype="<u2").reshape(SIZE) * 1040
    source = ["-f", "rawvideo", "-pixel_format", "gray16le", "-video_size", "9x7", "-i", "-"]
    command = ["ffmpeg", "-v", "error", *source, "-pix_fmt", name, "-f", "rawvideo", "-"]
    done = subprocess.run(command, input=ramp.tobytes(), capture_output=True, check=False)
    if b"Unknown pixel format" in done.stderr or b"Impossible to convert" in done.stderr:
        pytest.skip(f"this ffmpeg does not convert to {name}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed")
@pytest.mark.parametrize("name", FORMATS)
def test_frames_are_as_long_as_ffmpegs_and_luma_lies_where_it_lies_there(name: str) -> None:
    pixels = pixel_format(name)
    content = ffmpeg_frame(name)
    assert len(content) == pixels.frame_bytes(SIZE)
    shape = pixels.first_plane(SIZE)
    plane = np.frombuffer(content, pixels.dtype, int(np.prod(shape))).reshape(shape)
    luma = plane[:, :, 1] if pixels.is_rgb else pixels.luma_of(plane)
    assert luma.shape == SIZE
    assert luma.dtype == (np.uint8 if pixels.depth == 8 else np.uint16)
    greatest = (1 << pixels.depth) - 1
    low, high = (16, 235) if pixels.kind in ("planar", "semiplanar") else (0, 255)
    scale = greatest / 255 if low == 0 else 1 << pixels.depth - 8
    ramp = np.arange(63).reshape(SIZE) * 1040 / 65535
    expected = (low + ramp * (high - low)) * scale
    np.testing.assert_allclose(luma, expected, atol=scale * 1.5)


def test_grey_gets_420_of_its_depth_and_others_stay() -> None:
    assert with_chroma(FORMATS["gray"]) is FORMATS["yuv420p"]
    assert with_chroma(FORMATS["gray12le"]) is FORMATS["yuv420p12le"]
    assert with_chroma(FORMATS["p210le"]) is FORMATS["p210le"]
    assert all(with_chroma(one).depth == one.depth for one in FORMATS.values())


def test_sizes_and_names_that_are_none_are_refused() -> None:
    assert parse_size("1920x1080") == (1080, 1920)
    for text in ("", "1920", "0x5", "5x0", "-5x5", "5 x 5", "5x5x5", "٣x٣", "9999999999x1"):
        with pytest.raises(ValueError, match="is no size; WIDTHxHEIGHT was needed"):
            parse_size(text)
    with pytest.raises(ValueError, match="'yuyv422' is no pixel format that"):
        pixel_format("yuyv422")
    check_pixels((8192, 16384))
    with pytest.raises(ValueError, match="frames of 16384x8193 came; at most 134217728 pixels"):
        check_pixels((8193, 16384))

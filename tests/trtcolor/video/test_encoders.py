"""Which encoder a film gets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from trtcolor.errors import VideoError
from trtcolor.planes import Subsampling
from trtcolor.video.encoders import choose_encoding
from trtcolor.video.encoding import Encoding
from trtcolor.video.frames import Signal
from trtcolor.video.samples import Samples


def chosen(
    name: str, *, depth: int = 8, subsampling: Subsampling = 420, rate: Any = 24, **asked: Any
) -> Encoding:
    pixels = f"yuv{subsampling}p" + ("" if depth == 8 else f"{depth}le")
    signal = Signal(depth=depth, subsampling=subsampling)
    samples = Samples(signal, pixels, pixels, (2, 2, 2, 1), True)
    return choose_encoding(name, samples, (48, 64), Fraction(rate), **asked)


@pytest.mark.parametrize(
    ("name", "depth", "subsampling", "codec"),
    [
        ("film.mkv", 8, 420, "libx264"),
        ("film.mp4", 10, 422, "libx264"),
        ("film.mov", 12, 420, "libx265"),
        ("film.mkv", 16, 420, "ffv1"),
        ("film.mkv", 9, 444, "ffv1"),
        ("film.webm", 8, 420, "libvpx-vp9"),
        ("film.webm", 10, 420, "libsvtav1"),
        ("film.avi", 8, 420, "mpeg4"),
        ("film.ts", 8, 420, "libx264"),
        ("film.mpg", 8, 420, "mpeg2video"),
    ],
)
def test_the_encoder_goes_by_container_and_samples(
    name: str, depth: int, subsampling: Subsampling, codec: str
) -> None:
    assert chosen(name, depth=depth, subsampling=subsampling).codec == codec


@pytest.mark.parametrize("rate", [Fraction(1, 5000), Fraction(1536000, 63989), 240, "30000/1001"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_any_rate_opens_an_encoder(rate: Any, codec: str) -> None:
    encoder = chosen("film.mkv", rate=rate, codec=codec).open()
    assert encoder.is_open


def test_quality_is_asked_for_in_the_encoders_own_measure() -> None:
    assert chosen("film.mkv", quality=23).options["crf"] == "23"
    assert chosen("film.avi", quality=5).qscale == 5
    plain = chosen("film.mkv", options={"qp": "0"}).options
    assert plain["qp"] == "0"
    assert "crf" not in plain


@pytest.mark.parametrize(
    ("name", "asked", "reason"),
    [
        ("film.webm", {"codec": "libx264"}, "webm"),
        ("film.mkv", {"codec": "libx264", "depth": 12}, "yuv420p12le"),
        ("film.ogv", {}, "ogv"),
        ("film", {}, "ending"),
        ("film.mkv", {"codec": "ffv1", "quality": 3}, "lossless"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    name: str, asked: dict[str, Any], reason: str
) -> None:
    with pytest.raises(VideoError, match=reason):
        chosen(name, **asked)

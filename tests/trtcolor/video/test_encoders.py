"""Which encoder a film gets."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from trtcolor.errors import VideoError
from trtcolor.planes import Subsampling
from trtcolor.video.encoders import choose_encoding
from trtcolor.video.encoding import THREADS, Encoding
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


def test_parameters_of_x265_are_added_to_those_that_it_needs() -> None:
    asked = {"x265-params": "aq-mode=3"}
    found = chosen("film.mkv", codec="libx265", options=asked).options["x265-params"]
    assert found.split(":") == ["log-level=none", f"pools={THREADS}", "aq-mode=3"]


CODED = """
import hashlib, io, os, sys
import numpy as np
from test_encoders import chosen
from trtcolor.video.sink import PacketWriter
if sys.argv[2] == "one":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
rows, columns = np.mgrid[:48, :64]
coded = io.BytesIO()
writer = PacketWriter(chosen("film.mkv", codec=sys.argv[1]), coded)
for index in range(60):
    picture = ((rows * columns + 3 * index * rows) % 256).astype(np.uint8)
    writer.write(picture, picture[::2, ::2], picture[1::2, ::2], index, 1)
writer.finish()
print(hashlib.sha256(writer.extradata + coded.getvalue()).hexdigest())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
@pytest.mark.parametrize(
    "codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "mpeg4", "mpeg2video"]
)
def test_an_encoder_makes_the_same_bytes_on_any_number_of_cores(codec: str) -> None:
    def coded(cores: str) -> str:
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        return subprocess.run(
            [sys.executable, "-P", "-c", CODED, codec, cores],
            check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
        ).stdout  # fmt: skip

    assert coded("one") == coded("all")


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

"""A film made from its spans, in any order and by several makers, is that of one process."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coloured_films import colorizer
from films import WITH_FFMPEG, make_film, pictures, without_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spread_films import Spread, alone, spread

from trtcolor.colorizer import Colorizer
from trtcolor.video.job import FilmFile
from trtcolor.video.reading import MISSES, OtherFrames, SpanReader
from trtcolor.video.spans import Mark

pytestmark = WITH_FFMPEG
__all__ = ["colorizer"]

H264 = "-c:v libx264 -pix_fmt yuv420p"
FOUND = {
    "key frames": f"{H264} -g 12 -bf 2",
    "one key frame": f"{H264} -g 999 -sc_threshold 0",
    "open groups": f"{H264} -g 10 -bf 3 -x264-params open-gop=1",
    "mpeg2": "-c:v mpeg2video -g 9 -bf 2 -q:v 3 -pix_fmt yuv420p",
    "vp9": "-c:v libvpx-vp9 -g 20 -lag-in-frames 8 -deadline realtime -cpu-used 8",
    "uneven": f"-vf setpts='(N*N+7*N)/(3*TB*24)' -vsync passthrough {H264} -enc_time_base 1:90000",
    "deep": "-c:v ffv1 -pix_fmt yuv422p10le",
}
"""Kinds of film, by the options that make them, that are opened in their middle rightly."""


def same(
    colorizer: Colorizer, film: Path, *, makers: int = 2, seed: int = 0, **how: Any
) -> tuple[Spread, int]:
    """Compare; the spread run, and how many fragments there are."""
    how = {"fragment": 8, "codec": "ffv1"} | how
    make = Spread(colorizer, seed=seed, makers=makers)
    report, files = alone(colorizer, film, film.with_name("one.mkv"), **how)
    reports, many = spread(colorizer, film, film.with_name("many.mkv"), make, **how)
    assert files.keys() == many.keys()
    for name in files:
        assert files[name] == many[name], name
    assert report.broken == reports.broken
    assert (report.frames, report.cut_short) == (reports.frames, reports.cut_short)
    assert report.notes == reports.notes
    return make, len(files) // 3


@pytest.mark.parametrize("kind", FOUND)
def test_films_are_opened_in_their_middle(kind: str, colorizer: Colorizer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(70, shots=4), *FOUND[kind].split())
    make, fragments = same(colorizer, film)
    assert fragments > 3
    assert make.misses == 0


@pytest.mark.parametrize("ending", ["mp4", "mov", "ts", "avi", "webm", "mxf"])
def test_any_container_gives_the_same_frames(
    ending: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    others = {"webm": "libvpx-vp9", "mxf": "mpeg2video", "avi": "mpeg4"}
    codec = f"-c:v {others[ending]}" if ending in others else f"{H264} -g 9 -bf 2"
    film = make_film(tmp_path / f"in.{ending}", pictures(70, shots=4), *codec.split())
    same(colorizer, film)


@pytest.mark.parametrize("deinterlace", ["bwdif", "yadif"])
def test_a_filter_for_fields_has_the_past_that_it_needs(
    deinterlace: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    options = "-c:v mpeg2video -g 9 -q:v 3 -flags +ildct+ilme -field_order tt -pix_fmt yuv420p"
    film = make_film(tmp_path / "in.mkv", pictures(50, shots=3), *options.split())
    same(colorizer, film, deinterlace=deinterlace)


@pytest.mark.parametrize(("lost", "fragment"), [(0, 8), (17, 8), (25, 8), (46, 8), (0, 1), (5, 1)])
@pytest.mark.parametrize("on_error", ["grey", "repeat"])
def test_broken_frames_are_shown_and_reported_alike(
    on_error: str, lost: int, fragment: int, colorizer: Colorizer, tmp_path: Path
) -> None:
    film = without_frame(tmp_path / "in.avi", lost, pictures(48, shots=2))
    make, _ = same(colorizer, film, on_error=on_error, fragment=fragment)
    assert sum(mark.fault is not None for span in make.spans for mark in span.marks) == 1


def test_a_film_without_time_stamps_is_read_from_its_beginning(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "in.h264", pictures(70, shots=4), *f"{H264} -g 9 -bf 2".split())
    make, fragments = same(colorizer, film, makers=1)
    assert 0 < make.misses <= MISSES < fragments


def test_time_stamps_that_were_moved_are_moved_alike(colorizer: Colorizer, tmp_path: Path) -> None:
    stamps = "setpts='if(between(N,20,44),N-1,N)/(24*TB)'"
    options = f"-vf {stamps} -vsync passthrough {H264} -g 6 -bf 0 -enc_time_base 1:24"
    film = make_film(tmp_path / "in.mkv", pictures(60, shots=3), *options.split())
    same(colorizer, film)


def test_a_steadiness_of_zero_lets_every_fragment_begin_by_itself(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    there = pictures(19, shots=1)
    film = make_film(tmp_path / "in.mkv", np.concatenate([there, there[::-1]] * 2), *H264.split())
    make, _ = same(colorizer, film, steady=0.0)
    assert len(make.spans) > 3
    assert not any(span.waits for span in make.spans)
    film.with_name("one.mkv").unlink()
    film.with_name("many.mkv").unlink()
    make, _ = same(colorizer, film)
    assert [span.waits for span in make.spans] == [False, *[True] * (len(make.spans) - 1)]


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9", "mpeg4"])
def test_encoders_make_the_same_fragments(codec: str, colorizer: Colorizer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(70, shots=4), *FOUND["key frames"].split())
    same(colorizer, film, codec=codec, fragment=10)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shots=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    fragment=st.integers(1, 14),
    distance=st.integers(1, 25),
    steady=st.sampled_from([0.0, 0.5, 1.0]),
    makers=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_wherever_cuts_lie_the_fragments_are_the_same(
    shots: list[int],
    fragment: int,
    distance: int,
    steady: float,
    makers: int,
    seed: int,
    colorizer: Colorizer,
) -> None:
    every = pictures(90, shots=3)
    begins = [30 * (number % 3) for number in range(len(shots))]
    frames = [every[begin + index] for begin, shot in zip(begins, shots, strict=True)
              for index in range(shot)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        film = make_film(
            Path(folder) / "in.mkv", np.stack(frames), *H264.split(), "-g", str(distance)
        )
        same(colorizer, film, makers=makers, seed=seed, fragment=fragment, steady=steady)


@pytest.mark.parametrize("most", [0, 3, 5])
def test_either_kind_of_run_goes_on_with_the_work_of_the_other(
    most: int, colorizer: Colorizer, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(70, shots=4), *FOUND["key frames"].split())
    how: dict[str, Any] = {"fragment": 6, "codec": "ffv1"}
    _, whole = alone(colorizer, film, tmp_path / "whole.mkv", **how)
    output = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        spread(colorizer, film, output, Spread(colorizer, seed=5, most=most), **how)
    parts = tmp_path / "out.mkv.parts"
    assert len(list(parts.glob("*.packets"))) == most
    if most:
        shutil.copytree(parts, tmp_path / "again.mkv.parts")
    _, files = alone(colorizer, film, output, resume=True, **how)
    assert files == whole
    again = Spread(colorizer, seed=6)
    _, files = spread(colorizer, film, tmp_path / "again.mkv", again, resume=True, **how)
    assert files == whole


def test_frames_that_are_decoded_otherwise_are_never_taken_for_those_that_were_meant(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(30), *FOUND["key frames"].split())
    make, _ = same(colorizer, film)
    span = make.spans[1]
    marks = [*span.marks]
    marks[4] = replace(marks[4], crc=1)
    file = FilmFile(str(film), None, None, False, False)
    with SpanReader(file) as reader:
        read = 0
        for frames in reader.ways(replace(span, marks=tuple(marks))):
            with pytest.raises(OtherFrames):
                list(frames)
            read += 1
        assert read == 4  # on from there, two jumps, from the beginning
        for way in reader.ways(span):
            assert [Mark.of(frame) for frame in way] == [*span.marks, *span.ahead]
            break

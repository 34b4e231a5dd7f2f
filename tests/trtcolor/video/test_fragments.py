"""Where fragments end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coloured_films import colored, colorizer
from films import WITH_FFMPEG, make_film, pictures, without_frame
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError
from trtcolor.video.film import color_film
from trtcolor.video.fragments import LONGEST, ends_before
from trtcolor.video.settings import FilmSettings
from trtcolor.video.work import Work

__all__ = ["colorizer"]


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 40))
def test_fragments_are_full_and_never_longer_than_twice_that_and_end_with_shots_where_they_may(
    cuts: list[bool], full: int
) -> None:
    lengths, frames = [], 0
    for cut in cuts:
        if ends_before(cut, frames, full):
            assert cut or frames == LONGEST * full
            lengths.append(frames)
            frames = 0
        else:
            assert not (cut and frames >= full)
        frames += 1
    assert all(full <= length <= LONGEST * full for length in lengths)
    assert frames <= LONGEST * full


@WITH_FFMPEG
def test_a_films_fragments_begin_with_its_shots(tmp_path: Path, colorizer: Colorizer) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(60, shots=3), "-c:v", "ffv1")
    firsts: list[int] = []
    remove = Work.remove

    def look(work: Work) -> None:
        firsts.extend(fragment.first for fragment in work.fragments)
        remove(work)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, "remove", look)
        colored(colorizer, film, fragment=15)
    assert firsts == [0, 20, 40]


@WITH_FFMPEG
def test_no_fragment_ends_by_what_was_judged_before_an_error_without_the_frames_behind(
    tmp_path: Path, colorizer: Colorizer
) -> None:
    """A flash right before the film breaks off looks like a cut: nothing contradicts it."""
    frames = pictures(24, shots=1)
    frames[20:] = 255 - frames[20:]
    film = without_frame(tmp_path / "in.avi", 21, frames)
    output = tmp_path / "out.mkv"
    settings = FilmSettings(fragment=4, codec="ffv1")
    with pytest.raises(VideoError, match="broken frame"):
        color_film(colorizer, film, output, settings)
    records = sorted(output.with_name("out.mkv.parts").glob("*.json"))
    firsts = [json.loads(path.read_text())["first"] for path in records if path.stem.isdigit()]
    assert firsts == [0, 8]

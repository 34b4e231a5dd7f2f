"""What goes with a film's frames: sound, subtitles, chapters, attachments, metadata, rotation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coloured_films import color, colored, colorizer
from films import (
    RATE,
    WITH_FFMPEG,
    copied_hashes,
    ffmpeg,
    hashes,
    luma_hashes,
    make_film,
    pictures,
    probe,
    times,
)

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError

pytestmark = WITH_FFMPEG
__all__ = ["colorizer"]

CHAPTERS = """;FFMETADATA1
title=A film
comment=of two shots
[CHAPTER]
TIMEBASE=1/1000
START=0
END=300
title=One
[CHAPTER]
TIMEBASE=1/1000
START=300
END=1000
title=Two
"""
NOT_SQUARE = ("-vf", "setsar=16/11", "-c:v", "libx264", "-pix_fmt", "yuv420p")
SUBTITLES = """1
00:00:00,100 --> 00:00:00,400
Hello

2
00:00:00,600 --> 00:00:00,900
there
"""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Matroska with two sound tracks, subtitles, chapters, a font and metadata."""
    (tmp_path / "chapters.txt").write_text(CHAPTERS)
    (tmp_path / "words.srt").write_text(SUBTITLES)
    (tmp_path / "letters.ttf").write_bytes(bytes(range(256)) * 4)
    inputs = ["-f", "lavfi", "-i", "sine=440:d=1", "-f", "lavfi", "-i", "sine=880:d=1"]
    inputs += ["-i", str(tmp_path / "words.srt"), "-i", str(tmp_path / "chapters.txt")]
    options = (
        "-map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4 -c:v libx264 -bf 2 "
        "-pix_fmt yuv420p -c:a:0 aac -c:a:1 flac -c:s srt -metadata:s:a:0 language=eng "
        "-metadata:s:a:1 language=jpn -disposition:a:1 default -disposition:a:0 0 "
        f"-attach {tmp_path / 'letters.ttf'} -metadata:s:t mimetype=application/x-truetype-font"
    )
    return make_film(tmp_path / "full.mkv", pictures(RATE), *options.split(), inputs=inputs)


def described(path: Path) -> list[dict[str, Any]]:
    """Each stream's kind, codec, tags and dispositions; not what the container makes itself."""
    found = []
    for stream in probe(path, "streams")["streams"]:
        tags = {k.lower(): v for k, v in stream.get("tags", {}).items()}
        kept = {k: tags[k] for k in ("language", "title", "filename", "mimetype") if k in tags}
        kind = stream["codec_type"]
        codec = stream.get("codec_name") if kind != "video" else None
        found.append({"kind": kind, "codec": codec, "tags": kept} | stream["disposition"])
    return found


def test_matroska_keeps_every_stream_chapter_attachment_and_tag(
    full: Path, colorizer: Colorizer
) -> None:
    report = colored(colorizer, full, codec="libx264")
    output = full.with_name("out.mkv")
    assert report.notes == ()
    assert described(output) == described(full)
    for stream in ("v:0", "a:0", "a:1", "s:0"):
        assert times(output, stream) == times(full, stream)
    for stream in ("a:0", "a:1", "s:0"):
        assert copied_hashes(output, stream) == copied_hashes(full, stream)
    assert probe(output, "chapters") == probe(full, "chapters")
    tags = [probe(path, "format")["format"]["tags"] for path in (full, output)]
    assert {k: v for k, v in tags[1].items() if k != "ENCODER"} == {
        k: v for k, v in tags[0].items() if k != "ENCODER"
    }
    ffmpeg("-dump_attachment:t:0", str(full.with_name("again.ttf")), "-i", str(output), "-f",
           "null", "-")  # fmt: skip
    assert full.with_name("again.ttf").read_bytes() == full.with_name("letters.ttf").read_bytes()


def test_mp4_keeps_time_base_time_stamps_sound_and_chapters(
    full: Path, colorizer: Colorizer
) -> None:
    source = full.with_name("full.mp4")
    ffmpeg("-i", str(full), "-map", "0:v", "-map", "0:a:0", "-map", "0:s", "-c", "copy", "-c:s",
           "mov_text", "-video_track_timescale", "30000", str(source))  # fmt: skip
    output = color(colorizer, source, full.with_name("out.mp4"), codec="libx264")
    for stream in ("v:0", "a:0", "s:0"):
        assert times(output, stream) == times(source, stream)
        bases = [probe(path, "streams", stream=stream)["streams"] for path in (source, output)]
        assert bases[0][0]["time_base"] == bases[1][0]["time_base"]
    assert copied_hashes(output, "a:0") == copied_hashes(source, "a:0")
    chapters = [probe(path, "chapters")["chapters"] for path in (source, output)]
    names = [[chapter["tags"]["title"] for chapter in each] for each in chapters]
    assert names == [["One", "Two"]] * 2
    assert probe(output, "format")["format"]["tags"]["title"] == "A film"


@pytest.mark.parametrize("ending", ["mov", "mp4", "mkv"])
def test_the_timecode_of_a_camera_is_kept(ending: str, full: Path, colorizer: Colorizer) -> None:
    source, output = full.with_name("camera.mov"), full.with_name(f"out.{ending}")
    ffmpeg("-i", str(full), "-map", "0:v", "-map", "0:a:0", "-map_chapters", "-1", "-c", "copy",
           "-timecode", "10:20:30:05", str(source))  # fmt: skip
    assert described(source)[-1]["kind"] == "data"
    report = colored(colorizer, source, output, codec="libx264")
    assert not [note for note in report.notes if "not copied" in note]
    tags = probe(output, "streams")["streams"][0]["tags"]
    assert {key.lower(): tag for key, tag in tags.items()}["timecode"] == "10:20:30:05"
    assert [one["kind"] for one in described(output)].count("data") == (ending != "mkv")


def test_what_a_transport_stream_would_bury_is_named(full: Path, colorizer: Colorizer) -> None:
    with pytest.raises(VideoError, match=r"mpegts does not take the sound .*flac"):
        colored(colorizer, full, full.with_name("out.ts"), codec="libx264")
    aac = full.with_name("aac.mkv")
    ffmpeg("-i", str(full), "-map", "0", "-map", "-0:a:1", "-c", "copy", str(aac))
    report = colored(colorizer, aac, full.with_name("out.ts"), codec="libx264")
    said = "\n".join(report.notes)
    assert "subtitle srt: mpegts does not take it" in said
    assert "attachment letters.ttf: mpegts does not take it" in said
    streams = probe(full.with_name("out.ts"), "streams")["streams"]
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]


def test_a_film_that_begins_earlier_in_its_container_is_said_to(
    full: Path, colorizer: Colorizer
) -> None:
    late = full.with_name("late.mkv")
    ffmpeg("-itsoffset", "0.5", "-i", str(full), "-map", "0:v", "-c", "copy", str(late))
    report = colored(colorizer, late, full.with_name("out.avi"), codec="mpeg4")
    assert "the film begins 0.523 s earlier, as this container has it" in report.notes


def test_sound_that_begins_before_the_picture_does_not_move_it(
    full: Path, colorizer: Colorizer
) -> None:
    source = full.with_name("full.mp4")
    ffmpeg("-i", str(full), "-map", "0:v", "-c", "copy", str(source.with_name("picture.mp4")))
    ffmpeg("-i", str(source.with_name("picture.mp4")), "-f", "lavfi", "-i", "sine=440:d=1",
           "-c:v", "copy", "-c:a", "aac", str(source))  # fmt: skip
    assert times(source, "a:0")[0] < 0
    output = color(colorizer, source, codec="libx264")
    for stream in ("v:0", "a:0"):
        bases = [
            Fraction(probe(path, "streams", stream=stream)["streams"][0]["time_base"])
            for path in (source, output)
        ]
        seconds = [
            [pts * base for pts in times(path, stream)]
            for path, base in zip((source, output), bases, strict=True)
        ]
        apart = [abs(a - b) for a, b in zip(*seconds, strict=True)]
        assert max(apart) <= Fraction(1, 2000)


def test_what_a_container_cannot_take_is_named_and_lost_sound_refused(
    full: Path, colorizer: Colorizer
) -> None:
    report = colored(colorizer, full, full.with_name("out.mp4"), codec="libx264")
    said = "\n".join(report.notes)
    assert "srt" in said
    assert "letters.ttf" in said
    with pytest.raises(VideoError, match="sound"):
        color(colorizer, full, full.with_name("out.webm"), codec=None)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_variable_frame_rates_keep_every_time_stamp(
    ending: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    uneven = "setpts='(N*N+7*N)/(3*TB*24)'"
    source = make_film(
        tmp_path / f"in.{ending}", pictures(9), "-vf", uneven, "-vsync", "passthrough",
        "-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", "-enc_time_base", "1:90000",
    )  # fmt: skip
    stamps = times(source)
    assert len(set(np.diff(stamps))) > 3
    for codec in ("libx264", "libvpx-vp9"):
        output = color(colorizer, source, tmp_path / f"out.{ending}", codec=codec, fragment=4)
        assert times(output) == stamps
        assert len(hashes(output)) == 9


@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi"])
def test_a_rotation_is_kept_or_done(ending: str, colorizer: Colorizer, tmp_path: Path) -> None:
    plain = make_film(
        tmp_path / "plain.mp4", pictures(3), "-c:v", "libx264", "-crf", "4", "-pix_fmt", "yuv420p"
    )
    source = tmp_path / "in.mp4"
    ffmpeg("-i", str(plain), "-c", "copy", "-metadata:s:v:0", "rotate=90", str(source))
    output = tmp_path / f"out.{ending}"
    report = colored(colorizer, source, output, codec="mpeg4" if ending == "avi" else "libx264")
    stream = probe(output, "streams")["streams"][0]
    if ending == "avi":
        assert (stream["width"], stream["height"]) == (48, 64)
        assert any("rotation" in note for note in report.notes)
        # ffmpeg turns the source itself when it decodes it.
        shown = [
            np.frombuffer(
                ffmpeg("-i", str(path), "-vf", "extractplanes=y", "-f", "rawvideo", "-"), np.uint8
            ).astype(int)
            for path in (source, output)
        ]
        assert np.abs(shown[0] - shown[1]).mean() < 3
    else:
        assert (stream["width"], stream["height"]) == (64, 48)
        import av

        with av.open(str(source)) as one, av.open(str(output)) as other:
            turns = [next(c.decode(video=0)).rotation for c in (one, other)]
        assert turns[0] == turns[1] != 0


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mkv", "ffv1"), ("out.mkv", "libx264"), ("out.mp4", "libvpx-vp9")]
)
def test_samples_that_are_not_square_stay_so(
    name: str, codec: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pictures(2),
        *NOT_SQUARE,
    )
    output = color(colorizer, source, tmp_path / name, codec=codec)
    assert probe(output, "streams")["streams"][0]["sample_aspect_ratio"] == "16:11"
    assert times(output) == times(source) or name.endswith("mp4")


def test_the_lost_aspect_is_named_where_there_is_no_ffmpeg_program(
    colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pictures(2),
        *NOT_SQUARE,
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert any("aspect" in note for note in colored(colorizer, source).notes)


def test_one_frame_is_a_film(colorizer: Colorizer, tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pictures(1), "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    output = color(colorizer, source)
    assert luma_hashes(output) == luma_hashes(source)
    assert len(times(output)) == 1


def test_a_film_without_time_stamps_has_those_of_its_rate(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(tmp_path / "in.h264", pictures(6), "-c:v", "libx264", "-bf", "2")
    output = color(colorizer, source, tmp_path / "out.mp4", codec="libx264", fragment=2)
    seconds = [float(p["pts_time"]) for p in probe(output, "packets", stream="v:0")["packets"]]
    steps = np.diff(sorted(seconds))
    assert steps.size == 5
    assert np.ptp(steps) < 2e-6


def test_a_second_video_and_a_cover_go_along(colorizer: Colorizer, tmp_path: Path) -> None:
    cover = make_film(tmp_path / "cover.png", pictures(1))
    plain = make_film(tmp_path / "plain.mkv", pictures(4), "-c:v", "ffv1", "-pix_fmt", "gray")
    source = tmp_path / "in.mkv"
    ffmpeg("-i", str(plain), "-i", str(plain), "-map", "0", "-map", "1", "-c", "copy", "-attach",
           str(cover), "-metadata:s:t", "mimetype=image/png", str(source))  # fmt: skip
    output = color(colorizer, source)
    streams = probe(output, "streams")["streams"]
    assert [stream["codec_name"] for stream in streams] == ["ffv1", "ffv1", "png"]
    assert [stream["pix_fmt"] for stream in streams][:2] == ["yuv420p", "gray"]
    for stream in ("1", "2"):
        assert copied_hashes(output, stream) == copied_hashes(source, stream)

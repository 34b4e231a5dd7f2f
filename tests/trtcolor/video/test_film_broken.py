"""Films with frames that cannot be decoded, and files that are no films."""

from __future__ import annotations

from pathlib import Path

import pytest
from coloured_films import colored, colorizer
from command_line import refused, run
from films import (
    WITH_FFMPEG,
    damage_middle,
    ffmpeg,
    hashes,
    luma_hashes,
    make_film,
    pictures,
    probe,
    times,
    without_frame,
)

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError
from trtcolor.video.length import matroska_is_torn

pytestmark = WITH_FFMPEG
__all__ = ["colorizer"]

LOST = 5


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return without_frame(tmp_path / "in.avi", LOST)


@pytest.fixture
def garbled(tmp_path: Path) -> Path:
    """H.264 with garbage inside a frame that no other depends on."""
    options = "-c:v libx264 -g 1 -crf 1 -pix_fmt yuv420p"
    film = make_film(tmp_path / "in.mkv", pictures(12, (120, 160)), *options.split())
    return damage_middle(film)


def test_a_broken_frame_ends_the_run_with_its_time(film: Path, colorizer: Colorizer) -> None:
    with pytest.raises(VideoError, match=rf"broken frame at {LOST / 24:.3f} s"):
        colored(colorizer, film)
    assert not film.with_name("out.mkv").exists()


@pytest.mark.parametrize("on_error", ["grey", "repeat"])
def test_a_lost_frame_is_replaced_and_reported(
    on_error: str, film: Path, colorizer: Colorizer
) -> None:
    report = colored(colorizer, film, on_error=on_error, fragment=4)
    output = film.with_name("out.mkv")
    assert [(broken.index, round(broken.seconds, 3)) for broken in report.broken] == [
        (LOST, round(LOST / 24, 3))
    ]
    assert report.frames == len(times(output)) == 12
    shown = hashes(output)
    if on_error == "repeat":
        assert shown[LOST] == shown[LOST - 1]
    else:
        grey = ffmpeg("-i", str(output), "-vf", f"select=eq(n\\,{LOST})", "-f", "rawvideo", "-")
        assert set(grey) == {128}
    kept = [luma for index, luma in enumerate(luma_hashes(output)) if index != LOST]
    assert kept == luma_hashes(film)  # ffmpeg leaves the lost frame out


def test_a_garbled_frame_keeps_what_the_decoder_made_of_it(
    garbled: Path, colorizer: Colorizer
) -> None:
    report = colored(colorizer, garbled, on_error="grey")
    output = garbled.with_name("out.mkv")
    assert len(report.broken) >= 1
    assert times(output) == times(garbled)
    chroma = hashes(output, "extractplanes=u")
    flat = chroma[report.broken[0].index]
    assert chroma.count(flat) == len(report.broken)


FFV1 = "-c:v ffv1 -level 3 -slices 4 -pix_fmt yuv420p"


def garble(film: Path, number: int) -> None:
    """Other bytes in the midst of a packet, which a decoder of FFV1 shows as it comes."""
    packet = probe(film, "packets", stream="v:0")["packets"][number]
    content = bytearray(film.read_bytes())
    place = int(packet["pos"]) + int(packet["size"]) // 2
    content[place : place + 4] = bytes(byte ^ 0xFF for byte in content[place : place + 4])
    film.write_bytes(content)


@pytest.mark.parametrize("ending", ["mkv", "avi", "mov"])
@pytest.mark.parametrize("number", [0, 5, 11])
def test_a_slice_of_ffv1_with_a_wrong_checksum_breaks_its_frame(
    number: int, ending: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    options = f"{FFV1} -slicecrc 1 -g 1".split()
    film = make_film(tmp_path / f"in.{ending}", pictures(12, (120, 160)), *options)
    garble(film, number)
    with pytest.raises(VideoError, match=rf"frame at {number / 24:.3f} s \(a checksum in it is"):
        colored(colorizer, film)
    report = colored(colorizer, film, on_error="grey")
    assert [broken.index for broken in report.broken] == [number]
    assert luma_hashes(film.with_name("out.mkv")) == luma_hashes(film)


def test_a_frame_of_ffv1_that_depends_on_a_damaged_one_is_broken_too(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    options = f"{FFV1} -slicecrc 1 -g 6".split()
    film = make_film(tmp_path / "in.mkv", pictures(18, (120, 160)), *options)
    garble(film, 8)
    report = colored(colorizer, film, on_error="repeat")
    assert [broken.index for broken in report.broken] == [8, 9, 10, 11]
    assert [("depends" in broken.reason) for broken in report.broken] == [False, True, True, True]


@pytest.mark.parametrize("how", ["-level 3 -slicecrc 0", "-level 1", "-level 3 -slicecrc 1"])
def test_whole_ffv1_is_whole_with_checksums_and_without(
    how: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    options = f"-c:v ffv1 {how} -g 5 -pix_fmt yuv422p10le".split()
    film = make_film(tmp_path / "in.mkv", pictures(12, (120, 160)), *options)
    assert colored(colorizer, film).broken == ()


def test_a_film_that_begins_broken_has_nothing_to_repeat(
    tmp_path: Path, colorizer: Colorizer
) -> None:
    source = without_frame(tmp_path / "in.avi", 0)
    report = colored(colorizer, source, on_error="repeat")
    assert [broken.index for broken in report.broken] == [0]
    assert report.frames == 12


@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi"])
def test_a_film_cut_short_is_said_to_be(ending: str, colorizer: Colorizer, tmp_path: Path) -> None:
    options = "-c:v mpeg4 -g 1 -pix_fmt yuv420p"
    if ending == "mp4":
        options += " -movflags +faststart"
    source = make_film(tmp_path / f"in.{ending}", pictures(60), *options.split())
    content = source.read_bytes()
    source.write_bytes(content[: len(content) * 2 // 5])
    with pytest.raises(VideoError, match=r"cut short|broken"):
        colored(colorizer, source)
    report = colored(colorizer, source, on_error="repeat")
    assert report.cut_short is not None
    assert 10 < report.frames < 40
    assert len(times(source.with_name("out.mkv"))) == report.frames


def test_a_matroska_film_that_lacks_its_last_half_second_is_cut_short(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(tmp_path / "in.mkv", pictures(24), "-c:v", "mpeg4", "-g", "1")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])
    with pytest.raises(VideoError, match="cut short: it ends at 0"):
        colored(colorizer, source)


def test_only_a_file_that_ends_within_its_segment_is_torn(tmp_path: Path) -> None:
    for ending in ("mkv", "webm", "mp4"):
        film = make_film(tmp_path / f"whole.{ending}", pictures(3), "-c:v", "libvpx-vp9")
        assert not matroska_is_torn(str(film))
        film.write_bytes(film.read_bytes()[:-1])
        assert matroska_is_torn(str(film)) == (ending != "mp4")
        film.write_bytes(film.read_bytes()[:7])
        assert not matroska_is_torn(str(film))  # nothing that it says is there
    live = tmp_path / "live.mkv"
    live.write_bytes(ffmpeg("-i", str(make_film(tmp_path / "in.mkv", pictures(3), "-c:v", "ffv1")),
                            "-c", "copy", "-f", "matroska", "-"))  # fmt: skip
    assert not matroska_is_torn(str(live))
    assert not matroska_is_torn(str(tmp_path / "missing.mkv"))


def test_what_is_no_film_is_refused_in_one_sentence(colorizer: Colorizer, tmp_path: Path) -> None:
    (tmp_path / "letters.mkv").write_text("no film")
    ffmpeg("-f", "lavfi", "-i", "sine=440:d=1", str(tmp_path / "sound.mka"))
    whole = make_film(tmp_path / "in.mp4", pictures(9), "-c:v", "mpeg4")
    (tmp_path / "headless.mp4").write_bytes(whole.read_bytes()[:3000])
    for name in ("letters.mkv", "sound.mka", "headless.mp4", "missing.mkv"):
        with pytest.raises(VideoError, match=name.split(".")[0]):
            colored(colorizer, tmp_path / name)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi"])
def test_a_film_without_frames_is_refused(
    ending: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(tmp_path / f"in.{ending}", pictures(2), "-c:v", "mpeg4", "-frames:v", "0")
    with pytest.raises(VideoError, match=rf"in\.{ending}"):
        colored(colorizer, source)


def test_a_film_whose_frames_change_is_refused_with_the_time(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    for number, size in enumerate([(48, 64), (32, 64)]):
        make_film(tmp_path / f"{number}.ts", pictures(4, size), "-c:v", "mpeg2video")
    both = (tmp_path / "0.ts").read_bytes() + (tmp_path / "1.ts").read_bytes()
    (tmp_path / "in.ts").write_bytes(both)
    with pytest.raises(VideoError, match="64x48 yuv420p to 64x32"):
        colored(colorizer, tmp_path / "in.ts")


def test_the_command_exits_with_1_where_a_frame_was_not_coloured(film: Path) -> None:
    said = refused("video", film, film.with_name("out.mkv"), "--render", 32)
    assert f"{LOST / 24:.3f} s" in said
    done = run("video", film, film.with_name("out.mkv"), "--render", 32, "--on-error", "repeat",
               "--resume")  # fmt: skip
    assert done.returncode == 1
    assert f"not coloured: frame at {LOST / 24:.3f} s" in done.stderr
    assert len(times(film.with_name("out.mkv"))) == 12

"""Films of every kind of samples: Y' to the bit, time stamps, aspect and tags as they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coloured_films import color, colorizer
from films import WITH_FFMPEG, ffmpeg, hashes, luma_hashes, make_film, pictures, probe, times

from trtcolor.colorizer import Colorizer
from trtcolor.errors import VideoError

pytestmark = WITH_FFMPEG
__all__ = ["colorizer"]

KINDS = {
    "8 bit 4:2:0, H.264": ("-c:v libx264 -pix_fmt yuv420p", "yuv420p"),
    "10 bit 4:2:0, H.264": ("-c:v libx264 -pix_fmt yuv420p10le", "yuv420p10le"),
    "10 bit 4:2:2, H.265": ("-c:v libx265 -x265-params log-level=1 -pix_fmt yuv422p10le",
                            "yuv422p10le"),
    "8 bit 4:2:2": ("-c:v ffv1 -pix_fmt yuv422p", "yuv422p"),
    "8 bit 4:4:4": ("-c:v ffv1 -pix_fmt yuv444p", "yuv444p"),
    "12 bit 4:2:0": ("-c:v ffv1 -pix_fmt yuv420p12le", "yuv420p12le"),
    "16 bit 4:2:0": ("-c:v ffv1 -pix_fmt yuv420p16le", "yuv420p16le"),
    "4:1:1 gets 4:2:2": ("-c:v ffv1 -pix_fmt yuv411p", "yuv422p"),
    "grey gets 4:2:0": ("-c:v ffv1 -pix_fmt gray", "yuv420p"),
    "10 bit grey gets 4:2:0": ("-c:v ffv1 -pix_fmt gray10le", "yuv420p10le"),
    "with alpha, which goes": ("-c:v ffv1 -pix_fmt yuva420p", "yuv420p"),
    "packed": ("-c:v rawvideo -pix_fmt yuyv422", "yuv422p"),
    "full range, M-JPEG": ("-c:v mjpeg -pix_fmt yuvj420p", "yuv420p"),
    "VP9": ("-c:v libvpx-vp9 -pix_fmt yuv420p", "yuv420p"),
    "MPEG-4 with B-frames": ("-c:v mpeg4 -bf 2 -pix_fmt yuv420p", "yuv420p"),
}  # fmt: skip


def video(path: Path) -> dict[str, Any]:
    """What ffprobe says of the first stream."""
    stream: dict[str, Any] = probe(path, "streams")["streams"][0]
    return stream


@pytest.mark.parametrize("kind", KINDS)
def test_luma_and_time_stamps_of_every_kind_are_kept(
    kind: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    options, pixels = KINDS[kind]
    source = make_film(tmp_path / "in.mkv", pictures(7), *options.split())
    output = color(colorizer, source)
    assert luma_hashes(output) == luma_hashes(source)
    assert times(output) == times(source)
    assert video(output)["pix_fmt"] == pixels
    assert len(set(hashes(output, "extractplanes=u"))) == 7  # there is colour in it


@pytest.mark.parametrize(
    ("size", "pixels"),
    [((47, 63), "yuv420p"), ((1, 1), "gray"), ((2, 5), "yuv422p10le"), ((33, 16), "yuv420p")],
)
def test_any_size_is_kept(
    size: tuple[int, int], pixels: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(tmp_path / "in.mkv", pictures(3, size), "-c:v", "ffv1", "-pix_fmt", pixels)
    output = color(colorizer, source)
    assert luma_hashes(output) == luma_hashes(source)
    assert (video(output)["height"], video(output)["width"]) == size


TAGS = ("color_range", "color_space", "color_transfer", "color_primaries", "sample_aspect_ratio")


@pytest.mark.parametrize(
    "options",
    [
        "-color_range tv -colorspace smpte170m -color_trc smpte170m -color_primaries smpte170m",
        "-color_range pc -colorspace bt709 -color_trc bt709 -color_primaries bt709",
        "-color_range tv -colorspace bt2020nc -color_trc bt2020-10 -color_primaries bt2020",
        "-vf setsar=16/11",
        "",
    ],
)
def test_colour_tags_and_aspect_are_kept(
    options: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(
        tmp_path / "in.mkv", pictures(2), *f"-c:v libx264 -pix_fmt yuv420p {options}".split()
    )
    for codec in ("ffv1", "libx264"):
        stream = video(color(colorizer, source, codec=codec))
        assert [stream.get(tag) for tag in TAGS] == [video(source).get(tag) for tag in TAGS]


def test_grey_is_read_and_tagged_as_full_range(colorizer: Colorizer, tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pictures(2), "-c:v", "ffv1", "-pix_fmt", "gray")
    assert video(color(colorizer, source, codec="libx264"))["color_range"] == "pc"


def test_luma_of_rgb_is_what_ffmpeg_computes(colorizer: Colorizer, tmp_path: Path) -> None:
    frames = pictures(3)
    source = make_film(tmp_path / "in.mkv", frames, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    output = color(colorizer, source)
    got = np.frombuffer(
        ffmpeg("-i", str(output), "-vf", "extractplanes=y", "-f", "rawvideo", "-"), np.uint8
    )
    # BT.601 in limited range, as the size suggests.
    wanted = 16 + frames @ np.array([65.481, 128.553, 24.966]) / 255
    assert np.abs(got.reshape(wanted.shape) - wanted).max() < 1.5
    tags = [video(output)[tag] for tag in ("color_range", "color_space")]
    assert tags == ["tv", "smpte170m"]


@pytest.mark.parametrize(
    ("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG"), ("linear", "linear")]
)
def test_other_transfers_are_refused_by_name_unless_taken_as_sdr(
    transfer: str, name: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    options = f"-c:v libx264 -pix_fmt yuv420p10le -color_trc {transfer}"
    source = make_film(tmp_path / "in.mkv", pictures(2), *options.split())
    with pytest.raises(VideoError, match=name):
        color(colorizer, source)
    output = color(colorizer, source, assume_sdr=True)
    assert luma_hashes(output) == luma_hashes(source)
    assert video(output)["color_transfer"] == transfer


def test_a_matrix_that_has_no_chroma_of_this_kind_is_refused_by_name(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    options = "-c:v libx264 -pix_fmt yuv420p -colorspace ycgco"
    source = make_film(tmp_path / "in.mkv", pictures(2), *options.split())
    with pytest.raises(VideoError, match="ycgco"):
        color(colorizer, source)


def test_interlaced_film_is_refused_or_made_whole_frames(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    options = "-vf tinterlace=interleave_top,setfield=tff -c:v libx264 -flags +ildct+ilme"
    source = make_film(tmp_path / "in.mkv", pictures(12), *options.split(), "-pix_fmt", "yuv420p")
    with pytest.raises(VideoError, match="interlaced"):
        color(colorizer, source)
    output = color(colorizer, source, deinterlace="bwdif")
    assert times(output) == times(source)
    assert luma_hashes(output) != luma_hashes(source)


def test_deinterlacing_leaves_whole_frames_as_they_are(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    source = make_film(tmp_path / "in.mkv", pictures(5), "-c:v", "libx264", "-pix_fmt", "yuv420p")
    output = color(colorizer, source, deinterlace="yadif")
    assert luma_hashes(output) == luma_hashes(source)
    assert times(output) == times(source)


def test_the_matrix_of_the_film_is_the_one_of_its_chroma(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    """The same picture in two matrices: other U and V, the same colours."""
    shown = []
    for matrix in ("bt709", "smpte170m"):
        options = f"-vf scale=out_color_matrix={matrix} -c:v ffv1 -pix_fmt gray"
        source = make_film(tmp_path / f"{matrix}.mkv", pictures(1), *options.split())
        tagged = tmp_path / f"{matrix}-tagged.mkv"
        ffmpeg(
            "-i", str(source), "-vf", f"format=yuv444p,setparams=colorspace={matrix}:range=pc",
            "-c:v", "ffv1", "-colorspace", matrix, "-color_range", "pc", str(tagged),
        )  # fmt: skip
        output = color(colorizer, tagged)
        rgb = ffmpeg(
            "-i", str(output), "-vf", f"scale=in_color_matrix={matrix}:in_range=pc,format=rgb24",
            "-f", "rawvideo", "-",
        )  # fmt: skip
        shown.append(np.frombuffer(rgb, np.uint8).astype(int))
    assert np.abs(shown[0] - shown[1]).mean() < 2

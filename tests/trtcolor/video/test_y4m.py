"""y4m: what is written reads back, and whatever comes is read or refused in a sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from coloured import coloured_by_hand
from hypothesis import example, given
from hypothesis import strategies as st

from trtcolor.errors import VideoError
from trtcolor.video.y4m import LONGEST_LINE, Y4MReader, Y4MWriter

DEPTHS = (8, 9, 10, 12, 14, 16)
NAMES = ["420jpeg", "420mpeg2", "420paldv", "420", "mono", "422", "444"]
NAMES += [f"{kind}{depth}" for kind in ("mono", "420p", "422p", "444p") for depth in DEPTHS[1:]]


def stream(header: bytes, *frames: bytes) -> BytesIO:
    return BytesIO(b"YUV4MPEG2 " + header + b"\n" + b"".join(frames))


def reader(header: bytes, *frames: bytes) -> Y4MReader:
    return Y4MReader(stream(header, *frames))


def refusal(header: bytes) -> str:
    with pytest.raises(VideoError) as raised:
        reader(header)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
    return str(raised.value)


@given(
    st.sampled_from(NAMES),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 3),
    st.sampled_from([b"", b" XCOLORRANGE=FULL", b" XCOLORRANGE=LIMITED", b" XABC=1 A1:1"]),
)
def test_what_is_written_reads_back(
    name: str, width: int, height: int, count: int, more: bytes
) -> None:
    rng = np.random.default_rng(width * height)
    header = f"W{width} H{height} F25:1 Ip C{name}".encode() + more
    digits = name[4:]  # of mono12 and 420p12
    depth = int(digits) if digits.isdecimal() else 8
    kind = np.dtype("u1" if depth == 8 else "<u2")
    across = 0 if "mono" in name else width if "444" in name else -(-width // 2)
    down = -(-height // 2) if "420" in name else height
    frames = []
    for index in range(count):
        luma = rng.integers(0, 1 << depth, (height, width), kind)
        chroma = bytes(2 * across * down * kind.itemsize)
        frames.append((luma, b"FRAME\n" if index else b"FRAME XTIME=1\n", chroma))
    came = reader(header, *(line + luma.tobytes() + rest for luma, line, rest in frames))
    out = BytesIO()
    writer = came.writer(out)
    written = []
    for frame, (luma, _, _) in zip(came, frames, strict=True):
        np.testing.assert_array_equal(frame.luma, luma)
        written.append(coloured_by_hand(frame))
        writer.write(written[-1])
    again = Y4MReader(BytesIO(out.getvalue()))
    assert again.signal == came.signal
    assert again.signal.depth == depth
    assert again.header.rate == 25
    assert again.header.format.subsampling == (int(name[:3]) if across else 420)
    for found, frame, (_, line, _) in zip(again, written, frames, strict=True):
        np.testing.assert_array_equal(found.luma, frame.luma)
        assert (found.time, found.tag) == (frame.time, line[5:-1])
    if across:  # the header is the one that came, and the planes follow it as they are
        planes = [f"FRAME{f.tag.decode()}\n".encode() + plane_bytes(f, kind) for f in written]
        assert out.getvalue() == b"YUV4MPEG2 " + header + b"\n" + b"".join(planes)


def plane_bytes(frame: object, kind: np.dtype) -> bytes:
    planes = (frame.luma, frame.u, frame.v)  # type: ignore[attr-defined]
    return b"".join(plane.astype(kind).tobytes() for plane in planes)


def test_grey_goes_out_as_420_with_its_range_said() -> None:
    def out(header: bytes) -> bytes:
        return reader(header).header.coloured().to_line()

    assert out(b"W4 H2 F30000:1001 Ip A1:1 Cmono") == (
        b"YUV4MPEG2 W4 H2 F30000:1001 Ip A1:1 C420mpeg2 XCOLORRANGE=FULL\n"
    )
    assert out(b"W4 H2 Cmono12 XCOLORRANGE=LIMITED") == (
        b"YUV4MPEG2 W4 H2 C420p12 XCOLORRANGE=LIMITED\n"
    )


@pytest.mark.parametrize(
    ("header", "range_", "siting", "subsampling"),
    [
        (b"W4 H2", "limited", "center", 420),
        (b"W4 H2 C420", "limited", "center", 420),
        (b"W4 H2 C420jpeg", "limited", "center", 420),
        (b"W4 H2 C420mpeg2", "limited", "left", 420),
        (b"W4 H2 C420paldv", "limited", "topleft", 420),
        (b"W4 H2 C420p10 XCOLORRANGE=FULL", "full", "left", 420),
        (b"W4 H2 XYSCSS=420MPEG2", "limited", "left", 420),
        (b"W4 H2 XYSCSS=422", "limited", "left", 422),
        (b"W4 H2 C444 XYSCSS=420", "limited", "left", 444),
        (b"W4 H2 Cmono", "full", "left", 420),
        (b"W4 H2 Cmono XCOLORRANGE=limited", "limited", "left", 420),
        (b"W4  H2 C422 ", "limited", "left", 422),
    ],
)
def test_what_the_codes_mean(header: bytes, range_: str, siting: str, subsampling: int) -> None:
    signal = reader(header).signal
    assert (signal.range, signal.siting, signal.subsampling) == (range_, siting, subsampling)


def test_the_matrix_is_the_usual_one_of_the_size_unless_said() -> None:
    assert reader(b"W720 H576").signal.matrix == "bt601"
    assert reader(b"W1280 H720").signal.matrix == "bt709"
    assert Y4MReader(stream(b"W720 H576"), matrix="bt2020").signal.matrix == "bt2020"


def test_times_are_those_of_the_rate() -> None:
    frames = [b"FRAME\n" + bytes(6)] * 3
    times = [frame.time for frame in reader(b"W2 H2 F30000:1001", *frames)]
    assert times == [0, Fraction(1001, 30000), Fraction(2002, 30000)]
    assert [frame.time for frame in reader(b"W2 H2 F0:0", *frames)] == [None] * 3
    assert [frame.time for frame in reader(b"W2 H2", *frames)] == [None] * 3


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "lacks W or H"),
        (b"W5", "lacks W or H"),
        (b"W5 H", "has 'H'"),
        (b"W05 H5", "has 'W05'"),
        (b"W-5 H5", "has 'W-5'"),
        (b"W5 W5 H5", "has W twice"),
        (b"W5 H5 F25", "has 'F25'"),
        (b"W5 H5 Q1", "has 'Q1'"),
        (b"W5 H5 It", "are interlaced (It)"),
        (b"W5 H5 Im", "are interlaced (Im)"),
        (b"W5 H5 C411", "are of C411"),
        (b"W5 H5 C444alpha", "are of C444alpha"),
        (b"W5 H5 C420p11", "are of C420p11"),
        (b"W5 H5 C42010", "are of C42010"),
        (b"W5 H5 Cmono8", "are of Cmono8"),
        (b"W5 H5 XCOLORRANGE=SOME", "XCOLORRANGE is 'SOME'"),
        (b"W99999 H99999", "99999x99999 came; at most"),
        (b"W1000000000 H1", "has 'W1000000000'"),
        (b"W5 H5 X" + b"x" * LONGEST_LINE, "of 4096 bytes has no end"),
    ],
)
def test_a_header_that_is_none_is_refused(header: bytes, said: str) -> None:
    assert said in refusal(header)


@pytest.mark.parametrize("content", [b"", b"YUV4MPEG2 W5 H5", b"\x00" * 100])
def test_a_stream_without_a_header_is_refused(content: bytes) -> None:
    with pytest.raises(VideoError, match="has no end; a line"):
        Y4MReader(BytesIO(content))


def test_another_beginning_is_named() -> None:
    with pytest.raises(VideoError, match="begins with b'RIFF'; YUV4MPEG2 was needed; make it by"):
        Y4MReader(BytesIO(b"RIFF\n"))


def test_a_frame_that_is_cut_short_comes_after_the_whole_ones() -> None:
    whole = b"FRAME\n" + bytes(range(6))
    for missing in range(1, 7):
        frames = iter(reader(b"W2 H2", whole, whole[:-missing]))
        np.testing.assert_array_equal(next(frames).luma, [[0, 1], [2, 3]])
        said = f"ends after {6 - missing} of the 6 bytes of frame 1; whole frames were needed"
        with pytest.raises(VideoError, match=said):
            next(frames)


@pytest.mark.parametrize("line", [b"FRAMES\n", b"frame\n", b"FRAME \n", b"FRAME", b"\n", b"FRA"])
def test_something_else_than_a_frame_is_refused(line: bytes) -> None:
    with pytest.raises(VideoError, match=r"where frame 0 should begin; a line FRAME was needed"):
        next(iter(reader(b"W2 H2", line)))


def test_no_frames_are_no_error() -> None:
    assert list(reader(b"W2 H2")) == []


def test_what_a_header_promises_takes_no_memory_before_it_comes() -> None:
    """16384 x 8192 in 16 bits would take 805 MB."""
    script = (
        "import io, resource\n"
        "from trtcolor.errors import VideoError\n"
        "from trtcolor.video.y4m import Y4MReader\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "stream = io.BytesIO(b'YUV4MPEG2 W16384 H8192 C444p16\\nFRAME\\n' + bytes(1000))\n"
        "try:\n"
        "    list(Y4MReader(stream))\n"
        "except VideoError as error:\n"
        "    print(error)\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 50_000\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ends after 1000 of the 805306368 bytes of frame 0" in done.stdout


@given(st.binary(max_size=200))
@example(b"W2 H2\nFRAME\n" + bytes(6))
@example(b"W3 H1 Cmono16\nFRAME\n" + bytes(6) + b"FRAME Ix\n")
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for start in (b"", b"YUV4MPEG2 ", b"YUV4MPEG2 W2 H2 "):
        with suppress(VideoError):
            for frame in Y4MReader(BytesIO(start + content)):
                assert frame.luma.size <= 100


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed")
@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        ("gray", "35x17"),
        ("yuv420p", "35x17"),
        ("yuv444p16le", "35x17"),
        # FFmpeg 5.1 halves odd widths wrongly where samples have two bytes.
        ("gray12le", "36x17"),
        ("yuv422p10le", "36x17"),
    ],
)
def test_ffmpeg_writes_what_is_read_and_reads_what_is_written(
    pixels: str, size: str, tmp_path: Path
) -> None:
    pattern = f"testsrc=size={size}:rate=24"
    made = ["-f", "lavfi", "-i", pattern, "-frames:v", "3", "-pix_fmt", pixels]
    as_y4m = ["-strict", "-1", "-f", "yuv4mpegpipe", "-"]
    source = ffmpeg(*made, *as_y4m)
    luma = ffmpeg(*made, "-f", "rawvideo", "-")
    came = Y4MReader(BytesIO(source))
    out = BytesIO()
    writer = Y4MWriter(out, came.header)
    frames = list(came)
    assert len(frames) == 3
    for frame in frames:
        writer.write(coloured_by_hand(frame))
    step = len(luma) // 3
    kind = np.dtype("u1" if came.signal.depth == 8 else "<u2")
    for index, frame in enumerate(frames):
        plane = frame.luma.astype(kind).tobytes()
        assert plane == luma[index * step : index * step + len(plane)]
    path = tmp_path / "out.y4m"
    path.write_bytes(out.getvalue())
    back = ffmpeg("-i", str(path), *as_y4m)
    ours, theirs = Y4MReader(BytesIO(out.getvalue())), Y4MReader(BytesIO(back))
    assert theirs.header.format == ours.header.format
    assert theirs.signal == ours.signal
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.luma, other.luma)
    assert back.split(b"\n", 1)[1] == out.getvalue().split(b"\n", 1)[1]


def ffmpeg(*arguments: str) -> bytes:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", *arguments], capture_output=True, check=True
    )
    return done.stdout

"""``trtcolor stream`` between other programs: real processes, real pipes."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import shutil
import signal
import subprocess
import termios
import time
from array import array
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from command_line import command, refused
from interrupts import heed_interrupts
from PIL import Image

from trtcolor.video.formats import FORMATS
from trtcolor.video.frames import LumaFrame
from trtcolor.video.raw import RawReader
from trtcolor.video.y4m import Y4MReader

MakeBundle = Callable[..., Path]
HEIGHT, WIDTH = 37, 51
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed"
)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    return make_bundle(global_size=32)


def y4m(count: int, chroma: str = "420jpeg") -> bytes:
    """A clip whose picture is another in every frame."""
    rng = np.random.default_rng(count)
    picture = {"mono": "gray", "422p10": "yuv422p10le"}.get(chroma, "yuv420p")
    pixels = FORMATS[picture]
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C{chroma} XCOLORRANGE=LIMITED\n"
    size = pixels.frame_bytes((HEIGHT, WIDTH)) // pixels.dtype.itemsize
    frames = [rng.integers(16, 236, size, pixels.dtype).tobytes() for _ in range(count)]
    return header.encode() + b"".join(b"FRAME\n" + frame for frame in frames)


def stream(*arguments: object, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command("stream", *arguments), input=content, capture_output=True, timeout=120, check=False
    )


def start(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("stream", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )


def frames_of(content: bytes) -> list[LumaFrame]:
    return list(Y4MReader(BytesIO(content)))


def chroma_of(content: bytes) -> np.ndarray:
    """U and V of every 4:2:0 frame of 8 bits in a y4m stream."""
    size = FORMATS["yuv420p"].frame_bytes((HEIGHT, WIDTH))
    frames = np.frombuffer(content.split(b"\n", 1)[1], np.uint8).reshape(-1, 6 + size)
    return frames[:, 6 + HEIGHT * WIDTH :]


@pytest.mark.parametrize("chroma", ["420jpeg", "mono", "422p10"])
def test_y4m_goes_through_with_its_luma_and_new_chroma(chroma: str, bundle: Path) -> None:
    content = y4m(9, chroma)
    done = stream("-", "-", "--model", bundle, content=content)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    came, went = frames_of(content), frames_of(done.stdout)
    for one, other in zip(came, went, strict=True):
        np.testing.assert_array_equal(one.luma, other.luma)
    header = done.stdout.split(b"\n", 1)[0]
    assert header == content.split(b"\n", 1)[0].replace(b"Cmono", b"C420mpeg2")
    if chroma != "422p10":
        assert np.ptp(chroma_of(done.stdout)) > 10


def test_raw_frames_go_through(bundle: Path) -> None:
    for name in ("gray", "gray10le", "nv12", "p010le", "rgb24"):
        pixels = FORMATS[name]
        content = np.random.default_rng(0).bytes(5 * pixels.frame_bytes((8, 12)))
        options = ("--size", "12x8", "--format", name, "--model", bundle)
        done = stream("-", "-", *options, content=content)
        assert done.returncode == 0, done.stderr
        if pixels.is_rgb:
            assert len(done.stdout) == len(content)
            continue
        came = RawReader(BytesIO(content), (8, 12), pixels)
        went = RawReader(BytesIO(done.stdout), (8, 12), came.writer(BytesIO()).format)
        for one, other in zip(came, went, strict=True):
            np.testing.assert_array_equal(one.luma, other.luma)


@needs_ffmpeg
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "gray"])
def test_the_pipe_line_of_the_documentation_works(
    pixels: str, bundle: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    made = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24000/1001", "-frames:v", "12"]
    ffmpeg(*made, "-pix_fmt", pixels, "-c:v", "ffv1", str(source))
    strict = "-strict -1 " if "10" in pixels else ""
    ours = shlex.join(command("stream", "-", "-", "--model", bundle))
    line = f"ffmpeg -i {source} {strict}-f yuv4mpegpipe - | {ours} | ffmpeg -i - -c:v ffv1 {target}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    planes = [ffmpeg("-i", str(path), "-f", "rawvideo", "-") for path in (source, target)]
    kind = "<u2" if "10" in pixels else "u1"
    before, after = (np.frombuffer(plane, kind).reshape(12, -1)[:, : 160 * 90] for plane in planes)
    np.testing.assert_array_equal(before, after)
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=pix_fmt,r_frame_rate", "-of", "csv"]
    told = subprocess.run([*probe, str(target)], capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"stream,{'yuv420p' if pixels == 'gray' else pixels},24000/1001"


def ffmpeg(*arguments: str) -> bytes:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", *arguments], capture_output=True, check=True
    )
    return done.stdout


def test_frames_go_out_while_others_are_yet_to_come(bundle: Path) -> None:
    content = y4m(30)
    running = start("-", "-", "--model", bundle)
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(content)
    running.stdin.flush()
    # The input stays open, and of 30 frames 15 must come all the same.
    first = running.stdout.read(len(content) // 2)
    running.stdin.close()
    rest = running.stdout.read()
    assert running.wait(timeout=60) == 0
    assert len(frames_of(first + rest)) == 30


def test_a_reader_that_goes_away_ends_it_with_status_141(bundle: Path) -> None:
    running = start("-", "-", "--model", bundle)
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdin.write(y4m(30))
    running.stdin.flush()
    running.stdout.read(1000)
    running.stdout.close()
    # The input is still open: what waits there must be sent away.
    assert running.wait(timeout=60) == 128 + signal.SIGPIPE
    assert running.stderr.read() == b""
    running.stdin.close()
    running.stderr.close()


def test_head_takes_what_it_wants(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.y4m"
    path.write_bytes(y4m(60))
    line = f"{shlex.join(command('stream', path, '-', '--model', bundle))} | head -c 100"
    script = f"{line}; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert len(done.stdout) == 100
    assert done.stderr == b"141\n"


@pytest.mark.parametrize("missing", [1, 1000])
def test_a_short_frame_fails_once_the_whole_ones_are_written(missing: int, bundle: Path) -> None:
    content = y4m(7)
    done = stream("-", "-", "--model", bundle, content=content[:-missing])
    assert done.returncode == 1
    assert len(frames_of(done.stdout)) == 6
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("error: standard input ends after ")
    assert "of frame 6; whole frames were needed" in line


def test_no_input_and_no_frames(bundle: Path) -> None:
    nothing = stream("-", "-", "--model", bundle)
    assert nothing.returncode == 1
    assert nothing.stdout == b""
    assert nothing.stderr.startswith(b"error: standard input is not read as y4m: its header of 0")
    header = y4m(0)
    done = stream("-", "-", "--model", bundle, content=header)
    assert (done.returncode, done.stdout, done.stderr) == (0, header, b"")
    raw = stream("-", "-", "--size", "4x4", "--format", "gray", "--model", bundle)
    assert (raw.returncode, raw.stdout, raw.stderr) == (0, b"", b"")


@pytest.mark.parametrize("fed", [0, 30])
def test_ctrl_c_ends_it_while_it_waits_for_frames(fed: int, bundle: Path) -> None:
    running = start("-", "-", "--model", bundle)
    assert running.stdin is not None
    assert running.stdout is not None
    content = y4m(fed)
    running.stdin.write(content if fed else content[:10])
    running.stdin.flush()
    if fed:
        running.stdout.read(len(content) // 2)
    else:
        until_read(running.stdin.fileno())
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == b"interrupted\n"


def until_read(pipe: int) -> None:
    """Wait until all that was written to a pipe has been taken from it."""
    left = array("i", [1])
    while left[0]:
        time.sleep(0.02)
        fcntl.ioctl(pipe, termios.FIONREAD, left)


def test_files_take_the_place_of_pipes(bundle: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.y4m", tmp_path / "out.y4m"
    source.write_bytes(y4m(4))
    done = stream(source, target, "--model", bundle)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    whole = target.read_bytes()
    assert len(frames_of(whole)) == 4
    assert "is there already" in refused("stream", source, target, "--model", bundle)
    assert target.read_bytes() == whole
    again = stream(source, target, "--model", bundle, "--saturation", 0, "--overwrite")
    assert again.returncode == 0
    assert (chroma_of(target.read_bytes()) == 128).all()
    said = refused("stream", source, source, "--model", bundle, "--overwrite")
    assert "IN and OUT are both" in said
    assert source.read_bytes() == y4m(4)


def test_style_render_steady_and_matrix_change_the_chroma(bundle: Path, tmp_path: Path) -> None:
    style = tmp_path / "style.png"
    Image.fromarray(np.full((50, 50), 250, np.uint8)).save(style)
    content = y4m(6)

    def chroma(*options: object) -> np.ndarray:
        done = stream("-", "-", "--model", bundle, *options, content=content)
        assert done.returncode == 0, done.stderr
        return chroma_of(done.stdout)

    plain = chroma()
    options = [("--style", style), ("--render", 16), ("--saturation", 2), ("--matrix", "bt2020")]
    for option in options:
        assert (chroma(*option) != plain).any(), option


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--size", "4x4"), "one of size and format came alone"),
        (("--format", "gray"), "one of size and format came alone"),
        (("--range", "full"), "a range came for y4m"),
        (("--size", "4", "--format", "gray"), "'4' is no size"),
        (("--size", "4x4", "--format", "grey"), "'grey' is no pixel format"),
        (("--size", "5x4", "--format", "gray", "--max-pixels", 19), "at most 19 pixels"),
        (("--size", "4x4", "--format", "rgb24", "--range", "full"), "rgb24, which has neither"),
        (("--size", "4x4", "--format", "bgr24", "--matrix", "bt709"), "bgr24, which has neither"),
        (("--steady", "2"), "--steady"),
        (("--memory", "600MB"), "cannot be tiled"),
        (("--style", "none.png"), "No such file"),
    ],
)
def test_what_does_not_fit_is_refused(
    options: tuple[object, ...], said: str, bundle: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.y4m", tmp_path / "out.y4m"
    source.write_bytes(y4m(1))
    assert said in refused("stream", source, target, "--model", bundle, *options)
    assert not target.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_in_a_sentence(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.y4m").write_bytes(y4m(3))
    said = refused("stream", tmp_path / "in.y4m", "/dev/full", "--model", bundle)
    assert "the frames were not written (No space left on device); a disk with" in said


def test_closed_standard_streams_are_told_in_a_sentence(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.y4m").write_bytes(y4m(3))
    sides = [
        (tmp_path / "in.y4m", "-", ">&-", b"error: '-' cannot be written (Bad file descriptor)"),
        ("-", tmp_path / "out.y4m", "<&-", b"error: '-' cannot be opened (Bad file descriptor)"),
    ]
    for source, target, closed, said in sides:
        ours = shlex.join(command("stream", source, target, "--model", bundle))
        done = subprocess.run(["bash", "-c", f"{ours} {closed}"], capture_output=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(said)


def test_style_is_refused_by_a_network_without_global_features(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    style = tmp_path / "style.png"
    Image.fromarray(np.full((50, 50), 250, np.uint8)).save(style)
    (tmp_path / "in.y4m").write_bytes(y4m(1))
    options = ("--model", make_bundle("plain"), "--style", style)
    said = refused("stream", tmp_path / "in.y4m", tmp_path / "out.y4m", *options)
    assert "has no global features" in said


def test_frames_do_not_go_to_a_terminal(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.y4m").write_bytes(y4m(1))
    ours, theirs = pty.openpty()
    done = subprocess.run(
        command("stream", tmp_path / "in.y4m", "-", "--model", bundle),
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: frames would go to a terminal; a pipe or a file")

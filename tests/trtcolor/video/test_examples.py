"""The guide's examples for your own pipeline run as they stand, where the other side is."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import scene

from trtcolor.video.sidecar import ChromaFrame, ChromaHeader, ChromaReader, ChromaWriter
from trtcolor.video.y4m import Y4MReader

av = pytest.importorskip("av", reason="PyAV is not installed")

GUIDE = Path(__file__).parents[3] / "docs" / "guide"
PAGES = ("pipeline.md", "gpu-frames.md")
FRAMES, HEIGHT, WIDTH = 12, 48, 64


def examples() -> dict[str, str]:
    """Python of each part of the pages, by its heading."""
    text = "".join((GUIDE / name).read_text(encoding="utf-8") for name in PAGES)
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    found = {
        name: re.findall(r"```python[^\n]*\n(.*?)```", rest, re.DOTALL) for name, _, rest in parts
    }
    return {name: code[0] for name, code in found.items() if code}


def run(name: str, folder: Path, more: str = "") -> None:
    """Run an example in a folder, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", examples()[name] + more],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def clip(path: Path, codec: str, pixels: str) -> Path:
    """A pan over a scene, 25 frames a second, grey in 4:2:0."""
    wide = scene(0, HEIGHT, WIDTH + FRAMES)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        for index in range(FRAMES):
            picture = np.ascontiguousarray(wide[:, index : index + WIDTH])
            grey = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="gray")
            container.mux(stream.encode(grey.reformat(format=pixels)))
        container.mux(stream.encode(None))
    return path


def planes(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Y, and U and V behind one another, of each frame of a 4:2:0 file."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            all_planes = frame.reformat(format="yuv420p").to_ndarray()
            yield all_planes[:HEIGHT], all_planes[HEIGHT:]


def needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def test_opencv(tmp_path: Path) -> None:
    needs("cv2")
    clip(tmp_path / "in.mkv", "ffv1", "yuv420p")
    run("OpenCV", tmp_path)
    found = list(planes(tmp_path / "out.avi"))
    assert len(found) == FRAMES
    assert all(np.ptp(chroma) > 3 for _, chroma in found)


def test_pyav(tmp_path: Path) -> None:
    clip(tmp_path / "in.mkv", "ffv1", "yuv420p")
    run("PyAV", tmp_path)
    pairs = zip(planes(tmp_path / "in.mkv"), planes(tmp_path / "out.mkv"), strict=True)
    for (before, grey), (after, chroma) in pairs:
        np.testing.assert_array_equal(before, after)
        assert np.ptp(grey) == 0
        assert np.ptp(chroma) > 3
    assert times(tmp_path / "in.mkv") == times(tmp_path / "out.mkv")


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_gstreamer(tmp_path: Path) -> None:
    needs("gi")
    clip(tmp_path / "in.mkv", "mjpeg", "yuvj420p")
    probe = (
        "import gi\n"
        "gi.require_version('GstApp', '1.0')\n"
        "gi.require_version('GstVideo', '1.0')\n"
        "from gi.repository import Gst, GstApp, GstVideo\n"
        "Gst.init(None)\n"
        "pipeline = Gst.parse_launch('filesrc location=in.mkv ! decodebin ! videoconvert ! '\n"
        "    'video/x-raw,format=I420 ! y4menc ! filesink location=grey.y4m')\n"
        "pipeline.set_state(Gst.State.PLAYING)\n"
        "kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR\n"
        "message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)\n"
        "pipeline.set_state(Gst.State.NULL)\n"
        "assert message.type == Gst.MessageType.EOS, message.parse_error()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], cwd=tmp_path, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"GStreamer lacks a part: {done.stderr.strip().splitlines()[-1]}")
    run("GStreamer", tmp_path)
    with (tmp_path / "grey.y4m").open("rb") as grey, (tmp_path / "out.y4m").open("rb") as out:
        pairs = list(zip(Y4MReader(grey), Y4MReader(out), strict=True))
    assert len(pairs) == FRAMES
    for before, after in pairs:
        np.testing.assert_array_equal(before.luma, after.luma)
    assert all(np.ptp(chroma) > 3 for _, chroma in planes(tmp_path / "out.y4m"))


def test_vapoursynth(tmp_path: Path) -> None:
    needs("vapoursynth")
    more = (
        "grey = vs.core.std.BlankClip(format=vs.YUV420P8, width=66, height=48, length=3,\n"
        "    color=[120, 128, 128])\n"
        "frame = in_colour(grey).get_frame(2)\n"
        "luma = np.asarray(frame[0])\n"
        "assert luma.shape == (48, 66) and (luma == 120).all()\n"
        "u, v = colorizer.colorize_yuv(luma)\n"
        "assert (np.asarray(frame[1]) == u).all() and (np.asarray(frame[2]) == v).all()\n"
        "assert not (u == 128).all()\n"
    )
    run("VapourSynth", tmp_path, more)


def test_chroma_by_hand(tmp_path: Path) -> None:
    header = ChromaHeader(frame=(8, 8), grid=(4, 4))
    with ChromaWriter(tmp_path / "film.chroma", header) as film:
        for second in (0, 9, 10, 19, 20):
            film.append(ChromaFrame(np.full((2, 4, 4), 50, np.float32), False, Fraction(second)))
    run("Chroma by hand", tmp_path)
    with ChromaReader(tmp_path / "calm.chroma") as calm:
        assert [frame.chroma.max() for frame in calm] == [50, 50, 30, 30, 50]


def test_pynvvideocodec_parses_and_says_that_it_is_unconfirmed() -> None:
    compile(examples()["PyNvVideoCodec"], "gpu-frames.md", "exec")
    text = (GUIDE / "gpu-frames.md").read_text(encoding="utf-8")
    assert "## PyNvVideoCodec\n\nUnconfirmed: no GPU" in text

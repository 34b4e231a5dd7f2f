"""Films of every kind, made with the ffmpeg program from photographs, and what is in a film."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

WITH_FFMPEG = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="the programs ffmpeg and ffprobe are not installed",
)
RATE = 24


def pictures(count: int, size: tuple[int, int] = (48, 64), shots: int = 2) -> np.ndarray:
    """uint8 RGB (count, height, width, 3): photographs under a slowly moving window, with cuts."""
    photographs = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    height, width = size
    frames = []
    for index in range(count):
        photograph = photographs[index * shots // count % len(photographs)]
        left, top = 2 * index % 40, index % 30
        window = Image.fromarray(photograph[top : top + 240, left : left + 320])
        frames.append(np.asarray(window.resize((width, height), Image.Resampling.BILINEAR)))
    return np.stack(frames)


def make_film(path: Path, frames: np.ndarray, *options: str, inputs: Sequence[str] = ()) -> Path:
    """Write RGB frames by ffmpeg.

    Args:
        options: of the output; ``inputs``: further inputs with their options.
    """
    height, width = frames.shape[1:3]
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE),
        "-i", "-", *inputs, *options, str(path), given=frames.tobytes(),
    )  # fmt: skip
    return path


def ffmpeg(*arguments: str, given: bytes = b"") -> bytes:
    """Run it; what it wrote to its standard output."""
    done = subprocess.run(
        ["ffmpeg", "-hide_banner", "-v", "error", "-y", *arguments],
        input=given,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def probe(path: Path, *sections: str, stream: str | None = None) -> dict[str, Any]:
    """What ffprobe says, such as ``streams``, ``format``, ``chapters`` or ``packets``."""
    chosen = [] if stream is None else ["-select_streams", stream]
    shown = [f"-show_{section}" for section in sections]
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *shown, *chosen, str(path)],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    found: dict[str, Any] = json.loads(text)
    return found


def times(path: Path, stream: str = "v:0") -> list[int]:
    """The time stamps of a stream's packets in its time base, in the order of showing."""
    packets = probe(path, "packets", stream=stream)["packets"]
    return sorted(packet["pts"] for packet in packets)


def hashes(path: Path, *filters: str, stream: str = "0:v:0") -> list[str]:
    """Of the decoded frames, in the order of showing, after filters of ffmpeg."""
    chain = ["-vf", ",".join(filters)] if filters else []
    text = ffmpeg(
        "-i", str(path), "-map", stream, "-vsync", "passthrough", *chain, "-f", "framemd5", "-"
    )
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return [line.split(",")[-1].strip() for line in lines]


def luma_hashes(path: Path) -> list[str]:
    """Of the frames' Y' planes, as they are decoded."""
    return hashes(path, "extractplanes=y")


def copied_hashes(path: Path, stream: str) -> list[str]:
    """Of a stream's packets as they are stored."""
    packets = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_packets", "-show_data_hash", "md5",
         "-select_streams", stream, str(path)],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    return [packet["data_hash"] for packet in json.loads(packets)["packets"]]


def damage_middle(film: Path) -> Path:
    """Random bytes in the place of 1500 in the middle of the file."""
    content = bytearray(film.read_bytes())
    place = len(content) // 2
    content[place : place + 1500] = np.random.default_rng(1).bytes(1500)
    film.write_bytes(content)
    return film


def without_frame(path: Path, lost: int, frames: np.ndarray | None = None) -> Path:
    """M-JPEG in AVI of the frames (12 by default), of which one is all zeros."""
    given = pictures(12) if frames is None else frames
    make_film(path, given, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    content = bytearray(path.read_bytes())
    begins = [found.start() for found in re.finditer(rb"00dc....\xff\xd8\xff", content, re.DOTALL)]
    assert len(begins) == len(given)
    begin, end = begins[lost] + 8, (begins[lost + 1])
    content[begin:end] = bytes(end - begin)
    path.write_bytes(content)
    return path

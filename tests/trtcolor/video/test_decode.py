"""Frames of video files: the ones written, and one sentence for what is no video."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from clips import scene, write_clip

from trtcolor.errors import BackendError, VideoError
from trtcolor.video.decode import VideoReader


def test_the_frames_of_a_lossless_file_are_those_written(tmp_path: Path) -> None:
    frames = [scene(seed, 35, 50) for seed in range(9)]
    with VideoReader(write_clip(tmp_path / "clip.mkv", frames)) as reader:
        assert reader.size == (35, 50)
        found = list(reader)
    assert len(found) == 9
    for frame, written in zip(found, frames, strict=True):
        assert frame.dtype == np.uint8
        np.testing.assert_array_equal(frame, written)


def test_a_grey_file_gives_equal_channels(tmp_path: Path) -> None:
    with VideoReader(write_clip(tmp_path / "clip.mkv", [scene(1)], grey=True)) as reader:
        (frame,) = reader
    assert np.ptp(frame, axis=2).max() == 0
    assert np.ptp(frame) > 50


def test_frames_are_decoded_one_by_one(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", [scene(seed) for seed in range(40)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as reader:
        first = next(iter(reader))
    np.testing.assert_array_equal(first, scene(0))


def test_closing_twice_is_allowed(tmp_path: Path) -> None:
    reader = VideoReader(write_clip(tmp_path / "clip.mkv", [scene(1)]))
    reader.close()
    reader.close()


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_file_that_is_no_video_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"clip.mp4' cannot be opened \(.+\); a video file"):
        VideoReader(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"cannot be opened \(No such file or directory\)"):
        VideoReader(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="cannot be opened"):
        VideoReader(tmp_path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2000))
    with pytest.raises(VideoError, match="has no video stream"):
        VideoReader(tmp_path / "sound.wav")


def test_without_pyav_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BackendError, match=r'run: pip install "trtcolor\[video\]"'):
        VideoReader(tmp_path / "clip.mp4")

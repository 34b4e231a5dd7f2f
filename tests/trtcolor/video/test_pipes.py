"""Pipes: reading that can be sent away, writing that leaves nothing out."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest

from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.video.pipes import Intake, open_intake, open_outlet, write_all


def test_what_comes_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one")
    with Intake(io.FileIO(reading)) as intake:
        assert intake.read(10) == b"one"
        os.write(writing, b"two")
        os.close(writing)
        assert intake.readall() == b"two"
        assert intake.read(1) == b""


def test_a_reader_that_waits_is_sent_away() -> None:
    reading, writing = os.pipe()
    with Intake(io.FileIO(reading)) as intake:
        read: list[bytes] = []
        buffered = io.BufferedReader(intake)
        waiting = threading.Thread(target=lambda: read.append(buffered.read(5)))
        waiting.start()
        os.write(writing, b"abc")
        intake.stop()
        waiting.join(timeout=60)
        assert not waiting.is_alive()
        assert read[0] in (b"", b"abc")
        assert intake.read(1) == b""
        intake.stop()
    intake.stop()
    intake.close()
    os.close(writing)


def test_nothing_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    before = os.listdir("/proc/self/fd") if Path("/proc/self/fd").is_dir() else []
    for _ in range(3):
        with open_intake(path) as intake:
            assert intake.readall() == b"content"
    after = os.listdir("/proc/self/fd") if before else []
    assert len(after) == len(before)


def test_a_missing_input_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"none.y4m' cannot be opened \(No such file"):
        open_intake(tmp_path / "none.y4m")
    with pytest.raises(VideoError, match=r"cannot be opened \(Is a directory\)"):
        open_intake(tmp_path)


def test_a_file_is_kept_unless_told_and_a_fifo_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.y4m"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match="is there already"):
        open_outlet(path, overwrite=False)
    assert path.read_bytes() == b"precious"
    with open_outlet(path, overwrite=True) as outlet:
        write_all(outlet, b"new", np.arange(3, dtype=np.uint8))
    assert path.read_bytes() == b"new\x00\x01\x02"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with open_outlet(fifo, overwrite=False) as outlet:
        write_all(outlet, b"frames")
    assert os.read(reading, 10) == b"frames"
    os.close(reading)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    with pytest.raises(VideoError, match=r"cannot be written \(No such file"):
        open_outlet(tmp_path / "none" / "out.y4m", overwrite=False)


def test_a_pipe_that_does_not_wait_gets_all() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    content = np.random.default_rng(0).integers(0, 256, 1 << 20, np.uint8)
    found = bytearray()

    def read() -> None:
        while part := os.read(reading, 1 << 16):
            found.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    with io.FileIO(writing, "wb") as outlet:
        write_all(outlet, content)
    reader.join(timeout=60)
    os.close(reading)
    assert bytes(found) == content.tobytes()


def test_nobody_reads_the_pipe() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with io.FileIO(writing, "wb") as outlet, pytest.raises(BrokenPipeError):
        write_all(outlet, b"frames")

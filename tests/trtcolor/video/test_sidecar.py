"""The chroma sidecar: what was written is read, whatever happened in between."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_disk import on_disk

from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.video.frames import LumaFrame, Signal
from trtcolor.video.records import LARGEST, STEP
from trtcolor.video.sidecar import (
    ChromaFrame,
    ChromaHeader,
    ChromaReader,
    ChromaWriter,
    rounded_chroma,
)
from trtcolor.video.stream import color_frames, planes_from_chroma

MakeBundle = Callable[..., Path]
HEADER = ChromaHeader(
    frame=(36, 50),
    grid=(9, 13),
    source={"name": "a film.mkv", "bytes": 12},
    model={"name": "tiny"},
    settings={"steady": 0.5, "render": "auto"},
)


def frames(count: int, seed: int = 0) -> list[ChromaFrame]:
    rng = np.random.default_rng(seed)
    return [
        ChromaFrame(
            rng.normal(0, 30, (2, 9, 13)).astype(np.float32), index % 3 == 0, Fraction(index, 24)
        )
        for index in range(count)
    ]


def written(path: Path, given: list[ChromaFrame]) -> Path:
    with ChromaWriter(path, HEADER) as writer:
        for frame in given:
            writer.append(frame)
    return path


def same(one: ChromaFrame, other: ChromaFrame) -> bool:
    return (
        np.array_equal(rounded_chroma(one.chroma), rounded_chroma(other.chroma))
        and one.cut == other.cut
        and one.time == other.time
    )


def test_header_and_frames_come_back(tmp_path: Path) -> None:
    given = [*frames(5), replace(frames(1)[0], time=None)]
    with ChromaReader(written(tmp_path / "film.chroma", given)) as reader:
        assert reader.header == HEADER
        assert reader.rest == 0
        assert len(reader) == 6
        assert all(map(same, reader, given))
        assert same(reader[-1], given[-1])
        assert reader[2].chroma.dtype == np.float32
        with pytest.raises(IndexError):
            reader[6]


@given(
    arrays.arrays(np.float32, (2, 9, 13), elements=st.floats(width=32)),
    st.booleans(),
    st.none() | st.fractions(-(2**40), 2**40, max_denominator=2**20),
)
def test_any_chroma_is_off_by_half_a_step_at_most(
    tmp_path_factory: pytest.TempPathFactory,
    chroma: np.ndarray,
    cut: bool,
    time: Fraction | None,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.chroma"
    with ChromaWriter(path, HEADER, overwrite=True) as writer:
        writer.append(ChromaFrame(chroma, cut, time))
    with ChromaReader(path) as reader:
        (frame,) = reader
    wanted = np.nan_to_num(chroma.astype(np.float64), nan=0.0).clip(-LARGEST, LARGEST)
    assert abs(frame.chroma - wanted).max() <= STEP / 2
    np.testing.assert_array_equal(frame.chroma, rounded_chroma(chroma))
    np.testing.assert_array_equal(frame.chroma, rounded_chroma(frame.chroma))
    assert (frame.cut, frame.time) == (cut, time)


@pytest.mark.parametrize("depth", [8, 10, 16])
def test_frames_merged_from_it_are_bit_for_bit_those_of_the_run(
    depth: int, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    rng = np.random.default_rng(depth)
    signal = Signal(depth=depth)
    film = [
        LumaFrame(rng.integers(0, 1 << depth, (37, 51), signal.dtype), signal, Fraction(index, 24))
        for index in range(5)
    ]
    with Colorizer(make_bundle(global_size=32)) as colorizer:
        run = list(color_frames(colorizer, film, saturation=2.5))
    grid = (run[0].chroma.shape[1], run[0].chroma.shape[2])
    header = ChromaHeader(frame=(37, 51), grid=grid)
    with ChromaWriter(tmp_path / "film.chroma", header) as writer:
        for coloured in run:
            writer.append(coloured)
    with ChromaReader(tmp_path / "film.chroma") as reader:
        kept = list(reader)
    assert kept[0].cut
    for frame, coloured, one in zip(film, run, kept, strict=True):
        assert one.time == coloured.time
        merged = planes_from_chroma(frame, one.chroma, cut=one.cut)
        np.testing.assert_array_equal(merged.u, coloured.u)
        np.testing.assert_array_equal(merged.v, coloured.v)
        assert np.ptp(merged.u) > 0


def test_frames_of_another_size_take_it_too() -> None:
    (given,) = frames(1)
    luma = np.full((144, 202), 120, np.uint8)
    merged = planes_from_chroma(LumaFrame(luma, Signal()), given.chroma, cut=True)
    assert merged.luma is luma
    assert merged.u.shape == merged.v.shape == (72, 101)
    assert np.ptp(merged.u) > 10


def test_a_record_is_as_the_documentation_says(tmp_path: Path) -> None:
    (frame,) = frames(1, seed=3)
    content = written(tmp_path / "film.chroma", [frame]).read_bytes()
    title, header, record = content.split(b"\n", 2)
    assert title == b"trtcolor-chroma 1"
    assert json.loads(header)["grid"] == [9, 13]
    mark, length, over, under, flags, check = struct.unpack_from("<4sIqqII", record)
    assert (mark, length, over, under, flags) == (b"CHRM", len(record) - 32, 0, 1, 1)
    assert check == zlib.crc32(record[:28] + record[32:])
    plain = zlib.decompress(record[32:])
    q = np.zeros((2, 10, 14), np.int64)
    for place in range(2 * 9 * 13):
        code = plain[place] + 256 * plain[2 * 9 * 13 + place]
        step = code // 2 if code % 2 == 0 else -(code + 1) // 2
        c, y, x = place // 117, place % 117 // 13 + 1, place % 13 + 1
        value = step + q[c, y - 1, x] + q[c, y, x - 1] - q[c, y - 1, x - 1]
        q[c, y, x] = (value + 2**15) % 2**16 - 2**15
    np.testing.assert_array_equal(q[:, 1:, 1:] / 16, rounded_chroma(frame.chroma))


def test_a_film_is_edited_by_reading_and_writing(tmp_path: Path) -> None:
    given = frames(4)
    with (
        ChromaReader(written(tmp_path / "film.chroma", given)) as film,
        ChromaWriter(tmp_path / "calm.chroma", film.header) as calm,
    ):
        for frame in film:
            calm.append(replace(frame, chroma=frame.chroma * 0.5))
    with ChromaReader(tmp_path / "calm.chroma") as reader:
        for found, frame in zip(reader, given, strict=True):
            expected = rounded_chroma(rounded_chroma(frame.chroma) * 0.5)
            np.testing.assert_array_equal(found.chroma, expected)


def test_cut_anywhere_the_whole_frames_before_are_read(tmp_path: Path) -> None:
    given = frames(3)
    content = written(tmp_path / "film.chroma", given).read_bytes()
    with ChromaReader(tmp_path / "film.chroma") as reader:
        ends = [reader.end_of(count) for count in range(4)]
    cut = tmp_path / "cut.chroma"
    for length in range(ends[0], len(content)):
        cut.write_bytes(content[:length])
        with ChromaReader(cut) as reader:
            whole = sum(end <= length for end in ends) - 1
            assert len(reader) == whole
            assert reader.rest == length - ends[whole]
            assert all(map(same, reader, given))


def test_a_last_frame_without_its_content_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path / "film.chroma", frames(3))
    content = path.read_bytes()
    path.write_bytes(content[:-40] + bytes(40))
    with ChromaReader(path) as reader:
        assert len(reader) == 2
        assert reader.rest > 40


def test_a_damaged_frame_in_between_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "film.chroma", frames(3))
    with ChromaReader(path) as reader:
        place = reader.end_of(1) + 50
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)
    with ChromaReader(path) as reader:
        assert len(reader) == 3
        assert same(reader[2], frames(3)[2])
        with pytest.raises(VideoError, match=r"frame 1 of '.*film.chroma' is damaged; a whole"):
            reader[1]


def test_writing_goes_on_behind_whole_frames_or_fewer(tmp_path: Path) -> None:
    given = frames(6)
    path = written(tmp_path / "film.chroma", given[:4])
    whole = written(tmp_path / "whole.chroma", given).read_bytes()
    path.write_bytes(path.read_bytes()[:-7])  # the fourth frame is no longer whole
    with ChromaWriter.resume(path) as writer:
        assert writer.header == HEADER
        for frame in given[3:]:
            writer.append(frame)
    assert path.read_bytes() == whole
    with ChromaWriter.resume(path, 2) as writer:
        for frame in given[2:]:
            writer.append(frame)
        writer.sync()
    assert path.read_bytes() == whole
    with pytest.raises(VideoError, match="has 6 whole frames; 7 were needed"):
        ChromaWriter.resume(path, 7)


def test_what_was_appended_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, numpy\n"
        "from trtcolor.video.sidecar import *\n"
        "header = ChromaHeader(frame=(36, 50), grid=(9, 13))\n"
        "writer = ChromaWriter(sys.argv[1], header)\n"
        "for index in range(5):\n"
        "    chroma = numpy.full((2, 9, 13), index, numpy.float32)\n"
        "    writer.append(ChromaFrame(chroma, False))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "film.chroma"
    done = subprocess.run([sys.executable, "-P", "-c", program, path], check=False)
    assert done.returncode == -signal.SIGKILL
    with ChromaReader(path) as reader:
        assert [frame.chroma[0, 0, 0] for frame in reader] == [0, 1, 2, 3, 4]


def test_a_full_disk_keeps_the_frames_before(tmp_path: Path) -> None:
    program = (
        "import numpy\n"
        "from trtcolor.errors import VideoError\n"
        "from trtcolor.video.sidecar import *\n"
        "rng = numpy.random.default_rng(0)\n"
        "with ChromaWriter(folder / 'f', ChromaHeader(frame=(9, 9), grid=(200, 200))) as writer:\n"
        "    try:\n"
        "        for count in range(100):\n"
        "            chroma = rng.normal(0, 30, (2, 200, 200)).astype('f4')\n"
        "            writer.append(ChromaFrame(chroma, False))\n"
        "    except VideoError as error:\n"
        "        print(error)\n"
        "with ChromaReader(folder / 'f') as reader:\n"
        "    assert len(list(reader)) == len(reader) == count > 0\n"
    )
    done = on_disk(tmp_path / "disk", "size=1m,mode=700", program)
    assert done.returncode == 0, done.stderr
    assert "was not written (No space left on device); a disk" in done.stdout


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "film.chroma"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match="is there already"):
        ChromaWriter(path, HEADER)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no chroma sidecar of version 1 (it begins with b'')"),
        (b"trtcolor-chroma 2\n{}\n", "is no chroma sidecar of version 1"),
        (b"trtcolor-chroma 1\n", "is damaged (it does not end)"),
        (b"trtcolor-chroma 1\n" + b" " * (1 << 21), "is damaged (it does not end)"),
        (b"trtcolor-chroma 1\n{}\n", "lacks an entry"),
        (b"trtcolor-chroma 1\n[]\n", "a table of entries was needed"),
        (b"trtcolor-chroma 1\n" + b"[" * 100_000 + b"\n", "is damaged"),
        (b'trtcolor-chroma 1\n{"frame": [1, 1], "grid": [0, 3]}\n', "grid is 0x3"),
        (b'trtcolor-chroma 1\n{"frame": [1, 1], "grid": [99999, 99999]}\n', "99999x99999; at most"),
        (b'trtcolor-chroma 1\n{"frame": [1, 1], "grid": [1, 1], "x": 3}\n', "unknown entries x"),
    ],
)
def test_what_is_no_sidecar_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "film.chroma"
    path.write_bytes(content)
    with pytest.raises(VideoError) as raised:
        ChromaReader(path)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 1000


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header_are_read_as_far_as_they_go(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"bytes-{os.getpid()}.chroma"
    with ChromaWriter(path, HEADER, overwrite=True) as writer:
        writer.append(frames(1)[0])
    path.write_bytes(path.read_bytes() + rest)
    with ChromaReader(path) as reader:
        assert len(list(reader)) == 1
        assert reader.rest == len(rest)


def test_missing_files_and_other_grids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"cannot be opened \(No such file"):
        ChromaReader(tmp_path / "none.chroma")
    with pytest.raises(VideoError, match=r"cannot be opened \(No such file"):
        ChromaWriter(tmp_path / "none" / "film.chroma", HEADER)
    with ChromaWriter(tmp_path / "film.chroma", HEADER) as writer:
        with pytest.raises(ValueError, match=r"shape \(2, 9, 12\) came; \(2, 9, 13\) was needed"):
            writer.append(ChromaFrame(np.zeros((2, 9, 12), np.float32), True))
        with pytest.raises(ValueError, match="a fraction of 64-bit numbers was needed"):
            writer.append(replace(frames(1)[0], time=Fraction(1, 2**70)))
    with ChromaReader(tmp_path / "film.chroma") as reader:
        assert len(reader) == 0
        assert list(reader) == []


def test_a_header_keeps_plain_entries_only() -> None:
    with pytest.raises(ValueError, match="have no JSON form"):
        ChromaHeader(frame=(1, 1), grid=(1, 1), settings={"array": np.zeros(2)})
    with pytest.raises(ValueError, match="the header takes"):
        ChromaHeader(frame=(1, 1), grid=(1, 1), settings={"text": "x" * (1 << 20)})

"""One picture's copy: the original is never lost, and whatever goes wrong is said in a sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from noise import picture
from PIL import Image

from trtcolor.archive.job import color_file
from trtcolor.archive.record import Identity, Record
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer

SETTINGS = PictureSettings()


@pytest.fixture
def colorizer(make_bundle: Callable[..., Path]) -> Iterator[Colorizer]:
    with Colorizer(make_bundle(), threads=1) as colorizer:
        yield colorizer


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(picture(30, 40)).save(path)
    return path


def failure(record: Record) -> str:
    assert record.outcome == "failed"
    assert record.made is None
    return record.reason


@pytest.mark.parametrize("way", ["same", "dots", "link to it", "it is a link"])
def test_a_picture_is_not_replaced_by_its_copy(
    way: str, colorizer: Colorizer, original: Path, tmp_path: Path
) -> None:
    before = original.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(original)
    (tmp_path / "sub").mkdir()
    source, output = {
        "same": (original, original),
        "dots": (original, tmp_path / "sub" / ".." / "a.png"),
        "link to it": (original, link),
        "it is a link": (link, original),
    }[way]
    said = failure(color_file(colorizer, source, output, SETTINGS, overwrite=True))
    assert "are one file" in said
    assert original.read_bytes() == before
    assert link.is_symlink()


def test_another_picture_is_replaced_only_when_told(
    colorizer: Colorizer, original: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"dear")
    assert "is there already" in failure(color_file(colorizer, original, output, SETTINGS))
    assert output.read_bytes() == b"dear"
    record = color_file(colorizer, original, output, SETTINGS, overwrite=True)
    assert record.outcome == "coloured"
    assert record.made == Identity.of(output)


def test_a_broken_picture_leaves_an_older_output_alone(
    colorizer: Colorizer, original: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"dear")
    original.write_bytes(original.read_bytes()[:200])
    failure(color_file(colorizer, original, output, SETTINGS, overwrite=True))
    assert output.read_bytes() == b"dear"
    assert sorted(os.listdir(tmp_path)) == ["a.png", "out.png", "tiny"]


def test_a_pipe_is_refused_and_not_waited_for(colorizer: Colorizer, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    output = tmp_path / "out.png"
    said = failure(color_file(colorizer, tmp_path / "pipe.png", output, SETTINGS))
    assert "is a device or a pipe" in said
    assert not output.exists()


@pytest.mark.parametrize("name", ["two  blanks.png", "new\nline.png", os.fsdecode(b"\xff.png")])
def test_a_failure_has_the_name_once_and_as_it_is(
    name: str, colorizer: Colorizer, tmp_path: Path
) -> None:
    source = tmp_path / name
    source.write_bytes(b"")
    said = failure(color_file(colorizer, source, tmp_path / "out.png", SETTINGS))
    assert said.startswith(f"{source} is empty (0 bytes); ")
    assert said.count(".png") == 1


def test_a_folder_and_a_missing_file_fail_as_one_picture_each(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    for source, why in ((tmp_path, "Is a directory"), (tmp_path / "none.png", "No such file")):
        said = failure(color_file(colorizer, source, tmp_path / "out.png", SETTINGS))
        assert str(source) in said
        assert why in said

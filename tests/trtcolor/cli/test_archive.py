"""A folder from its pictures to its gallery, and what may not be lost on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import outcomes, tree
from command_line import refused, run
from noise import picture
from PIL import Image

SIDES = ("before", "after")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two pictures, a broken one and a pipe."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    Image.fromarray(picture(30, 40, seed=1)).save(folder / "a.png")
    Image.fromarray(picture(40, 30, seed=2)).save(folder / "sub" / "<b onerror=x>.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.fixture
def arguments(source: Path, bundle: Path, tmp_path: Path) -> tuple[Any, ...]:
    return ("colorize", source, "-o", tmp_path / "out", "--model", bundle)


def shown(folder: Path) -> str:
    """How many pictures the gallery shows of a folder, in its words."""
    done = run("gallery", folder, "--overwrite")
    assert done.returncode == 0, done.stderr
    return str(done.stdout).split(": ")[1].split(",")[0]


def test_a_gallery_is_made_of_what_a_run_wrote(arguments: tuple[Any, ...], tmp_path: Path) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert "2 coloured, 0 skipped, 2 failed" in done.stdout
    assert shown(tmp_path / "out") == "4 pictures"
    page = (tmp_path / "out" / "gallery.html").read_text("utf-8")
    assert "<b onerror" not in page
    for name in ("a.png", "&lt;b onerror=x&gt;.jpg", "broken.png", "pipe.png"):
        assert name in page
    inside = [page.count(f'<script type="text/plain" class="{kind}">') for kind in SIDES]
    assert inside == [2, 2]


def test_a_gallery_shows_each_picture_once_however_many_runs_there_were(
    arguments: tuple[Any, ...], source: Path, tmp_path: Path
) -> None:
    run(*arguments)
    moved = source.rename(tmp_path / "moved")
    (moved / "pipe.png").unlink()
    Image.fromarray(picture(30, 40, seed=3)).save(moved / "broken.png")
    words = ("colorize", moved, *arguments[2:], "--skip-existing")
    assert "1 coloured, 2 skipped, 0 failed" in run(*words).stdout
    assert "0 coloured, 3 skipped, 0 failed" in run(*words).stdout
    assert shown(tmp_path / "out") == "4 pictures"  # the pipe was one of the first run
    assert len(outcomes(tmp_path / "out")) == 4


def test_the_page_is_no_input_and_hinders_no_run(
    arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    run(*arguments)
    before = tree(tmp_path / "out")
    shown(tmp_path / "out")
    done = run(*arguments, "--skip-existing")
    assert "0 coloured, 2 skipped, 2 failed" in done.stdout
    assert before.items() <= tree(tmp_path / "out").items()


def test_a_sheet_has_those_that_were_coloured_and_those_that_were_before(
    arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    sheets = [tmp_path / "first.png", tmp_path / "second.png"]
    assert run(*arguments, "--sheet", sheets[0]).returncode == 1
    assert run(*arguments, "--sheet", sheets[1], "--skip-existing").returncode == 1
    first, second = (np.asarray(Image.open(sheet)).astype(int) for sheet in sheets)
    assert (first == second).all()
    assert np.ptp(first, axis=2).max() > 8


def test_an_original_is_not_replaced_by_its_copy(source: Path, bundle: Path) -> None:
    before = (source / "a.png").read_bytes()
    words = ("colorize", source / "a.png", "-o", source / "a.png", "--model", bundle)
    assert "are one file" in refused(*words, "--overwrite")
    assert (source / "a.png").read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--skip-existing",), ("--overwrite",)])
def test_inputs_stay_as_they_were(
    options: tuple[str, ...], arguments: tuple[Any, ...], source: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "a.png").symlink_to(source / "a.png")
    (output / "sub").symlink_to(source / "sub")
    before = tree(source)
    assert run(*arguments, *options).returncode == 1
    assert tree(source) == before
    said = outcomes(output) if options else {}
    assert all("outside the output folder" in why for name, (_, why) in said.items() if "/" in name)
    assert (output / "a.png").is_symlink() is (options != ("--overwrite",))


def test_a_report_replaces_no_picture_and_no_journal(
    arguments: tuple[Any, ...], source: Path, tmp_path: Path
) -> None:
    before = tree(source)
    words = (*arguments, "--skip-existing", "--report")
    assert "is no report" in refused(*words, source / "a.png")
    assert run(*words, tmp_path / "r.jsonl").returncode == 1
    journal = tmp_path / "out" / ".trtcolor" / "results.jsonl"
    assert "keeps what it remembers" in refused(*words, journal)
    done = run(*words, tmp_path / "r.jsonl")
    assert "0 coloured, 2 skipped, 2 failed" in done.stdout
    assert len((tmp_path / "r.jsonl").read_bytes().splitlines()) == 5
    assert tree(source) == before


def test_a_report_may_lie_in_a_folder_that_the_run_makes(
    arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    report = tmp_path / "out" / "report.jsonl"
    run(*arguments, "--report", report)
    _, *lines = [json.loads(line) for line in report.read_text("ascii").splitlines()]
    assert sorted(line["outcome"] for line in lines) == ["coloured"] * 2 + ["failed"] * 2


def test_names_that_are_no_text_are_said_in_lines_and_reported_as_json(
    bundle: Path, tmp_path: Path
) -> None:
    names = {os.fsdecode(b"\xff.png"), "new\nline.png", "\x1b[2J.png"}
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    report = tmp_path / "report.jsonl"
    words = ("colorize", tmp_path / "in", "-o", tmp_path / "out", "--model", bundle)
    done = run(*words, "--report", report, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "0 bytes" in line]
    assert len(said) == 3
    assert all(line.startswith("failed: ") and line.isprintable() for line in said)
    lines = [json.loads(line) for line in report.read_text("ascii").splitlines()]
    assert {line["output"] for line in lines[1:]} == names

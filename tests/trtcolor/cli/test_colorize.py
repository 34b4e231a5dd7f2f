"""``colorize`` on many pictures: what it takes, what it says, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from archives import tree
from command_line import command, refused, run
from noise import picture
from PIL import Image


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for number, name in enumerate(("a.png", "sub/b.jpg", "sub/c.gif")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(30, 40, seed=number)).save(folder / name)
    return folder


def test_a_folder_is_coloured_and_summed_up(source: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    (source / "notes.txt").write_text("x")
    done = run("colorize", source, "-o", output, "--model", bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{output}: 3 coloured, 0 skipped, 0 failed\n"
    assert "files without a picture's suffix: 1" in done.stderr
    assert all(word in done.stderr for word in ("read", "network", "write", "wall"))
    assert set(tree(output)) == {"a.png", "sub/b.jpg", "sub/c.png"}


def test_a_broken_picture_is_named_counted_and_makes_the_status_1(
    source: Path, bundle: Path, tmp_path: Path
) -> None:
    (source / "broken.png").write_bytes(b"")
    report = tmp_path / "report.jsonl"
    done = run("colorize", source, "-o", tmp_path / "out", "--model", bundle, "--report", report)
    assert done.returncode == 1
    assert "3 coloured, 0 skipped, 1 failed" in done.stdout
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("failed: "))
    assert str(source / "broken.png") in said
    assert "0 bytes" in said
    lines = [json.loads(line) for line in report.read_text("ascii").splitlines()]
    assert sorted(line.get("outcome", "") for line in lines) == ["", *["coloured"] * 3, "failed"]


def test_lists_patterns_and_several_folders_are_taken(
    source: Path, bundle: Path, tmp_path: Path
) -> None:
    model = ("--model", bundle, "--format", "png")
    out = [tmp_path / f"out{number}" for number in range(4)]
    (tmp_path / "list").write_text(f"{source / 'a.png'}\n{source / 'sub'}\n")
    assert run("colorize", f"@{tmp_path / 'list'}", "-o", out[0], *model).returncode == 0
    assert run("colorize", "--list", tmp_path / "list", "-o", out[1], *model).returncode == 0
    assert run("colorize", source / "**" / "*.*", "-o", out[2], *model).returncode == 0
    words = command("colorize", "-", "-o", out[3], *model)
    paths = b"\0".join(os.fsencode(path) for path in source.rglob("*.*"))
    assert subprocess.run(words, input=paths, capture_output=True).returncode == 0
    assert set(tree(out[0])) == {"a.png", "sub/b.png", "sub/c.png"}
    assert tree(out[0]) == tree(out[1]) == tree(out[2]) == tree(out[3])


def test_one_file_into_a_folder_keeps_its_name(source: Path, bundle: Path, tmp_path: Path) -> None:
    for output in (tmp_path / "there", f"{tmp_path / 'new'}/"):
        (tmp_path / "there").mkdir(exist_ok=True)
        done = run("colorize", source / "a.png", "-o", output, "--model", bundle)
        assert done.returncode == 0, done.stderr
        assert set(tree(Path(output))) == {"a.png"}


def test_a_folder_is_gone_on_with_only_as_told(source: Path, bundle: Path, tmp_path: Path) -> None:
    arguments = ("colorize", source, "-o", tmp_path / "out", "--model", bundle)
    assert run(*arguments).returncode == 0
    said = refused(*arguments)
    assert "3 of 3 outputs are there already" in said
    assert "--skip-existing" in said
    assert "--overwrite" in said
    assert "0 coloured, 3 skipped" in run(*arguments, "--skip-existing").stdout
    assert "3 coloured, 0 skipped" in run(*arguments, "--overwrite").stdout


def test_what_is_in_out_is_never_taken(source: Path, bundle: Path) -> None:
    arguments = ("colorize", source, "-o", source / "coloured", "--model", bundle)
    assert run(*arguments).returncode == 0
    done = run(*arguments, "--skip-existing")
    assert "0 coloured, 3 skipped, 0 failed" in done.stdout
    assert "lies in the output folder" in refused("colorize", source, "-o", source)
    assert "lies in the output folder" in refused("colorize", source / "a.png", "-o", source)


def test_the_format_quality_and_metadata_are_as_told(
    source: Path, bundle: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a street"
    Image.fromarray(picture(64, 64)).save(source / "a.png", exif=exif)
    sizes = []
    for number, options in enumerate((("--quality", 30), ("--quality", 95, "--no-keep-metadata"))):
        output = tmp_path / str(number)
        options = (*options, "--format", "jpeg", "--model", bundle)
        assert run("colorize", source, "-o", output, *options).returncode == 0
        assert set(tree(output)) == {"a.jpg", "sub/b.jpg", "sub/c.jpg"}
        sizes.append((output / "sub" / "b.jpg").stat().st_size)
        with Image.open(output / "a.jpg") as image:
            assert image.format == "JPEG"
            assert (image.getexif().get(0x010E) == "a street") is (number == 0)
    assert sizes[0] < sizes[1]


def test_a_sheet_shows_before_and_after_of_all(source: Path, bundle: Path, tmp_path: Path) -> None:
    sheet, output = tmp_path / "sheet.png", tmp_path / "out"
    arguments = ("colorize", source, "-o", output, "--model", bundle, "--sheet", sheet)
    done = run(*arguments, "--compare", bundle)
    assert done.returncode == 0, done.stderr
    assert f"the sheet is {sheet}" in done.stdout
    assert Image.open(sheet).width > 3 * 40
    assert "is there already" in refused(*arguments, "--skip-existing")


def test_one_pictures_report_is_a_line_too(source: Path, bundle: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    options = ("--model", bundle, "--report", report)
    assert run("colorize", source / "a.png", "-o", tmp_path / "a.png", *options).returncode == 0
    head, line = map(json.loads, report.read_text("ascii").splitlines())
    assert head["settings"] == line["settings"]
    assert (line["outcome"], line["height"], line["width"]) == ("coloured", 30, 40)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "out"), "Missing argument"),
        (("a.png", "-o", "b.png", "--skip-existing"), "needs a folder"),
        (("a.png", "-o", "b.png", "--format", "jpeg"), "disagree"),
        (("a.png", "b.png", "-o", "c.png"), "several pictures need a folder"),
        (("a.png", "-o", "out/", "--compare", "x"), "--sheet"),
    ],
)
def test_a_command_line_that_contradicts_itself_is_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture(9, 9)).save("a.png")
    assert said in refused("colorize", *arguments)
    assert os.listdir() == ["a.png"]

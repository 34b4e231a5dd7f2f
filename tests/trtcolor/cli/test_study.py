"""``trtcolor study``: prepared, served and reported."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from colour_folders import fill
from command_line import command, refused, run
from studies import make_study, store

from trtcolor.cli import main
from trtcolor.study.answers import Answer
from trtcolor.study.folder import open_study

MakeBundle = Callable[..., Path]
TIME = "2026-11-27T04:00:00.000Z"


@pytest.fixture
def bundles(make_bundle: MakeBundle) -> list[Path]:
    return [make_bundle("first"), make_bundle("second", seed=1)]


def test_a_study_is_prepared_and_reported(bundles: list[Path], tmp_path: Path) -> None:
    folder, json_file = tmp_path / "study", tmp_path / "r.json"
    done = run(
        *("study", *bundles, fill(tmp_path / "data"), "-o", folder),
        *("--pictures", 6, "--seed", 3, "--no-serve"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{folder}: 4 pictures in 3 versions (ground truth, first, second), 12 answers a user, "
        "seed 3\n"
    )
    assert "has 4 colour pictures of the 6 asked for" in done.stderr
    assert "4 pictures are smaller than 256x256 and were enlarged" in done.stderr
    study = open_study(folder)
    assert "has no answers yet" in refused("study", "report", folder)
    store(
        study,
        [
            Answer("Anna", scene.name, approach.name, "yes", 900, TIME, 1.0)
            for scene in study.scenes
            for approach in study.approaches
        ],
    )
    done = run("study", "report", folder, "--json", json_file)
    assert done.returncode == 0, done.stderr
    assert "  ours first" in done.stdout
    assert [f["median"] for f in json.loads(json_file.read_text())["figures"]] == [1.0, 1.0, 1.0]
    assert "is there already" in refused("study", "report", folder, "--json", json_file)
    assert run("study", "report", folder, "--json", json_file, "--overwrite").returncode == 0


def test_it_is_served_as_soon_as_it_is_prepared(bundles: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    arguments = ("study", bundles[0], fill(tmp_path / "data"), "-o", folder, "--port", 0)
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert "4 pictures in 2 versions" in lines[0]
    assert "Ctrl-C ends" in lines[1]
    assert lines[2].startswith("open http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "0 users have joined, 0 answers are in" in out


def test_answers_are_never_overwritten(bundles: list[Path], tmp_path: Path) -> None:
    make_study(tmp_path / "study")
    said = refused("study", bundles[0], fill(tmp_path / "data"), "-o", tmp_path / "study")
    assert f"go on with: trtcolor study serve {tmp_path / 'study'}" in said
    (tmp_path / "other").mkdir()
    other = refused("study", bundles[0], tmp_path / "data", "-o", tmp_path / "other")
    assert "is there already" in other
    assert "--overwrite" not in said + other  # there is no such option


def test_options_may_come_first(bundles: list[Path], tmp_path: Path) -> None:
    arguments = ("--no-serve", "-o", tmp_path / "study", bundles[0], fill(tmp_path / "data"))
    assert run("study", *arguments).returncode == 0
    again = ("run", "--no-serve", "-o", tmp_path / "again", bundles[0], tmp_path / "data")
    assert run("study", *again).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("default",), "Missing argument 'BUNDLE...'"),
        (("default", "data"), "Missing option '-o'"),
        (("report",), "Missing argument 'FOLDER'"),
        (("nothing", "data", "-o", "s", "--no-serve"), "no data at 'data'"),
        (("serve", "none", "--port", "0"), "has no study.json"),
        (("report", "none"), "has no study.json"),
        (("default", "data", "-o", "s", "--user", "<b>"), "a letter or digit first"),
    ],
)
def test_a_wrong_command_is_refused_in_a_line(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["study", *arguments])
    assert done.exit_code in (1, 2)
    (line,) = done.output.splitlines()
    assert sentence in line


def test_help_shows_how_it_is_called() -> None:
    text = CliRunner().invoke(main, ["study", "--help"]).output
    assert "study BUNDLE... DATA -o FOLDER" in text
    assert CliRunner().invoke(main, ["study"]).output == text
    assert "--pictures" in CliRunner().invoke(main, ["study", "run", "--help"]).output

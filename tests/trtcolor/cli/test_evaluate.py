"""``trtcolor evaluate``: tables, JSON and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import scene, write_clip
from colour_folders import fill
from command_line import refused, run
from PIL import Image

MakeBundle = Callable[..., Path]


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    return make_bundle("scenes", global_size=32, classes=("sea", "town", "wood"))


def test_evaluate_measures_several_bundles_at_once(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundles = [make_bundle("first"), make_bundle("second", seed=1)]
    data, json_file, sheet = fill(tmp_path / "data"), tmp_path / "r.json", tmp_path / "sheet.png"
    files = ("--json", json_file, "--sheet", sheet, "--sheet-pictures", 2)
    done = run("evaluate", *bundles, data, *files, "--limit", 3, "--size", 32, "--record")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = [line.split()[0] for line in done.stdout.splitlines() if line]
    assert [names.count(name) for name in ("originals", "grey", "first", "second")] == [1, 2, 2, 2]
    rows = json.loads(json_file.read_text())["rows"]
    assert [row["name"] for row in rows] == ["originals", "grey", "first", "second"]
    for bundle, row in zip(bundles, rows[2:], strict=True):
        metrics = json.loads((bundle / "model.json").read_text())["metrics"]
        assert metrics["ciede2000"] == row["figures"]["ciede2000"]["value"]
        assert (metrics["pictures"], metrics["size"]) == (3, 32)
    assert Image.open(sheet).size == (8 * 64 + 9 * 8, 8 + 21 + 64 + 8 + 21)
    for option, path in (("--json", json_file), ("--sheet", sheet)):
        assert "is there already" in refused("evaluate", bundles[0], data, option, path)
    both = ("--json", sheet, "--sheet", sheet, "--overwrite")
    assert "--json and --sheet are both" in refused("evaluate", bundles[0], data, *both)


def test_evaluate_prints_a_papers_table(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, json_file = make_bundle(family="olah2022-cnn"), tmp_path / "r.json"
    data, places = fill(tmp_path / "data"), fill(tmp_path / "places", 2)
    options = ("--paper", "003", "--places", places, "--json", json_file)
    done = run("evaluate", bundle, data, *options, "--sheet", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("003 (Olah and Yang), Table 1, upper half")
    assert "Unet with Weights     0.015   0.080         17.019     0.277" in done.stdout
    entries = json.loads(json_file.read_text())
    assert entries["paper"] == "003"
    assert [e["counts"]["kept"] for e in entries["evaluations"]] == [4, 2]
    assert (tmp_path / "sheet.png").is_file()
    assert "--places came without --paper 003" in refused(
        "evaluate", bundle, data, "--paper", "004", "--places", places
    )


def test_evaluate_refuses_a_class_that_is_not_there(bundle: Path, tmp_path: Path) -> None:
    said = refused("evaluate", bundle, fill(tmp_path / "data"), "--only-class", "sea")
    assert "the class 'sea' was asked for and the data have the classes none" in said


def test_evaluate_measures_how_steadily_a_film_is_coloured(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [scene(seed) for seed in (1, 1, 1, 2, 2, 2)])
    bundles, json_file = [make_bundle("a"), make_bundle("b", seed=1)], tmp_path / "r.json"
    done = run("evaluate", *bundles, clip, "--json", json_file, "--saturation", 0.5)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()[2:6]] == [
        "grey",
        "a",
        "b",
        "original",
    ]
    found = json.loads(json_file.read_text())
    assert (found["frames"], found["shot_frames"]) == (6, [3, 3])
    assert found["settings"]["saturation"] == 0.5
    for option in (("--size", 32), ("--paper", "001"), ("--record",), ("--sheet", "s.png")):
        said = refused("evaluate", bundles[0], clip, *option)
        assert f"{option[0]} came for a film" in said


def test_a_refused_evaluation_prints_nothing_but_why(bundle: Path, tmp_path: Path) -> None:
    done = run("evaluate", bundle, tmp_path / "none")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1

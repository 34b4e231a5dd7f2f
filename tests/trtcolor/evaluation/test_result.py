"""What an evaluation keeps: figures that follow from the values of each picture, JSON, a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colour_folders import fill, picture
from PIL import Image

from trtcolor import __version__
from trtcolor.bundle import open_bundle, record_metrics
from trtcolor.evaluation.figures import MEASURES
from trtcolor.evaluation.result import Evaluation, Settings, last_parts
from trtcolor.evaluation.run import evaluate
from trtcolor.metrics.colourfulness import colourfulness

MakeBundle = Callable[..., Path]
SCENES = ("sea", "town", "wood")
DECODER = {
    "kind": "mode",
    "bins": 12,
    "space": "ab",
    "centres": [[10 * i - 60, 55 - 10 * i] for i in range(12)],
    "class_weights": [1 + i / 10 for i in range(12)],
}


@pytest.fixture
def found(make_bundle: MakeBundle, tmp_path: Path) -> Evaluation:
    """Two bundles on labelled pictures, of which one has hardly any chroma above 10."""
    models = [
        make_bundle("bins", bins=12, decoder=DECODER, training={"data": {"mean_chroma": [4, 8]}}),
        make_bundle("scenes", global_size=32, classes=SCENES, seed=3),
    ]
    for index in range(6):
        folder = tmp_path / "data" / SCENES[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(index)).save(folder / f"{index}.png")
    shades = np.clip(picture(7)[..., 1:2] + np.array([5, 0, -8]), 0, 255).astype(np.uint8)
    Image.fromarray(shades).save(tmp_path / "data" / "sea" / "pale.png")
    return evaluate(models, tmp_path / "data", Settings(size=32))


def test_a_path_is_known_by_its_last_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "set" / "data")
    paths = (".", "", "../data", "..", "val-*.tar", "/val", "/home/me/set/val-*.tar", "a/b/../c")
    assert [last_parts(path) for path in paths] == [
        "set/data",
        "set/data",
        "data",
        f"{tmp_path.name}/set",
        "val-*.tar",
        "val",
        "set/val-*.tar",
        "b/c",
    ]


def by_hand(rows: list[dict[str, Any]], row: dict[str, Any], name: str) -> tuple[float, int]:
    """A figure of the JSON's rows from nothing but their values."""
    if name in ("top1", "top5"):
        ranks = [rank for rank in row["values"]["rank"] if rank is not None]
        return sum(rank <= int(name[3:]) for rank in ranks) / len(ranks), len(ranks)
    if name.endswith(("_ratio", "_difference")) and name not in row["values"]:
        measure, kind = name.rsplit("_", 1)
        base = rows[1 if measure == "ciede2000" else 0]["values"][measure]
        own, other = np.mean(row["values"][measure]), np.mean(base)
        return (own / other if kind == "ratio" else own - other), len(base)
    values = [value for value in row["values"][name] if value is not None]
    return (max if name == "lightness_error_max" else np.mean)(values), len(values)


def test_the_figures_in_the_json_follow_from_its_values_by_hand(found: Evaluation) -> None:
    entries = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    seen = set()
    for row in entries["rows"]:
        assert all(len(values) == len(entries["pictures"]) for values in row["values"].values())
        for name, figure in row["figures"].items():
            value, pictures = by_hand(entries["rows"], row, name)
            assert figure["value"] == pytest.approx(value, rel=1e-12), name
            assert figure["pictures"] == pictures, name
            seen.add(name)
    assert seen == {*MEASURES, "colourfulness_ratio"} - {"fid", "lpips"}


def test_a_figure_that_only_some_pictures_have_says_of_how_many(found: Evaluation) -> None:
    bundle = found.bundles[0]
    pale = found.keys.index("sea/pale.png")
    assert [v is None for v in bundle.values["chroma_cosine"]] == [
        index == pale for index in range(7)
    ]
    assert found.figures(bundle)["chroma_cosine"].pictures == 6
    assert found.figures(bundle)["ciede2000"].pictures == found.counts.kept == 7
    assert found.flat(bundle)["chroma_cosine_pictures"] == 6


def test_the_json_says_where_it_all_came_from(found: Evaluation, tmp_path: Path) -> None:
    entries = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert entries["trtcolor"] == __version__
    assert entries["data"] == f"{tmp_path.name}/data"
    assert entries["settings"] == {
        "limit": None,
        "size": 32,
        "only_class": None,
        "saturation": 1.0,
        "render": "auto",
    }
    assert entries["counts"] == {"kept": 7, "colourless": 0, "unreadable": 0}
    assert entries["pictures"] == list(found.keys)
    assert entries["seconds"] > 0
    assert [row["name"] for row in entries["rows"]] == [
        "originals",
        "grey",
        "mean colour",
        "bins",
        "scenes",
    ]
    bundle = entries["rows"][3]
    assert (bundle["model"], bundle["family"]) == ("bins", "tiny")
    assert bundle["decoder"] == {"kind": "mode"}
    assert set(bundle["files"]) == {"local.onnx", "weights.bin"}
    assert entries["rows"][4]["left_out"] == [
        "bin measures left out: a regression has no colour bins"
    ]


def test_a_record_is_numbers_by_name_with_their_pictures(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle()
    found = evaluate([model], fill(tmp_path / "set" / "data"))
    entries = found.flat(found.bundles[0])
    record_metrics(model, entries)
    assert open_bundle(model).spec.metrics == entries
    originals = np.mean([colourfulness(picture(index)) for index in range(4)])
    assert entries["colourfulness_original"] == pytest.approx(originals)
    assert entries["ciede2000_ratio"] == entries["ciede2000"] / entries["ciede2000_grey"]
    assert entries["colourfulness_ratio"] == pytest.approx(entries["colourfulness"] / originals)
    assert (entries["pictures"], entries["colourless"], entries["unreadable"]) == (4, 0, 0)
    assert entries["data"] == "set/data"
    assert (entries["saturation"], entries["render"]) == (1.0, "auto")
    assert "limit" not in entries

"""The list of models tells what each is, where it is, and the figures of its colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trtcolor.bundle import DEFAULT_MODEL, open_bundle
from trtcolor.catalogue import catalogue, figures

MakeBundle = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of models, empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("TRTCOLOR_MODELS", str(folder))
    return folder


def test_the_bundled_default_is_listed_with_its_recorded_figures() -> None:
    (listed,) = catalogue()
    metrics = open_bundle("default").spec.metrics
    heading, licence, told = listed.lines()
    assert heading.startswith(f"{DEFAULT_MODEL}  ")
    assert heading.endswith("(bundled, the default)")
    assert "non-commercial" in licence
    assert f"CIEDE2000 {metrics['ciede2000']:.2f}" in told
    assert f"{metrics['pictures']} pictures of {metrics['data']}" in told


def test_the_size_is_that_of_the_files_of_the_model(make_bundle: MakeBundle, models: Path) -> None:
    folder = make_bundle("mine", models=models)
    size = sum(file.stat().st_size for file in folder.iterdir())
    (folder / "notes.txt").write_text("not of the model")
    assert catalogue()[0].size == size


def test_a_model_that_hides_a_bundled_one_says_so(make_bundle: MakeBundle, models: Path) -> None:
    make_bundle(DEFAULT_MODEL, models=models)
    (listed,) = catalogue()
    assert listed.hides
    assert listed.default
    assert listed.lines()[0].endswith("(installed, the default, hides the bundled one)")


def test_a_model_that_cannot_be_used_is_listed_with_why(models: Path) -> None:
    (models / "broken").mkdir()
    (models / "broken" / "model.json").write_text("no JSON")
    (line,) = catalogue()[0].lines()
    assert line.startswith("broken  cannot be used: ")
    assert catalogue()[0].to_dict()["model"] is None


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        ({}, "not measured; 'trtcolor evaluate NAME DATA --record' does"),
        ({"ciede2000": 9.876, "psnr": 24.0}, "CIEDE2000 9.88"),
        ({"ciede2000": "good", "top5": True, "ciede2000_ratio": 0.9}, "0.900 of grey pictures'"),
        ({"top5": 0.5, "pictures": 20, "data": "val"}, "top-5 50.0%, on 20 pictures of val"),
    ],
)
def test_figures_are_those_that_are_recorded_as_numbers(
    metrics: dict[str, object], line: str
) -> None:
    assert figures(metrics) == line

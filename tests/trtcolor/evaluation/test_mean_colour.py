"""The mean colour of the training sets: one row a set, from the spec or from the pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colour_folders import fill, grey_file, picture

from trtcolor import color
from trtcolor.errors import DataError
from trtcolor.evaluation.mean_colour import mean_colours
from trtcolor.evaluation.run import evaluate
from trtcolor.spec import ModelSpec

MakeBundle = Callable[..., Path]


def training(**data: Any) -> dict[str, Any]:
    return {"steps": 1, "data": data}


def test_bundles_of_one_training_set_share_a_row(make_bundle: MakeBundle, tmp_path: Path) -> None:
    models = [
        make_bundle(name, training=training(fingerprint="f", mean_chroma=mean))
        for name, mean in (("a", [3.0, 9.0]), ("b", [3.1, 9.1]))
    ]
    found = evaluate(models, fill(tmp_path / "data"))
    assert [row.name for row in found.rows[2:]] == ["mean colour", "a", "b"]


def test_each_distinct_training_set_has_a_row_and_a_note_which_it_is(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    sets = (
        {"description": "sea and wood", "source": "x/y", "mean_chroma": [3, 9]},
        {"description": "", "source": "mit8/train-*.tar", "mean_chroma": [-3.5, 9]},
        {"mean_chroma": [0.5, 1]},
    )
    models = [make_bundle(f"m{i}", training=training(**data)) for i, data in enumerate(sets)]
    found = evaluate(models, fill(tmp_path / "data"))
    assert [row.name for row in found.rows[2:5]] == [
        "mean colour 1",
        "mean colour 2",
        "mean colour 3",
    ]
    assert found.notes == (
        "mean colour 1: of sea and wood",
        "mean colour 2: of mit8/train-*.tar",
        "mean colour 3: of training data without a description",
    )


def test_the_same_pictures_at_two_sizes_are_two_rows(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    models = [
        make_bundle(name, training=training(description="sea", fingerprint=name, mean_chroma=mean))
        for name, mean in (("a", [3, 9]), ("b", [3.1, 9]))
    ]
    found = evaluate(models, fill(tmp_path / "data"))
    assert len({row.name for row in found.rows}) == len(found.rows) == 6


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"data": "pictures"},
        {"data": {"mean_chroma": [1]}},
        {"data": {"mean_chroma": ["1", 2]}},
        {"data": {"mean_chroma": [float("inf"), 2]}},
    ],
)
def test_a_bundle_that_does_not_say_it_leaves_it_out_with_a_reason(
    data: dict[str, Any], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    found = evaluate([make_bundle(training=data)], fill(tmp_path / "data"))
    assert [row.kind for row in found.rows] == ["originals", "grey", "bundle"]
    assert any("left out for tiny" in note and "--training-data" in note for note in found.notes)


def test_it_is_computed_from_training_pictures_that_are_given(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(training=training(description="mine"))
    pictures = fill(tmp_path / "training", 5, grey=grey_file())
    found = evaluate([model], fill(tmp_path / "data"), training_data=pictures)
    mean = next(row for row in found.rows if row.kind == "mean colour")
    true = np.mean([color.lab_from_rgb(picture(i)).mean((0, 1))[1:] for i in range(5)], axis=0)
    with_it = make_bundle("said", training=training(mean_chroma=true.tolist()))
    said = evaluate([with_it], tmp_path / "data").rows[2]
    assert mean.values["ciede2000"] == pytest.approx(said.values["ciede2000"], abs=0.2)
    assert not found.notes


def test_training_pictures_without_colours_are_refused(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    grey = fill(tmp_path / "training", 0, grey=grey_file())
    with pytest.raises(DataError, match="no colour picture left"):
        evaluate([make_bundle()], fill(tmp_path / "data"), training_data=grey)


def test_bundles_that_say_it_do_not_look_at_training_pictures(make_bundle: MakeBundle) -> None:
    text = (make_bundle(training=training(mean_chroma=[1, 2])) / "model.json").read_text()
    found, notes = mean_colours([("m", ModelSpec.from_json(text))], "no such folder", 1)
    assert len(found) == 1
    assert notes == []

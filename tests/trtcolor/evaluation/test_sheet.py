"""The sheet of an evaluation: grey | each bundle | original, in as many groups as fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colour_folders import fill, picture

from trtcolor.errors import OutputExistsError
from trtcolor.evaluation.run import evaluate
from trtcolor.evaluation.sheet import write_sheet
from trtcolor.images import read_picture

MakeBundle = Callable[..., Path]
WIDTH, HEIGHT, GAP = 80, 64, 8  # 40x32 pictures, enlarged twice


def pixels(path: Path) -> np.ndarray:
    return read_picture(path).pixels.astype(int)


def test_with_one_bundle_four_groups_stand_in_a_row(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model, data = make_bundle(), fill(tmp_path / "data", 7)
    for count in (4, 5):
        write_sheet(tmp_path / f"{count}.png", evaluate([model], data, show=count))
    four, five = (pixels(tmp_path / f"{count}.png") for count in (4, 5))
    assert five.shape[0] > four.shape[0]  # the fifth begins a row
    assert five.shape[1] == four.shape[1] == 12 * WIDTH + 13 * GAP
    saturation = np.ptp(four, axis=2)
    for column in range(12):
        left = GAP + (WIDTH + GAP) * column
        assert (saturation[:, left : left + WIDTH].max() == 0) == (column % 3 == 0)


def test_with_several_bundles_each_has_a_column(make_bundle: MakeBundle, tmp_path: Path) -> None:
    models = [make_bundle(name, seed=seed) for seed, name in enumerate("abcd")]
    found = evaluate(models, fill(tmp_path / "data", 5), show=3)
    write_sheet(tmp_path / "sheet.png", found)
    sheet = pixels(tmp_path / "sheet.png")
    assert sheet.shape[1] == 12 * WIDTH + 13 * GAP  # two groups of grey, four bundles, original
    assert [len(shown) for shown in found.shown] == [6, 6, 6]
    for shown, index in zip(found.shown, range(3), strict=True):
        np.testing.assert_array_equal(shown[-1], picture(index))
        assert (np.ptp(shown[0], axis=2) == 0).all()


def test_an_existing_sheet_is_kept(make_bundle: MakeBundle, tmp_path: Path) -> None:
    found = evaluate([make_bundle()], fill(tmp_path / "data", 1), show=1)
    (tmp_path / "sheet.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        write_sheet(tmp_path / "sheet.png", found)
    write_sheet(tmp_path / "sheet.png", found, overwrite=True)


def test_nothing_to_show_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    found = evaluate([make_bundle()], fill(tmp_path / "data", 1))
    with pytest.raises(ValueError, match="sheet of no pictures"):
        write_sheet(tmp_path / "sheet.png", found)

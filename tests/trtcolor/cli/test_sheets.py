"""``--sheet`` and ``--compare`` as a user meets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from command_line import refused, run
from PIL import Image

MakeBundle = Callable[..., Path]


def test_a_sheet_shows_before_and_after(photo: Path, bundle: Path, tmp_path: Path) -> None:
    sheet, output = tmp_path / "sheet.png", tmp_path / "out.png"
    done = run("colorize", photo, "-o", output, "--model", bundle, "--sheet", sheet)
    assert done.returncode == 0, done.stderr
    assert f"the sheet is {sheet}" in done.stdout
    pixels = np.asarray(Image.open(sheet)).astype(int)
    coloured = np.ptp(pixels, axis=2).max(axis=0) > 8
    middle = len(coloured) // 2
    assert not coloured[:middle].any()
    assert coloured[middle:].any()


def test_models_to_compare_stand_beside_it(
    photo: Path, bundle: Path, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    other, sheet = make_bundle("other", seed=5), tmp_path / "sheet.png"
    options = ("--model", bundle, "--sheet", sheet, "--compare", other, "--compare", bundle)
    done = run("colorize", photo, "-o", tmp_path / "out.png", *options)
    assert done.returncode == 0, done.stderr
    pixels = np.asarray(Image.open(sheet))
    assert pixels.shape[1] > 4 * 120  # 60 pixels, shown twice as large


def test_a_sheet_that_cannot_be_is_refused_before_the_work(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    taken = tmp_path / "taken.png"
    taken.write_bytes(b"mine")
    given = ("colorize", photo, "-o", output, "--model", bundle)
    assert "taken.png is there already" in refused(*given, "--sheet", taken)
    assert "without --sheet" in refused(*given, "--compare", bundle)
    wanted = ("--sheet", tmp_path / "sheet.png", "--compare", "nobody")
    assert "nobody" in refused(*given, *wanted)
    assert not output.exists()

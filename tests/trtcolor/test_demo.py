"""The demo needs nothing but installed files, and writes one sheet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trtcolor import demo
from trtcolor.errors import DataError, OutputExistsError, PictureError
from trtcolor.images import read_picture

MakeBundle = Callable[..., Path]


def silent(line: str) -> None:
    pass


def test_every_photograph_is_an_installed_colour_file() -> None:
    files = demo.photographs()
    assert [file.name for file in files] == list(demo.PHOTOGRAPHS)
    for file in files:
        pixels = read_picture(file).pixels
        assert pixels.ndim == 3
        assert np.ptp(pixels[..., :3].astype(int), axis=2).max() > 50


def test_photographs_are_found_without_importing_scikit_image() -> None:
    program = (
        "import sys; from trtcolor import demo; assert demo.photographs(); "
        "sys.exit('skimage' in sys.modules or 'pooch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", program]).returncode == 0


def test_the_demo_writes_a_sheet_of_grey_coloured_and_original(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    lines: list[str] = []
    output = tmp_path / "sheet.png"
    model = make_bundle(global_size=32, render_size=64)
    assert demo.run_demo(output, model=str(model), say=lines.append) == output
    assert len(lines) == len(demo.PHOTOGRAPHS) + 1
    assert lines[0].startswith("astronaut.png, 512x512, coloured in ")
    assert lines[-1] == f"the sheet is {output}"
    sheet = read_picture(output).pixels.astype(int)
    saturation = np.ptp(sheet, axis=2)
    third = sheet.shape[1] // 3
    assert saturation[:, : third - 8].max() == 0
    assert saturation[:, third + 8 : 2 * third - 8].mean() > 1
    assert saturation[:, 2 * third + 8 :].mean() > 1
    assert [path.name for path in tmp_path.glob(".*.part")] == []


def test_without_saturation_the_demo_is_grey_but_for_the_originals(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    output = tmp_path / "sheet.png"
    model = str(make_bundle(render_size=64))
    demo.run_demo(output, model=model, saturation=0, threads=1, say=silent)
    sheet = read_picture(output).pixels.astype(int)
    assert np.ptp(sheet[:, : 2 * sheet.shape[1] // 3 - 8], axis=2).max() == 0


def test_an_existing_sheet_is_kept_unless_overwriting_is_allowed(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    output, model = tmp_path / "sheet.png", str(make_bundle(render_size=64))
    output.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        demo.run_demo(output, model=model, say=silent)
    assert output.read_bytes() == b"mine"
    demo.run_demo(output, model=model, overwrite=True, say=silent)
    assert output.read_bytes() != b"mine"


def test_an_impossible_output_is_refused_before_the_model_is_opened(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        demo.run_demo(tmp_path / "sheet.txt", model="no such model", say=silent)


def test_without_scikit_image_the_demo_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r'pip install "trtcolor\[demo\]"'):
        demo.run_demo(tmp_path / "sheet.png", say=silent)

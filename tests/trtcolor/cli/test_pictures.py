"""The command line as a user meets it: real processes, exit codes, one line of error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from command_line import refused, run
from noise import PIXELS
from PIL import Image

from trtcolor import Colorizer
from trtcolor.cli.results import check_results
from trtcolor.frames import Upsampling

MakeBundle = Callable[..., Path]
RANDOM = np.random.default_rng(0)


def test_colorize_writes_a_colour_picture(photo: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    done = run("colorize", photo, "-o", output, "--model", bundle)
    assert done.returncode == 0, done.stderr
    coloured = np.asarray(Image.open(output))
    assert coloured.shape == (40, 60, 3)
    assert np.ptp(coloured.astype(int), axis=2).max() > 0


def test_saturation_0_gives_the_grey_picture_back(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    run("colorize", photo, "-o", output, "--model", bundle, "--saturation", 0)
    assert (np.asarray(Image.open(output)) == PIXELS[..., None]).all()


def test_style_changes_the_colours(photo: Path, bundle: Path, tmp_path: Path) -> None:
    style = tmp_path / "style.png"
    Image.fromarray(np.full((50, 50), 250, np.uint8)).save(style)
    for name, options in (("plain", ()), ("styled", ("--style", style))):
        done = run("colorize", photo, "-o", tmp_path / f"{name}.png", "--model", bundle, *options)
        assert done.returncode == 0, done.stderr
    plain, styled = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("plain", "styled"))
    assert (plain != styled).any()


def test_render_is_a_number_full_or_auto(photo: Path, bundle: Path, tmp_path: Path) -> None:
    for render in ("16", "full", "auto"):
        output = tmp_path / f"{render}.png"
        done = run("colorize", photo, "-o", output, "--model", bundle, "--render", render)
        assert done.returncode == 0, done.stderr
    assert "positive number" in refused(
        "colorize", photo, "-o", tmp_path / "x.png", "--model", bundle, "--render", "small"
    )


def test_upsampling_is_as_that_of_the_colorizer(photo: Path, bundle: Path, tmp_path: Path) -> None:
    for way in get_args(Upsampling):
        output = tmp_path / f"{way}.png"
        options = ("--model", bundle, "--render", 16, "--upsampling", way)
        done = run("colorize", photo, "-o", output, *options)
        assert done.returncode == 0, done.stderr
        with Colorizer(bundle, render=16, upsampling=way) as colorizer:
            expected = colorizer.colorize(PIXELS)
        assert (np.asarray(Image.open(output)) == expected).all()


def test_classify_names_the_scenes(photo: Path, bundle: Path) -> None:
    done = run("classify", photo, "--model", bundle, "--top", 2)
    lines = done.stdout.split()
    assert done.returncode == 0
    assert len(lines) == 4
    assert {lines[1], lines[3]} <= {"sea", "town", "wood"}


def test_the_demo_keeps_an_existing_sheet_unless_told(bundle: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"precious")
    assert "is there already" in refused("demo", "-o", sheet, "--model", bundle)
    assert sheet.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty (0 bytes)"),
        (b"this is no picture", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ],
)
def test_what_is_no_picture_is_refused(
    content: bytes, said: str, bundle: Path, tmp_path: Path
) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    assert said in refused("colorize", path, "-o", tmp_path / "out.png", "--model", bundle)
    assert not (tmp_path / "out.png").exists()


def test_a_truncated_jpeg_is_refused_and_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "cut.jpg", tmp_path / "out" / "out.png"
    output.parent.mkdir()
    Image.fromarray(RANDOM.integers(0, 256, (200, 200), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert "damaged or cut short" in refused("colorize", path, "-o", output, "--model", bundle)
    assert list(output.parent.iterdir()) == []


def test_a_missing_picture_is_refused(bundle: Path, tmp_path: Path) -> None:
    said = refused("colorize", tmp_path / "none.png", "-o", tmp_path / "o.png", "--model", bundle)
    assert "No such file" in said


def test_a_picture_over_the_limit_is_refused(photo: Path, bundle: Path, tmp_path: Path) -> None:
    options = ("-o", tmp_path / "o.png", "--model", bundle, "--max-pixels", 2399)
    assert "60x40, more than 2399 pixels" in refused("colorize", photo, *options)


def test_a_backend_is_taken_by_name_and_auto_says_which_it_took(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    pictures = []
    for backend, said in (
        ("onnxruntime", ""),
        ("auto", "backend openvino: openvino fp32 ("),
    ):
        output = tmp_path / f"{backend}.png"
        options = ("-o", output, "--model", bundle, "--backend", backend)
        done = run("colorize", photo, *options)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(said)
        assert len(done.stderr.splitlines()) == bool(said)
        pictures.append(np.asarray(Image.open(output)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    done = run("classify", photo, "--model", bundle, "--backend", "openvino", "--top", 1)
    assert done.returncode == 0, done.stderr


def test_an_output_that_exists_is_kept_unless_told(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"precious")
    assert "--overwrite" in refused("colorize", photo, "-o", output, "--model", bundle)
    assert output.read_bytes() == b"precious"
    assert run("colorize", photo, "-o", output, "--model", bundle, "--overwrite").returncode == 0
    assert Image.open(output).size == (60, 40)


@pytest.mark.parametrize("name", ["no/such/folder/o.png", "o.xyz", "o"])
def test_an_impossible_output_is_refused_before_the_work(
    name: str, photo: Path, bundle: Path, tmp_path: Path
) -> None:
    refused("colorize", photo, "-o", tmp_path / name, "--model", bundle)
    assert not (tmp_path / name).exists()


def test_an_unknown_model_is_refused_with_the_installed_ones(photo: Path, tmp_path: Path) -> None:
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", "nonesuch")
    assert "no model 'nonesuch'" in said
    assert "installed:" in said


def test_an_altered_bundle_is_refused(photo: Path, bundle: Path, tmp_path: Path) -> None:
    weights = bundle / "weights.bin"
    data = bytearray(weights.read_bytes())
    data[0] ^= 1
    weights.write_bytes(data)
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", bundle)
    assert "SHA-256" in said
    weights.unlink()
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", bundle)
    assert "lacks weights.bin" in said


def test_style_needs_a_network_with_global_features(
    photo: Path, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    plain = make_bundle("plain")
    options = ("-o", tmp_path / "o.png", "--model", plain, "--style", photo)
    assert "no global features" in refused("colorize", photo, *options)


@pytest.mark.parametrize("command", ["train", "export"])
def test_the_training_package_registers_its_commands(command: str) -> None:
    assert command in run("--help").stdout
    assert run(command, "--help").returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from trtcolor.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'PIL', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nonsense",),
        ("colour",),
        ("colorize",),
        ("colorize", "a.png", "-o", "b.png", "--render", "0"),
        ("colorize", "a.png", "-o", "b.png", "--threads", "100000"),
        ("colorize", "a.png", "-o", "b.png", "--backend", "onnx"),
        ("colorize", "a.png", "-o", "b.png", "--upsampling", "cubic"),
        ("bench", "--runs", "0"),
        ("export", "a", "b", "--precision", "int8"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")


def test_results_that_could_not_be_written_are_refused_before_the_work(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ValueError, match=r"is not writable; .* model\.json"):
        check_results(bundle / "model.json", overwrite=True)
    with pytest.raises(ValueError, match=r"is not writable; .* r\.json"):
        check_results(tmp_path / "r.json", overwrite=False)


def test_a_file_name_that_is_no_text_is_coloured(photo: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / os.fsdecode(b"out\xff.png")
    done = run("colorize", photo, "-o", output, "--model", bundle, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0, done.stderr
    assert output.is_file()

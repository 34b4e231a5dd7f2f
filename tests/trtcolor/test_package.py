"""Importing trtcolor is cheap, and the runtime never reaches for torch or the training package."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

import trtcolor

SOURCES = sorted(Path(trtcolor.__file__).parent.rglob("*.py"))
ROOT = Path(__file__).parent.parent.parent
LIBRARIES = {"torch", "onnx", "onnxruntime", "openvino", "tensorrt", "tensorrt_rtx", "cuda", "av"}
HEAVY = LIBRARIES | {"numpy", "PIL", "skimage", "platformdirs"}


def modules_after(statement: str, *arguments: object) -> set[str]:
    """All that is imported in a new process once the statement is done."""
    program = (
        f"import atexit, os, sys; atexit.register(lambda: print('', *sys.modules)); {statement}"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split("\n")[-2].split())


def test_import_trtcolor_imports_nothing_heavy() -> None:
    loaded = modules_after("import trtcolor")
    assert not loaded & (HEAVY | {"click"})
    assert {name for name in loaded if name.startswith("trtcolor.")} == set()


COMMAND_LINE = "from trtcolor.cli import main; main(standalone_mode=False)"


@pytest.mark.parametrize("arguments", [["--help"], ["colorize", "--help"], ["--version"]], ids=str)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = modules_after(COMMAND_LINE, *arguments)
    assert "click" in loaded
    assert not loaded & HEAVY


def test_colouring_imports_the_backend_that_is_taken_and_no_other(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    Image.new("L", (40, 30), 100).save(picture)
    loaded = modules_after(COMMAND_LINE, "colorize", picture, "-o", tmp_path / "out.png")
    assert loaded & LIBRARIES == {"onnxruntime"}
    assert "skimage" not in loaded


def test_the_colorizer_is_imported_without_a_backend_or_pillow() -> None:
    loaded = modules_after("from trtcolor import Colorizer")
    assert not loaded & {"torch", "onnx", "onnxruntime", "PIL", "click"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_source_imports_torch_or_the_training_package(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] not in ("torch", "trtcolor_train")


def test_every_public_name_is_there() -> None:
    for name in set(trtcolor.__all__) - {"__version__"}:
        assert getattr(trtcolor, name).__name__ == name
    assert set(trtcolor.__all__) <= set(dir(trtcolor))


def test_every_error_class_is_public() -> None:
    from trtcolor import errors

    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert classes <= set(trtcolor.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Colourizer'"):
        _ = trtcolor.Colourizer


# ---- the wheel ---------------------------------------------------------------------------------


class Wheel(NamedTuple):
    file: Path
    log: str  # of its build, with the compiler's commands


def empty_environment(folder: Path) -> Path:
    """The Python of a new environment without packages, pip included."""
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def run(*command: object, cwd: Path | None = None) -> str:
    """What a command printed; its words are in the failure if it fails."""
    variables = {k: v for k, v in os.environ.items() if k not in ("CFLAGS", "PYTHONPATH")}
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def install(python: Path, *packages: object) -> None:
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", *packages)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """Built from the sdist, and that from a copy: a build leaves files among the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "_color.c")
    for name in ("csrc", "trtcolor", "train"):
        shutil.copytree(ROOT / name, source / name, ignore=unwanted)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    python = empty_environment(folder / "builder")
    install(python, *settings["build-system"]["requires"])
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run(python, "-c", build, folder, cwd=source)
    shutil.rmtree(source)
    (sdist,) = folder.glob("*.tar.gz")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", folder, "-v")
    log = run(sys.executable, "-m", "pip", "--python", python, "wheel", *options, sdist)
    (file,) = folder.glob("*.whl")
    return Wheel(file, log)


def test_the_wheel_works_in_an_environment_of_numpy_alone(wheel: Wheel, tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "empty")
    install(python, "--no-deps", wheel.file, f"numpy=={np.__version__}")
    program = """
import numpy, trtcolor
from trtcolor import color
from trtcolor.kernels import _color
white = numpy.full((400, 400, 3), 255, numpy.uint8)
for variant in _color.variants():
    _color.use(variant)
    assert abs(color.lab_from_rgb(white, threads=2) - [100, 0, 0]).max() < 1e-3, variant
print(trtcolor.__file__)
"""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    imported = run(python, "-c", program, cwd=elsewhere)
    assert Path(imported.strip()).is_relative_to(tmp_path / "empty")


def test_the_wheel_holds_the_compiled_module_and_no_sources_of_it(wheel: Wheel) -> None:
    names = zipfile.ZipFile(wheel.file).namelist()
    assert sum(name.startswith("trtcolor/_color.") and name.endswith(".so") for name in names) == 1
    assert {"trtcolor/py.typed", "trtcolor/_color.pyi"} <= set(names)
    assert "trtcolor/adopt/specs/eccv16.toml" in names
    assert {"trtcolor/gallery/assets/page.html", "trtcolor/gallery/assets/page.css"} <= set(names)
    assert {"trtcolor/study/assets/study.html", "trtcolor/study/assets/study.js"} <= set(names)
    assert "trtcolor/theme.css" in names
    sources = (".c", ".h", ".pyx", ".pxd")
    assert not [name for name in names if name.startswith("csrc") or name.endswith(sources)]


def test_the_wheel_is_compiled_for_every_processor_of_its_architecture(wheel: Wheel) -> None:
    assert "-ffp-contract=off" in wheel.log
    assert not re.search(r"-m(arch|cpu|tune)=native|-mavx|-mfma|-mbmi", wheel.log)

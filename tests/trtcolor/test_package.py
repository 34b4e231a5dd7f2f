"""Importing trtcolor is cheap, and the runtime never reaches for torch or the training package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trtcolor

SOURCES = sorted(Path(trtcolor.__file__).parent.rglob("*.py"))
HEAVY = ("torch", "onnx", "onnxruntime", "PIL", "click", "platformdirs")


def modules_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_trtcolor_imports_nothing_heavy() -> None:
    assert not modules_after("import trtcolor") & set(HEAVY)


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

"""What is installed is told without importing it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from trtcolor.backends.available import CHOICES, PACKAGES, RUNNING, available

ROOT = Path(__file__).parents[3]


def test_an_installed_backend_has_its_version_and_nothing_against_it() -> None:
    found = available("onnxruntime")
    assert (found.name, found.problem) == ("onnxruntime", None)
    assert found.version == metadata.version("onnxruntime")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_backend_that_is_not_installed_says_what_to_run(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[name].module, None)
    found = available(name)
    assert found.version is None
    assert found.problem == f'not installed; run: pip install "trtcolor[{PACKAGES[name].extra}]"'


def test_the_extras_that_are_named_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {PACKAGES[name].extra for name in RUNNING} <= set(project["optional-dependencies"])


def test_looking_imports_no_backend() -> None:
    program = (
        "import sys; from trtcolor.backends.available import PACKAGES, available\n"
        "for name in PACKAGES: available(name)\n"
        "print({package.module for package in PACKAGES.values()} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_module_without_a_distribution_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorrt_rtx.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        metadata, "version", lambda name: (_ for _ in ()).throw(metadata.PackageNotFoundError(name))
    )
    found = available("tensorrt-rtx")
    assert (found.version, found.problem) == (None, None)


def test_every_backend_that_runs_can_be_asked_for() -> None:
    assert set(RUNNING) < set(PACKAGES)
    assert set(CHOICES) == {"auto", *PACKAGES}

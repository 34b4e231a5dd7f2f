"""A backend works if it has just coloured a frame, and whatever happens to it is an answer."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from trtcolor import trial
from trtcolor.backends.available import PACKAGES, RUNNING
from trtcolor.backends.driver import Gpu
from trtcolor.trial import try_backend


@pytest.mark.parametrize("name", RUNNING)
def test_a_backend_that_colours_a_frame_works(name: str) -> None:
    outcome = try_backend(name)
    assert outcome.state == "works", outcome.detail
    assert outcome.seconds is not None
    assert f"{outcome.seconds:.2f} s" in outcome.detail


@pytest.mark.skipif(find_spec("tensorrt_rtx") is None, reason="tensorrt-rtx is not installed")
def test_a_builder_that_starts_builds() -> None:
    assert try_backend("tensorrt-rtx") == trial.Outcome("builds", "builds engines")


@pytest.mark.skipif(find_spec("tensorrt_rtx") is None, reason="tensorrt-rtx is not installed")
def test_with_a_gpu_a_builder_without_an_engine_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu("NVIDIA RTX Test", "8.9", 2**34, "580.65.06")
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path))
    for module in ("trtcolor.trial", "trtcolor.choose"):
        monkeypatch.setattr(f"{module}.first_gpu", lambda: gpu)
    outcome = trial.start_builder("tensorrt-rtx")
    assert outcome.state == "builds"
    assert outcome.detail.startswith("builds engines, runs none yet: model 'trtcolor-base' has no ")
    assert "run: trtcolor build-engine trtcolor-base --backend tensorrt-rtx" in outcome.detail


def pretend(name: str, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module of that source in the place of a backend's, for new processes too."""
    (folder / f"{PACKAGES[name].module}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delitem(sys.modules, PACKAGES[name].module, raising=False)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ImportError('half of it is gone')", "half of it is gone"),
        ("raise RuntimeError('no such instruction')", "no such instruction"),
        ("import os; os.abort()", r"crashed \(SIGABRT\); run: pip install --force-reinstall"),
        ("import sys; sys.exit(3)", "no reason given"),
    ],
)
@pytest.mark.parametrize("name", ["onnxruntime", "tensorrt"])
def test_a_broken_backend_fails_with_its_reason_and_a_remedy(
    name: str, source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(name, source, tmp_path, monkeypatch)
    outcome = try_backend(name)
    assert outcome.state == "fails"
    assert re.search(said, outcome.detail)
    assert "; run: pip install" in outcome.detail
    assert f"trtcolor[{PACKAGES[name].extra}]" in outcome.detail


def test_a_backend_that_hangs_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend("onnxruntime", "import time; time.sleep(60)", tmp_path, monkeypatch)
    monkeypatch.setattr(trial, "TIMEOUT", 0.5)
    assert "did not finish" in try_backend("onnxruntime").detail


def test_a_backend_that_is_not_installed_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    outcome = try_backend("openvino")
    assert (outcome.state, outcome.seconds) == ("absent", None)
    assert 'pip install "trtcolor[openvino]"' in outcome.detail

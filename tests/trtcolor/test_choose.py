"""A backend that is named is that or an error; ``auto`` takes the first that works and says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trtcolor.backends.available import RUNNING
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.choose import open_runner
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle())


@pytest.mark.parametrize("name", RUNNING)
def test_a_named_backend_is_opened(name: str, bundle: Bundle) -> None:
    opened = open_runner(bundle, name, threads=1)
    assert (opened.runner.name, opened.reason) == (name, None)


@pytest.mark.parametrize("name", RUNNING)
def test_a_named_backend_that_is_missing_is_replaced_by_none(
    name: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match=f"backend '{name}' does not import"):
        open_runner(bundle, name)


def test_auto_takes_the_first_that_works_and_says_why_it_passed_others_over(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = RUNNING
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == first
    assert opened.reason is not None
    assert opened.reason.startswith(f"{first} is the first that works; tensorrt was passed over (")
    monkeypatch.setitem(sys.modules, first, None)
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == second
    assert opened.reason is not None
    assert f"{first} was passed over (not installed; run: pip install" in opened.reason


def test_auto_goes_on_from_one_that_is_installed_and_broken(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = RUNNING
    (tmp_path / f"{first}.py").write_text("raise ImportError('half of it is gone')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, first, raising=False)
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == second
    assert opened.reason is not None
    assert "half of it is gone" in opened.reason


def test_auto_goes_on_from_one_that_does_not_take_the_graph(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: OpenVinoRunner, graph: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(OpenVinoRunner, "_load", refused)
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == "onnxruntime"
    assert "openvino was passed over (OpenVINO did not load graph 'local'" in str(opened.reason)


def test_auto_without_any_names_each_and_the_doctor(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in RUNNING:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match="run: trtcolor doctor") as caught:
        open_runner(bundle, "auto")
    assert all(name in str(caught.value) for name in RUNNING)


def test_an_unknown_backend_is_refused_with_those_there_are(bundle: Bundle) -> None:
    with pytest.raises(
        ValueError,
        match="one of auto, tensorrt, tensorrt-rtx, onnxruntime-cuda, openvino, onnxruntime was",
    ):
        open_runner(bundle, "onnx")


def test_a_colorizer_gives_the_same_picture_on_every_backend(make_bundle: MakeBundle) -> None:
    folder = make_bundle(global_size=16)
    frame = np.random.default_rng(0).integers(0, 256, (37, 50), dtype=np.uint8)
    pictures = {}
    for name in (*RUNNING, "auto"):
        with Colorizer(folder, backend=name) as colorizer:
            pictures[name] = colorizer.colorize(frame).astype(int)
            assert (colorizer.backend_reason is None) == (name != "auto")
            assert colorizer.backend == (RUNNING[0] if name == "auto" else name)
    assert np.abs(pictures["openvino"] - pictures["onnxruntime"]).max() <= 1
    np.testing.assert_array_equal(pictures["auto"], pictures[RUNNING[0]])

"""A backend that is named is that or an error; ``auto`` takes the fastest and says why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trtcolor.backends.available import RUNNING
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.choose import open_runner
from trtcolor.colorizer import Colorizer
from trtcolor.engines.build import Built, build_engine
from trtcolor.engines.entry import Entry
from trtcolor.engines.profile import ShapeProfile
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "engines"))


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


def test_auto_takes_the_fastest_that_works_and_says_why_it_passed_others_over(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = RUNNING
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == first
    assert opened.reason is not None
    assert opened.reason.startswith(
        f"{first} fp32 (0.90 of the time of {second} fp32, as measured elsewhere) is the fastest "
        "that works; tensorrt was passed over ("
    )
    monkeypatch.setitem(sys.modules, first, None)
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == second
    assert opened.reason is not None
    assert opened.reason.startswith(f"{second} fp32 is the fastest that works; ")
    assert f"{first} fp32 was passed over (not installed; run: pip install" in opened.reason


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
    assert "openvino fp32 was passed over (OpenVINO did not load graph" in str(opened.reason)


def test_auto_without_any_names_each_and_the_doctor(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in RUNNING:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match="run: trtcolor doctor") as caught:
        open_runner(bundle, "auto")
    assert all(name in str(caught.value) for name in RUNNING)


# ---- engines -----------------------------------------------------------------------------------


def with_speed(built: Built, engine: float) -> Entry:
    """The engine as it were if it had measured so much of ONNX Runtime's time."""
    entry = built.entry
    assert entry.sidecar.speed is not None
    seconds = {"engine": engine, "onnxruntime fp32": 1.0, "openvino fp32": 0.8}
    speed = replace(entry.sidecar.speed, seconds=seconds)
    text = replace(entry.sidecar, speed=speed).to_json()
    (entry.path / "engine.json").write_text(text)
    return entry


@pytest.fixture
def built(bundle: Bundle) -> Built:
    return build_engine(
        bundle.path,
        backend="onnxruntime",
        precision="int8",
        profiles=[ShapeProfile.parse("8:32:64")],
    )


def test_auto_takes_an_engine_that_was_measured_to_be_faster(bundle: Bundle, built: Built) -> None:
    with_speed(built, 0.4)
    frame = np.random.default_rng(0).integers(0, 256, (37, 50), dtype=np.uint8)
    with Colorizer(bundle.path, backend="auto") as found:
        coloured = found.colorize(frame)
        assert found.backend == "onnxruntime"
        assert str(found.backend_reason).startswith(
            "onnxruntime int8 (0.40 of the time of onnxruntime fp32, measured here, CIEDE2000 to "
        )
    with Colorizer(bundle.path, backend="onnxruntime", precision="int8") as named:
        np.testing.assert_array_equal(named.colorize(frame), coloured)
    assert open_runner(bundle, "auto", precision="int8").runner.name == "onnxruntime"
    own = open_runner(bundle, "auto", precision="fp32")
    assert str(own.reason).startswith("openvino fp32 (0.80 of the time of onnxruntime fp32, measu")


def test_auto_leaves_an_engine_that_was_measured_to_be_slower(bundle: Bundle, built: Built) -> None:
    with_speed(built, 1.2)
    assert open_runner(bundle, "auto").runner.name == "openvino"


def test_auto_goes_on_from_an_engine_that_is_damaged(bundle: Bundle, built: Built) -> None:
    entry = with_speed(built, 0.4)
    (entry.path / entry.sidecar.graphs["local"].file).write_bytes(b"altered")
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == "openvino"
    assert f"onnxruntime int8 was passed over (engine {entry.path} is damaged" in str(opened.reason)
    with pytest.raises(BackendError, match=r"'auto' found none that works .* is damaged"):
        open_runner(bundle, "auto", precision="int8")


def test_auto_says_that_a_cache_of_engines_cannot_be_read(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "file"))
    opened = open_runner(bundle, "auto")
    assert opened.runner.name == "openvino"
    assert "engines were passed over (" in str(opened.reason)


def test_auto_without_an_engine_of_the_precision_says_how_to_build_one(bundle: Bundle) -> None:
    with pytest.raises(BackendError, match=r"run: trtcolor build-engine .* --precision int8"):
        open_runner(bundle, "auto", precision="int8")


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

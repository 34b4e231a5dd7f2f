"""What is loaded is this model's, whole, for this machine, and the user's own; else why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_folders import changed
from gpu_here import has_gpu

from trtcolor.backends import driver
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.engines import runners
from trtcolor.engines.build import build_engine
from trtcolor.engines.entry import open_entry
from trtcolor.engines.identity import Gpu
from trtcolor.engines.load import open_engine, open_engine_folder, run_unverified
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.sidecar import Verification
from trtcolor.engines.store import Store
from trtcolor.errors import BackendError, BundleError, EngineError, PrecisionError

MakeBundle = Callable[..., Path]
SMALL = (ShapeProfile.parse("8:32:64"),)
FRAME = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)


@pytest.fixture
def model(make_bundle: MakeBundle) -> Path:
    return make_bundle(global_size=32)


@pytest.fixture
def engine(model: Path, store: Store) -> Path:
    built = build_engine(model, backend="onnxruntime", precision="int8", profiles=SMALL)
    return built.entry.path


def test_a_colorizer_takes_an_engine_by_precision_or_by_folder(model: Path, engine: Path) -> None:
    pictures = []
    for options in ({"precision": "int8"}, {"engine": engine}, {}):
        with Colorizer(model, **options) as colorizer:
            pictures.append(colorizer.colorize(FRAME).astype(int))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert 0 < np.abs(pictures[0] - pictures[2]).max() <= 20


def test_an_engine_and_a_backend_together_are_refused(model: Path, engine: Path) -> None:
    with pytest.raises(ValueError, match="leave these out"):
        Colorizer(model, engine=engine, backend="onnxruntime")


def test_without_an_engine_the_sentence_says_what_to_run(model: Path, store: Store) -> None:
    with pytest.raises(
        EngineError, match=r"no engine .* trtcolor build-engine .* --precision int8"
    ):
        Colorizer(model, backend="onnxruntime", precision="int8")


def test_the_nearest_engine_is_named_with_what_it_differs_in(
    engine: Path, make_bundle: MakeBundle, store: Store
) -> None:
    retrained = open_bundle(make_bundle("again/tiny", global_size=32, seed=1))
    same_name = Bundle(retrained.path, replace(retrained.spec, name="tiny"))
    with pytest.raises(EngineError, match=r"the nearest, tiny\.int8.* has file weights\.bin"):
        open_engine(same_name, "onnxruntime", precision="int8")


def test_an_engine_of_another_builder_version_is_not_used(
    model: Path, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trtcolor.engines.load.builder_version", lambda _: "1.0.0")
    with pytest.raises(EngineError, match=r"builder onnxruntime .*, wanted 1\.0\.0"):
        open_engine(open_bundle(model), "onnxruntime", precision="int8")
    with pytest.raises(EngineError, match="does not fit"):
        open_engine_folder(open_bundle(model), engine)


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
def test_a_damaged_engine_is_not_loaded(harm: str, model: Path, engine: Path) -> None:
    file = engine / open_entry(engine).sidecar.graphs["local"].file
    data = bytearray(file.read_bytes())
    if harm == "gone":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(data[:-1])
    else:
        data[len(data) // 3] ^= 4
        file.write_bytes(data)
    with pytest.raises(EngineError, match="is damaged"):
        Colorizer(model, precision="int8")


def test_an_engine_from_elsewhere_asks_for_trust(model: Path, engine: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "usb" / engine.name
    shutil.copytree(engine, elsewhere)
    with pytest.raises(EngineError, match=r"executable code.*--trust"):
        Colorizer(model, engine=elsewhere)
    Colorizer(model, engine=elsewhere, trust=True).close()


def test_an_engine_from_elsewhere_is_not_even_hashed(
    model: Path, engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "usb" / engine.name
    shutil.copytree(engine, elsewhere)
    for file in elsewhere.glob("*.onnx"):
        file.write_bytes(b"another")
    with pytest.raises(EngineError, match="was not loaded"):
        Colorizer(model, engine=elsewhere)
    (tmp_path / "link").symlink_to(engine)  # what the link names is in the cache
    Colorizer(model, engine=tmp_path / "link").close()


def test_an_engine_that_was_built_on_a_gpu_is_for_that_model_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = driver.Gpu("NVIDIA RTX Test", "8.9", 2**34, "580.65.06")
    monkeypatch.setattr(runners, "first_gpu", lambda: here)
    built_on = Gpu(name=here.name, compute_capability="8.9", driver="570.1")
    own = changed(backend="tensorrt", targets=(), gpu=built_on)
    assert runners.why_not_here(own) is None
    for other in (
        replace(built_on, name="NVIDIA RTX Other"),
        replace(built_on, compute_capability="8.6"),
    ):
        reason = runners.why_not_here(changed(backend="tensorrt", targets=(), gpu=other))
        assert reason == f"it was built on {other}, and here is NVIDIA RTX Test (8.9)"
    assert runners.why_not_here(changed(targets=("sm89", "sm120"))) is None
    assert "here is sm89" in str(runners.why_not_here(changed(targets=("sm86",))))


def test_the_engine_of_another_model_does_not_fit(engine: Path, make_bundle: MakeBundle) -> None:
    other = make_bundle("other", global_size=32, seed=3)
    with pytest.raises(EngineError, match=r"does not fit .*model 'tiny', wanted 'other'"):
        Colorizer(other, engine=engine)


def test_an_engine_that_nothing_has_run_is_verified_by_its_first_load(
    model: Path, engine: Path, store: Store
) -> None:
    before = open_entry(engine)
    store.record(before, Verification(status="unverified", figures={"reason": "none"}))
    Colorizer(model, precision="int8").close()
    found = open_entry(engine).sidecar.verification
    assert found.status == "verified"
    assert found.figures["all"]["mean"] < 1


def test_verify_runs_what_nothing_has_run_and_needs_its_bundle(
    model: Path, engine: Path, store: Store
) -> None:
    unrun = store.record(open_entry(engine), Verification(status="unverified"))
    assert run_unverified(unrun).sidecar.verification.status == "verified"
    unrun = store.record(open_entry(engine), Verification(status="unverified"))
    shutil.rmtree(model)
    with pytest.raises(BundleError):
        run_unverified(unrun)


def test_an_engine_with_wrong_colours_fails_its_first_load(
    model: Path, engine: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trtcolor.engines import verify
    from trtcolor.precision import gate

    store.record(open_entry(engine), Verification(status="unverified"))
    strict = {**gate.LIMITS, "int8": gate.Limits(1e-9, 1e-9)}
    monkeypatch.setattr(verify, "LIMITS", strict)
    with pytest.raises(EngineError, match="gives other colours than float32"):
        Colorizer(model, precision="int8")
    assert open_entry(engine).sidecar.verification.status == "unverified"


def test_a_plan_without_a_gpu_is_refused_with_the_reason(model: Path, store: Store) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    if has_gpu():
        pytest.skip("a GPU answers")
    built = build_engine(model, backend="tensorrt-rtx", target="sm89", profiles=SMALL)
    with pytest.raises(BackendError, match=r"no NVIDIA driver|shows no GPU"):
        Colorizer(model, backend="tensorrt-rtx")
    with pytest.raises(EngineError, match=r"no NVIDIA driver|shows no GPU"):
        Colorizer(model, engine=built.entry.path)
    with Colorizer(model, backend="auto") as colorizer:
        assert colorizer.backend in ("openvino", "onnxruntime")
        assert "tensorrt-rtx was passed over" in str(colorizer.backend_reason)
    assert run_unverified(built.entry) == built.entry


def test_the_command_that_the_sentence_names_finds_the_model(
    make_bundle: MakeBundle, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path / "installed"))
    elsewhere = make_bundle("my model")
    installed = make_bundle("mine", models=tmp_path / "installed")
    for folder, called in ((elsewhere, f"'{elsewhere}'"), (installed, "mine")):
        with pytest.raises(EngineError) as caught:
            open_engine(open_bundle(folder), "onnxruntime", precision="int8")
        assert f"run: trtcolor build-engine {called} --backend onnxruntime" in str(caught.value)


def test_a_precision_that_a_backend_never_has_is_refused_as_building_it_would_be(
    model: Path, store: Store
) -> None:
    with pytest.raises(PrecisionError, match="fp32 and int8 on a CPU"):
        Colorizer(model, backend="onnxruntime", precision="bf16")


def test_damaged_engines_are_mentioned_where_none_fits(model: Path, engine: Path) -> None:
    (engine / "engine.json").write_text("{}")
    with pytest.raises(EngineError, match="damaged engines there, of whatever model: 1"):
        Colorizer(model, precision="int8")

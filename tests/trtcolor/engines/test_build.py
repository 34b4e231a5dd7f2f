"""From a bundle to an engine in the store: every backend that builds here, for real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from colour_folders import fill
from interrupts import heed_interrupts

from trtcolor import bundle as bundles
from trtcolor.bundle import open_bundle, record_metrics
from trtcolor.engines import here
from trtcolor.engines.build import build_engine
from trtcolor.engines.load import open_engine
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.store import Store
from trtcolor.errors import BackendError, EngineError, PrecisionError

MakeBundle = Callable[..., Path]
SMALL = (ShapeProfile.parse("8:32:64"),)


@pytest.fixture
def model(make_bundle: MakeBundle) -> Path:
    return make_bundle(global_size=32, classes=("sea", "town"))


def build(model: Path, backend: str, **options: object) -> object:
    if backend == "tensorrt-rtx":
        pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
        options.setdefault("target", "sm89")
    if backend == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    return build_engine(model, backend=backend, profiles=SMALL, **options)


@pytest.mark.parametrize(
    ("backend", "precision"),
    [
        ("onnxruntime", "fp32"),
        ("onnxruntime", "int8"),
        ("openvino", "fp32"),
        ("openvino", "int8"),
        ("tensorrt-rtx", "fp32"),
        ("tensorrt-rtx", "fp16"),
        ("tensorrt-rtx", "bf16"),
        ("tensorrt-rtx", "int8"),
    ],
)
def test_all_graphs_are_built_and_the_engine_is_found_again(
    backend: str, precision: str, model: Path, store: Store
) -> None:
    said: list[str] = []
    built = build(model, backend, precision=precision, say=said.append)
    sidecar = built.entry.sidecar
    assert set(sidecar.graphs) == {"local", "global", "joint"}
    assert built.entry.problems() == []
    assert sidecar.identity.config.precision == precision
    status = "unverified" if backend == "tensorrt-rtx" else "verified"
    assert sidecar.verification.status == status
    assert sidecar.gate is not None
    assert sidecar.gate["passed"]
    assert any("CIEDE2000" in line for line in said)
    assert (sidecar.speed is None) == (backend == "tensorrt-rtx")
    if sidecar.speed is not None:
        assert sidecar.speed.is_of_this_machine
        assert set(sidecar.speed.seconds) == {"engine", "onnxruntime fp32", "openvino fp32"}
        assert f"speed: {sidecar.speed}" in said
    again = build(model, backend, precision=precision)
    assert again.found
    assert again.entry.path == built.entry.path


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_what_was_built_colours_as_the_bundle_does(backend: str, model: Path, store: Store) -> None:
    build(model, backend, precision="int8")
    bundle = open_bundle(model)
    inputs = {"lightness": np.linspace(0, 100, 1024, dtype=np.float32).reshape(1, 1, 32, 32)}
    (found,) = open_engine(bundle, backend, precision="int8").run("joint", inputs, ["chroma"])
    (fp32,) = here_fp32(bundle).run("joint", inputs, ["chroma"])
    assert 0 < np.abs(found - fp32).max() < 0.1 * np.abs(fp32).max()


def here_fp32(bundle: bundles.Bundle) -> object:
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner

    return OnnxRuntimeRunner(bundle)


def test_the_default_precision_is_fp16_for_plans_and_fp32_on_a_cpu(
    model: Path, store: Store
) -> None:
    assert build(model, "onnxruntime").entry.sidecar.identity.config.precision == "fp32"
    assert build(model, "tensorrt-rtx").entry.sidecar.identity.config.precision == "fp16"


def test_other_figures_in_the_spec_leave_the_engine_valid(model: Path, store: Store) -> None:
    first = build(model, "onnxruntime")
    record_metrics(model, {"ciede2000": 9.0})
    assert build(model, "onnxruntime").entry.path == first.entry.path


def test_other_weights_or_profiles_are_another_engine(
    model: Path, make_bundle: MakeBundle, store: Store
) -> None:
    first = build(model, "onnxruntime")
    other = make_bundle("again/tiny", global_size=32, classes=("sea", "town"), seed=1)
    assert build(other, "onnxruntime").entry.path != first.entry.path
    wider = build_engine(model, backend="onnxruntime", profiles=(ShapeProfile.parse("8:32:128"),))
    assert wider.entry.path != first.entry.path
    assert len(store.entries()) == 3


def test_other_pictures_are_another_int8_engine(model: Path, store: Store, tmp_path: Path) -> None:
    pictures = fill(tmp_path / "pictures", 3)
    options = {"precision": "int8", "pictures": pictures, "accept_error": True}
    first = build(model, "onnxruntime", **options)
    assert build(model, "onnxruntime", **options).found
    (pictures / "1.png").write_bytes((pictures / "2.png").read_bytes())  # one that only judges
    second = build(model, "onnxruntime", **options)
    assert not second.found
    assert second.entry.path != first.entry.path


def test_what_is_not_finite_is_refused_even_where_the_error_is_accepted(
    make_bundle: MakeBundle, store: Store
) -> None:
    large = np.full((2, 1, 3, 3), 3000.0, np.float32)  # sums that halves cannot hold
    model = make_bundle("loud", weights={"low": large})
    with pytest.raises(PrecisionError, match="not finite"):
        build(model, "tensorrt-rtx", precision="fp16", accept_error=True)
    assert store.entries() == []


def test_cpu_backends_know_no_half_precision(model: Path, store: Store) -> None:
    with pytest.raises(PrecisionError, match="fp32 and int8 on a CPU"):
        build(model, "onnxruntime", precision="fp16")


def test_a_target_on_a_cpu_is_refused(model: Path, store: Store) -> None:
    with pytest.raises(BackendError, match="which runs on the CPU"):
        build_engine(model, backend="onnxruntime", target="sm89")


def test_a_profile_that_frames_are_never_padded_to_is_refused(model: Path, store: Store) -> None:
    with pytest.raises(ValueError, match="no multiples of 8"):
        build_engine(model, backend="onnxruntime", profiles=(ShapeProfile.parse("9:32:64"),))


def test_auto_without_a_gpu_takes_tensorrt_rtx_and_says_why(model: Path, store: Store) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    if here.present_target() is not None:
        pytest.skip("a GPU answers")
    said: list[str] = []
    built = build_engine(model, target="sm89", profiles=SMALL, say=said.append)
    assert built.builder.backend == "tensorrt-rtx"
    assert "tensorrt: " in said[0]
    with pytest.raises(BackendError, match="'this' came where no GPU works"):
        build_engine(model)


def test_auto_without_any_builder_names_both(
    model: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match=r"tensorrt: .*tensorrt-rtx: "):
        build_engine(model)


def test_a_damaged_engine_is_replaced_and_that_is_said(model: Path, store: Store) -> None:
    first = build(model, "onnxruntime")
    file = first.entry.path / first.entry.sidecar.graphs["local"].file
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    said: list[str] = []
    again = build(model, "onnxruntime", say=said.append)
    assert not again.found
    assert again.entry.problems() == []
    assert any("damaged" in line for line in said)


def test_an_engine_with_wrong_colours_is_not_published(
    model: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(model: onnx.ModelProto, backend: str, **_: object) -> bytes:
        wrong = onnx.ModelProto()
        wrong.CopyFrom(model)
        for tensor in wrong.graph.initializer:  # as a builder that has lost its weights
            array = onnx.numpy_helper.to_array(tensor)
            if array.dtype == np.float32 and array.ndim:
                tensor.CopyFrom(onnx.numpy_helper.from_array(array * 0, tensor.name))
        return bytes(wrong.SerializeToString())

    monkeypatch.setattr("trtcolor.engines.making.optimised_graph", forgetful)
    with pytest.raises(EngineError, match="gives other colours than float32"):
        build(model, "onnxruntime")
    assert store.entries() == []


def test_too_large_an_error_is_refused_and_once_accepted_no_answer_to_others(
    model: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trtcolor.precision import forms, gate

    strict = {**gate.LIMITS, "int8": gate.Limits(1e-9, 1e-9)}
    monkeypatch.setattr(forms, "LIMITS", strict)
    with pytest.raises(PrecisionError, match=r"mean \d.* --accept-error"):
        build(model, "onnxruntime", precision="int8")
    accepted = build(model, "onnxruntime", precision="int8", accept_error=True)
    assert accepted.entry.sidecar.gate["passed"] is False
    assert build(model, "onnxruntime", precision="int8", accept_error=True).found
    with pytest.raises(PrecisionError, match="built with --accept-error"):
        build(model, "onnxruntime", precision="int8")


def test_two_processes_build_once(model: Path, store: Store) -> None:
    command = [
        *(sys.executable, "-P", "-m", "trtcolor", "build-engine", str(model)),
        *("--backend", "onnxruntime", "--profile", "8:32:64"),
    ]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(process.communicate()[0].split()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert told == ["built", "found,"]
    assert len(store.entries()) == 1


def test_ctrl_c_leaves_nothing(model: Path, store: Store) -> None:
    command = [
        *(sys.executable, "-P", "-u", "-m", "trtcolor", "build-engine", str(model)),
        *("--backend", "onnxruntime", "--precision", "int8"),  # up to 2048: seconds
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it has begun to measure
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130, rest
    assert store.entries() == []
    assert list(store.folder.glob(".work/*/*")) == []


def test_an_output_folder_is_a_store_of_its_own(model: Path, store: Store, tmp_path: Path) -> None:
    built = build(model, "onnxruntime", folder=tmp_path / "usb")
    assert built.entry.path.parent == tmp_path / "usb"
    assert store.entries() == []
    sidecar = json.loads((built.entry.path / "engine.json").read_text())
    assert sidecar["bundle"] == str(model)

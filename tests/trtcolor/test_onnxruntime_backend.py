"""ONNX Runtime computes what the graph says, and every failure is one BackendError."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor.backends import onnxruntime as backend
from trtcolor.backends.base import Runner
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


def lightness(height: int, width: int, batch: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return (100 * rng.random((batch, 1, height, width))).astype(np.float32)


def test_the_runner_fits_the_protocol_and_names_itself(make_bundle: MakeBundle) -> None:
    runner: Runner = OnnxRuntimeRunner(open_bundle(make_bundle()))
    assert (runner.name, runner.device) == ("onnxruntime", "cpu")


def test_a_graph_runs_with_the_weights_of_the_external_file(make_bundle: MakeBundle) -> None:
    weights = {"low": np.zeros((2, 1, 3, 3), np.float32), "low_bias": np.array([7, -9], np.float32)}
    weights["low"][0, 0, 1, 1] = 0.5
    runner = OnnxRuntimeRunner(open_bundle(make_bundle(scale=1, weights=weights)))
    frame = lightness(8, 16)
    (chroma,) = runner.run("local", {"lightness": frame}, ["chroma"])
    assert chroma.dtype == np.float32
    np.testing.assert_allclose(chroma[0, 0], 0.5 * frame[0, 0] + 7, rtol=1e-6)
    np.testing.assert_array_equal(chroma[0, 1], np.full((8, 16), -9, np.float32))


def test_batch_and_size_are_free_and_outputs_come_in_the_order_asked_for(
    make_bundle: MakeBundle,
) -> None:
    folder = make_bundle(global_size=16, classes=("abbey", "beach"))
    runner = OnnxRuntimeRunner(open_bundle(folder))
    logits, features = runner.run(
        "global", {"lightness": lightness(16, 16, batch=2)}, ["class_logits", "global_features"]
    )
    assert logits.shape == (2, 2)
    assert features.shape == (2, 3)
    inputs = {"lightness": lightness(24, 40, batch=2), "global_features": features}
    (chroma,) = runner.run("local", inputs, ["chroma"])
    assert chroma.shape == (2, 2, 12, 20)


def test_the_number_of_threads_does_not_change_the_result(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    inputs = {"lightness": lightness(32, 32)}
    one, two = (
        OnnxRuntimeRunner(bundle, threads=n).run("local", inputs, ["chroma"]) for n in (1, 2)
    )
    np.testing.assert_allclose(one[0], two[0], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", 100_000])
def test_a_number_of_threads_that_is_none_is_refused(
    threads: object, make_bundle: MakeBundle
) -> None:
    with pytest.raises(ValueError, match="threads is"):
        OnnxRuntimeRunner(open_bundle(make_bundle()), threads=threads)  # type: ignore[arg-type]


def test_one_runner_serves_many_threads(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    inputs = {"lightness": lightness(32, 32)}
    (expected,) = OnnxRuntimeRunner(bundle).run("local", inputs, ["chroma"])
    runner = OnnxRuntimeRunner(bundle, threads=1)
    results: list[NDArray[np.float32]] = []
    workers = [
        threading.Thread(target=lambda: results.extend(runner.run("local", inputs, ["chroma"])))
        for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 8
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-5)


def one_sentence(error: BaseException) -> bool:
    return "\n" not in str(error) and "; " in str(error)


def test_a_file_that_is_no_graph_is_refused_when_first_run(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    bundle = open_bundle(folder)
    (folder / "local.onnx").write_bytes(b"this is no graph")
    runner = OnnxRuntimeRunner(bundle)
    with pytest.raises(BackendError, match="did not load graph 'local'") as caught:
        runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])
    assert one_sentence(caught.value)


def test_weights_that_vanished_are_refused(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    (bundle.path / "weights.bin").unlink()
    with pytest.raises(BackendError, match="did not load"):
        OnnxRuntimeRunner(bundle).run("local", {"lightness": lightness(8, 8)}, ["chroma"])


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        ({"lightness": lightness(8, 8).astype(np.float64)}, "chroma"),
        ({"lightness": lightness(8, 8)[0]}, "chroma"),
        ({"luma": lightness(8, 8)}, "chroma"),
        ({}, "chroma"),
        ({"lightness": lightness(8, 8)}, "colour"),
    ],
    ids=["dtype", "rank", "name", "missing", "output"],
)
def test_inputs_or_outputs_that_do_not_fit_are_refused(
    inputs: dict[str, NDArray[np.float32]],
    output: str,
    make_bundle: MakeBundle,
    capfd: pytest.CaptureFixture[str],
) -> None:
    runner = OnnxRuntimeRunner(open_bundle(make_bundle()))
    with pytest.raises(BackendError, match="did not run graph 'local' of model 'tiny'") as caught:
        runner.run("local", inputs, [output])
    assert one_sentence(caught.value)
    assert capfd.readouterr().err == ""  # raised, so not logged as well


def test_a_closed_runner_refuses_and_closes_twice(make_bundle: MakeBundle) -> None:
    runner = OnnxRuntimeRunner(open_bundle(make_bundle()))
    runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="closed"):
        runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])


def test_a_missing_onnxruntime_is_named_with_its_remedy(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BackendError, match=r'pip install "trtcolor\[cpu\]"') as caught:
        OnnxRuntimeRunner(open_bundle(make_bundle()))
    assert one_sentence(caught.value)


def test_two_installed_distributions_are_warned_of_once(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(make_bundle())
    fake = SimpleNamespace(
        version=lambda name: "1.0", PackageNotFoundError=metadata.PackageNotFoundError
    )
    monkeypatch.setattr(backend, "metadata", fake)
    backend._warn_of_two_distributions.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match=r"onnxruntime 1\.0 and onnxruntime-gpu 1\.0"):
            OnnxRuntimeRunner(bundle)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            OnnxRuntimeRunner(bundle)
    finally:
        backend._warn_of_two_distributions.cache_clear()


def test_onnx_runtime_reports_to_nobody_and_leaves_nothing_behind(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    program = (
        "import sys; from trtcolor.colorizer import Colorizer; import numpy as np\n"
        "Colorizer(sys.argv[1]).colorize(np.zeros((8, 8), np.uint8))"
    )
    home = tmp_path / "home"
    home.mkdir()
    # In CI it would not report anyway.
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    subprocess.run(
        [sys.executable, "-P", "-c", program, str(make_bundle())],
        check=True,
        env=kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home)},
    )
    assert list(home.rglob("*onnxruntime*")) == []

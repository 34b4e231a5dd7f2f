"""ONNX Runtime on a GPU: what it gives there, and that nothing else passes for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from gpu_here import NEEDS_GPU

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.onnxruntime_cuda import OnnxRuntimeCudaRunner, check_provider, preload
from trtcolor.bench.untrained import write_untrained
from trtcolor.bundle import open_bundle
from trtcolor.choose import open_runner
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]
NEAR = 0.02
"""Of a*b*: sums of float32 in another order, of up to 4608 products in each of 17 layers."""


def session(*providers: str) -> SimpleNamespace:
    return SimpleNamespace(get_providers=lambda: list(providers))


def test_a_session_that_fell_back_to_the_cpu_is_an_error() -> None:
    with pytest.raises(BackendError, match="fell back to CPUExecutionProvider") as caught:
        check_provider(session("CPUExecutionProvider"))
    assert "\n" not in str(caught.value)
    check_provider(session("CUDAExecutionProvider", "CPUExecutionProvider"))


def test_the_onnx_runtime_for_cpus_is_an_error_that_names_the_other() -> None:
    ort = SimpleNamespace(
        __version__="1.0", get_available_providers=lambda: ["CPUExecutionProvider"]
    )
    with pytest.raises(BackendError, match=r'pip install "trtcolor\[gpu\]"'):
        preload(ort)


def test_a_precision_other_than_float32_is_refused_before_the_model_is_opened(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trtcolor.choose.first_gpu", lambda: None)
    with pytest.raises(BackendError, match="came with precision fp16"):
        open_runner(open_bundle(make_bundle()), "onnxruntime-cuda", precision="fp16")


def test_without_a_gpu_it_is_refused_and_nothing_takes_its_place(make_bundle: MakeBundle) -> None:
    program = (
        "import sys; from trtcolor.colorizer import Colorizer\n"
        "Colorizer(sys.argv[1], backend='onnxruntime-cuda')"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(make_bundle())],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 1
    assert "trtcolor.errors.BackendError: " in done.stderr
    assert "was needed" in done.stderr.splitlines()[-1]


@pytest.mark.gpu
@NEEDS_GPU
def test_the_runner_itself_raises_where_the_gpu_is_hidden(make_bundle: MakeBundle) -> None:
    program = """
import sys
from trtcolor.backends.onnxruntime_cuda import OnnxRuntimeCudaRunner
from trtcolor.bundle import open_bundle
OnnxRuntimeCudaRunner(open_bundle(sys.argv[1])).load("local")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(make_bundle())],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 1
    assert "trtcolor.errors.BackendError: " in done.stderr


@pytest.mark.gpu
@NEEDS_GPU
@pytest.mark.parametrize("size", [(8, 8), (224, 224), (136, 264)])
def test_a_and_b_are_those_of_the_cpu(size: tuple[int, int], tmp_path: Path) -> None:
    bundle = open_bundle(write_untrained(tmp_path))
    random = np.random.default_rng(0)
    seen = random.uniform(0, 100, (2, 1, *size)).astype(np.float32)
    square = random.uniform(0, 100, (2, 1, 224, 224)).astype(np.float32)
    found = {}
    for kind in (OnnxRuntimeRunner, OnnxRuntimeCudaRunner):
        runner = kind(bundle)
        (vector,) = runner.run("global", {"lightness": square}, ["global_features"])
        inputs = {"lightness": seen, "global_features": vector}
        (chroma,) = runner.run("local", inputs, ["chroma"])
        found[kind.name] = vector, chroma
        assert runner.device == ("cpu" if kind is OnnxRuntimeRunner else "cuda:0")
    (vector, chroma), (on_gpu, painted) = found["onnxruntime"], found["onnxruntime-cuda"]
    scale = np.abs(vector).max()
    np.testing.assert_allclose(on_gpu, vector, atol=1e-4 * scale)
    assert np.ptp(chroma) > 1
    np.testing.assert_allclose(painted, chroma, atol=NEAR)


@pytest.mark.gpu
@NEEDS_GPU
def test_the_session_is_on_cuda_first(make_bundle: MakeBundle) -> None:
    runner = OnnxRuntimeCudaRunner(open_bundle(make_bundle()))
    session = runner._session("local").session
    assert session.get_providers()[0] == "CUDAExecutionProvider"
    assert session.get_provider_options()["CUDAExecutionProvider"]["use_tf32"] == "0"


@pytest.mark.gpu
@NEEDS_GPU
@pytest.mark.parametrize("side", [1, 37, 256])
def test_a_colorizer_gives_the_picture_of_the_cpu(side: int) -> None:
    frame = np.random.default_rng(side).integers(0, 256, (side, side + 3), dtype=np.uint8)
    with Colorizer(backend="onnxruntime") as cpu, Colorizer(backend="onnxruntime-cuda") as gpu:
        assert gpu.backend == "onnxruntime-cuda"
        expected, found = cpu.colorize(frame).astype(int), gpu.colorize(frame).astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.gpu
@NEEDS_GPU
def test_what_it_refuses_leaves_it_usable(make_bundle: MakeBundle) -> None:
    runner = OnnxRuntimeCudaRunner(open_bundle(make_bundle()))
    with pytest.raises(BackendError):
        runner.run("local", {"lightness": np.zeros((1, 8), np.float32)}, ["chroma"])
    seen = np.full((1, 1, 8, 8), 50, np.float32)
    (chroma,) = runner.run("local", {"lightness": seen}, ["chroma"])
    assert np.isfinite(chroma).all()


@pytest.mark.gpu
@NEEDS_GPU
def test_pytorch_on_the_gpu_gives_the_same_a_and_b(tmp_path: Path) -> None:
    bench = pytest.importorskip("trtcolor_train.bench")
    bundle = open_bundle(write_untrained(tmp_path))
    seen = np.random.default_rng(0).uniform(0, 100, (1, 1, 224, 224)).astype(np.float32)
    (exact,) = OnnxRuntimeRunner(bundle).run("joint", {"lightness": seen}, ["chroma"])
    for form, precision, near in (("eager", "fp32", NEAR), ("folded", "fp16", 1.0)):
        runner = bench.TorchRunner(bundle, form, device="cuda", precision=precision)
        assert runner.device == "cuda:0"
        (chroma,) = runner.run("joint", {"lightness": seen}, ["chroma"])
        np.testing.assert_allclose(chroma, exact, atol=near)

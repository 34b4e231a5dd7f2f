"""ONNX Runtime where it differs from the other backends: how it is missing, or there twice."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from trtcolor.backends import onnxruntime as backend
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


def test_a_missing_onnxruntime_is_named_with_its_remedy(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BackendError, match=r'pip install "trtcolor\[cpu\]"') as caught:
        OnnxRuntimeRunner(open_bundle(make_bundle()))
    assert "\n" not in str(caught.value)


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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_runs_of_a_shape_and_comes_back_with_another(
    make_bundle: MakeBundle,
) -> None:
    program = """
import sys
import numpy as np
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle

def megabytes(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000

runner = OnnxRuntimeRunner(open_bundle(sys.argv[1]))
for side in (8, 1024, 1024, 1024, 1024, 8):
    inputs = {"lightness": np.zeros((1, 1, side, side), np.float32)}
    runner.run("local", inputs, ["chroma"])
    print(megabytes("VmRSS:"), megabytes("VmHWM:"))
"""
    folder = make_bundle(bins=64)  # 64 MB of scores at half of 1024 x 1024
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    (start, _), (_, first), _, _, (held, last), (end, _) = (
        tuple(map(float, line.split())) for line in done.stdout.splitlines()
    )
    assert first - start > 60
    assert last - first < 10
    assert held - end > 50

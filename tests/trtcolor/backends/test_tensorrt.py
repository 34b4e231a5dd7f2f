"""Plans run as ONNX Runtime runs their graphs; without a GPU each refusal is one sentence."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Profile, choose_profile
from trtcolor.backends._tensorrt import deserialize, import_tensorrt, in_own_thread, logger
from trtcolor.backends.base import Runner
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.tensorrt import TensorRTRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.target import known_targets
from trtcolor.engines.tensorrt import build_plan
from trtcolor.errors import BackendError

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")

MakeBundle = Callable[..., Path]
RTX = "tensorrt-rtx"
SMALL = ShapeProfile.parse("16:64x32:2x128x128")
WIDE = ShapeProfile.parse("160:256:512")


def why_not_here() -> str:
    """Why TensorRT-RTX cannot run here; empty where it can."""
    try:
        target = _cuda.probe().target
    except BackendError as error:
        return str(error)
    known = known_targets(import_tensorrt(RTX))
    return "" if target in known else f"TensorRT-RTX does not know {target}"


without_gpu = pytest.mark.skipif(not why_not_here(), reason="a GPU is here")
needs_gpu = pytest.mark.skipif(bool(why_not_here()), reason=why_not_here() or "a GPU is here")


def plan_of(bundle: Bundle, graph: str, *profiles: ShapeProfile, target: str = "sm89") -> bytes:
    model = onnx.load(bundle.graph_path(graph)).SerializeToString()
    return build_plan(RTX, model, profiles or (SMALL,), name=graph, targets=(target,)).data


# ---- without a GPU -----------------------------------------------------------------------------


@without_gpu
def test_a_runner_without_a_gpu_is_refused_with_the_reason() -> None:
    with pytest.raises(BackendError, match=r"^no NVIDIA GPU answers \(cudaError"):
        TensorRTRunner(RTX, {"local": b"plan"})


@without_gpu
def test_a_good_plan_without_a_gpu_is_refused_and_not_returned_as_none(
    make_bundle: MakeBundle, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(open_bundle(make_bundle()), "local")
    with pytest.raises(BackendError, match=r"does not load the plan of graph 'local' \(\w"):
        deserialize(import_tensorrt(RTX), RTX, "local", plan)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("plan", [b"", b"garbage" * 100])
def test_what_is_no_plan_is_refused(plan: bytes) -> None:
    with pytest.raises(BackendError, match=r"^TensorRT-RTX 1\.\S+ does not load the plan of graph"):
        deserialize(import_tensorrt(RTX), RTX, "local", plan)


def test_a_module_that_is_not_installed_or_too_old_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(BackendError, match=r"TensorRT 10\.3 or later.*trtcolor\[tensorrt\]"):
        import_tensorrt("tensorrt")
    module = import_tensorrt(RTX)
    monkeypatch.setattr(module, "__version__", "1.6.1.120")
    with pytest.raises(BackendError, match=r"found TensorRT-RTX 1\.6\.1\.120; TensorRT-RTX 1\.7"):
        import_tensorrt(RTX)


def test_the_logger_keeps_errors_and_warnings_for_those_who_listen() -> None:
    log = logger(import_tensorrt(RTX))
    with log.collect() as outer:
        log.log(log.ERROR, "first\n error.")
        with log.collect() as inner:
            log.log(log.WARNING, "a warning")
            log.log(log.INFO, "chatter")
        log.log(log.INTERNAL_ERROR, "second")
    log.log(log.ERROR, "nobody listens")
    assert (outer.errors, outer.warnings) == (["first error", "second"], ["a warning"])
    assert (inner.errors, inner.warnings) == ([], ["a warning"])
    assert outer.reason() == "first error; second"
    assert inner.reason() == "it gave no reason"


def test_a_call_in_its_own_thread_gives_its_value_or_raises() -> None:
    def fail() -> None:
        raise KeyError("x")

    stopped: list[bool] = []
    assert in_own_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(KeyError):
        in_own_thread(fail, lambda: stopped.append(True))
    assert stopped == [True]


def lightness(batch: int, height: int, width: int) -> dict[str, tuple[int, ...]]:
    return {"lightness": (batch, 1, height, width)}


def profile(low: int, high: int, batch: int = 1) -> Profile:
    shapes = ((1, 1, low, low), (1, 1, low, low), (batch, 1, high, high))
    return {"lightness": shapes}


def test_the_profile_that_reaches_least_far_is_taken() -> None:
    profiles = [profile(8, 2048), profile(8, 64), profile(64, 512)]
    taken = [choose_profile("local", profiles, lightness(1, side, 64)) for side in (8, 64, 65, 520)]
    assert taken == [1, 1, 2, 0]


@pytest.mark.parametrize("shape", [(1, 520, 64), (2, 64, 64), (1, 4, 64)])
def test_a_shape_that_no_profile_admits_is_refused_with_all_of_them(
    shape: tuple[int, int, int],
) -> None:
    profiles = [profile(8, 64), profile(64, 512)]
    with pytest.raises(BackendError, match=r"^graph 'local' was given lightness \dx1x\d+x64, "):
        choose_profile("local", profiles, lightness(*shape))
    with pytest.raises(BackendError, match=r"1x1x8x8 to 1x1x64x64; lightness 1x1x64x64 to 1x1x512"):
        choose_profile("local", profiles, lightness(*shape))


def test_a_shape_of_another_rank_is_refused() -> None:
    with pytest.raises(BackendError, match="was given lightness 64x64, which"):
        choose_profile("local", [profile(8, 64)], {"lightness": (64, 64)})


# ---- on a GPU ----------------------------------------------------------------------------------


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=32, classes=("a", "b")))


@pytest.fixture
def runner(bundle: Bundle) -> Any:
    target = _cuda.probe().target
    plans = {name: plan_of(bundle, name, SMALL, WIDE, target=target) for name in bundle.spec.graphs}
    runner = TensorRTRunner(RTX, plans)
    yield runner
    runner.close()


def planes(*shape: int) -> NDArray[np.float32]:
    return (100 * np.random.default_rng(0).random(shape)).astype(np.float32)


def inputs_of(graph: str, batch: int, side: int) -> dict[str, NDArray[np.float32]]:
    if graph != "local":
        return {"lightness": planes(batch, 1, 32, 32)}
    return {"lightness": planes(batch, 1, side, side + 8), "global_features": planes(batch, 3)}


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("graph", ["local", "global", "joint"])
def test_a_plan_gives_what_onnx_runtime_gives(
    graph: str, bundle: Bundle, runner: TensorRTRunner
) -> None:
    fits: Runner = runner
    assert (fits.name, fits.device) == (RTX, "cuda:0")
    names = [name for name in bundle.spec.graphs[graph].outputs if name != "bin_logits"]
    reference = OnnxRuntimeRunner(bundle)
    for batch, side in ((1, 64), (2, 120), (1, 16), (1, 256), (1, 64)):
        inputs = inputs_of(graph, batch, side)
        expected = reference.run(graph, inputs, names)
        for found, wanted in zip(runner.run(graph, inputs, names), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.gpu
@needs_gpu
def test_threads_share_a_runner(bundle: Bundle, runner: TensorRTRunner) -> None:
    inputs = inputs_of("local", 1, 64)
    (expected,) = runner.run("local", inputs, ["chroma"])
    found: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda: found.extend(runner.run("local", inputs, ["chroma"])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(one, expected) for one in found)


@pytest.mark.gpu
@needs_gpu
def test_wrong_names_sizes_and_graphs_are_refused(runner: TensorRTRunner) -> None:
    with pytest.raises(BackendError, match="it takes lightness, global_features and gives chroma"):
        runner.run("local", {"lightness": planes(1, 1, 64, 64)}, ["chroma"])
    with pytest.raises(BackendError, match="no profile of its engine admits"):
        runner.run("local", inputs_of("local", 1, 1024), ["chroma"])
    with pytest.raises(BackendError, match="graph 'other' was to run"):
        runner.run("other", {}, [])


@pytest.mark.gpu
@needs_gpu
def test_a_closed_runner_is_refused_and_closing_twice_does_nothing(
    runner: TensorRTRunner,
) -> None:
    runner.run("local", inputs_of("local", 1, 64), ["chroma"])
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="closed runner"):
        runner.run("local", inputs_of("local", 1, 64), ["chroma"])

"""What keeps a plan from running is told in one sentence: the module, plan, GPU or shape."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Profile, choose_profile
from trtcolor.backends._tensorrt import deserialize, import_tensorrt, in_own_thread, logger
from trtcolor.backends.tensorrt import TensorRTRunner
from trtcolor.bundle import open_bundle
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.target import known_targets
from trtcolor.engines.tensorrt import build_plan
from trtcolor.errors import BackendError

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")

MakeBundle = Callable[..., Path]
RTX = "tensorrt-rtx"
SMALL = ShapeProfile.parse("16:64x32:2x128x128")


def why_not_here() -> str:
    """Why TensorRT-RTX cannot run here; empty where it can."""
    try:
        target = _cuda.probe().target
    except BackendError as error:
        return str(error)
    known = known_targets(import_tensorrt(RTX))
    return "" if target in known else f"TensorRT-RTX does not know {target}"


without_gpu = pytest.mark.skipif(not why_not_here(), reason="a GPU is here")


@without_gpu
def test_a_runner_without_a_gpu_is_refused_with_the_reason() -> None:
    with pytest.raises(BackendError, match=r"^no NVIDIA GPU answers \(cudaError"):
        TensorRTRunner(RTX, {"local": b"plan"})


@without_gpu
def test_a_good_plan_without_a_gpu_is_refused_and_not_returned_as_none(
    make_bundle: MakeBundle, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = onnx.load(open_bundle(make_bundle()).graph_path("local")).SerializeToString()
    plan = build_plan(RTX, graph, (SMALL,), targets=("sm89",)).data
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

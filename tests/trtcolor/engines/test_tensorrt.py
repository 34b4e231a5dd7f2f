"""TensorRT-RTX really builds plans here, on any machine: no GPU is needed for that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from interrupts import heed_interrupts
from onnx import TensorProto, helper

from trtcolor.bundle import open_bundle
from trtcolor.engines.profile import ShapeProfile, default_profiles
from trtcolor.engines.tensorrt import BuiltPlan, build_plan
from trtcolor.errors import BackendError

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")

MakeBundle = Callable[..., Path]
SMALL = ShapeProfile.parse("16:64x32:128")


def whole(folder: Path, graph: str) -> bytes:
    """A bundle's graph with its weights inside."""
    return onnx.load(open_bundle(folder).graph_path(graph)).SerializeToString()


def built(graph: bytes, *profiles: ShapeProfile, **options: object) -> BuiltPlan:
    return build_plan("tensorrt-rtx", graph, profiles or (SMALL,), targets=("sm89",), **options)  # type: ignore[arg-type]


@pytest.fixture
def tiny(make_bundle: MakeBundle) -> bytes:
    return whole(make_bundle(), "local")


def one_node(operator: str, channels: int = 2, **attributes: object) -> bytes:
    lightness = helper.make_tensor_value_info("lightness", TensorProto.FLOAT, ["N", 1, "H", "W"])
    chroma = helper.make_tensor_value_info("chroma", TensorProto.FLOAT, None)
    node = helper.make_node(operator, ["lightness"], ["chroma"], name="the_only", **attributes)
    graph = helper.make_graph([node], "one", [lightness], [chroma])
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


@pytest.mark.parametrize("graph", ["local", "global", "joint"])
def test_every_graph_of_the_default_model_is_built(graph: str) -> None:
    spec = open_bundle().spec
    plan = built(whole(open_bundle().path, graph), *default_profiles(spec), name=graph)
    assert tuple(plan.inputs) == spec.graphs[graph].inputs
    assert set(plan.outputs) == set(spec.graphs[graph].outputs)
    assert {tensor.dtype for tensor in [*plan.inputs.values(), *plan.outputs.values()]} == {
        "float32"
    }
    side = 2048 if graph == "local" else spec.size.global_size
    assert plan.profiles[0]["lightness"][2] == (1, 1, side, side)
    assert len(plan.data) > 10_000_000
    assert (plan.backend, plan.targets, plan.timing_cache) == ("tensorrt-rtx", ("sm89",), None)
    assert plan.version.startswith("1.")
    assert plan.peak_memory is None or plan.peak_memory > len(plan.data)


def test_two_builds_of_one_graph_differ_in_few_bytes_if_at_all(tiny: bytes) -> None:
    """They are not the same file: nothing may take a plan's digest for that of its graph."""
    one, two = (np.frombuffer(built(tiny).data, np.uint8) for _ in range(2))
    assert one.shape == two.shape
    assert np.mean(one != two) < 0.01


def test_several_profiles_and_several_targets_go_into_one_plan(tiny: bytes) -> None:
    profiles = (SMALL, ShapeProfile.parse("128x64:256:4x512x512"))
    plan = build_plan("tensorrt-rtx", tiny, profiles, targets=("sm80", "sm89", "sm120"))
    assert [profile["lightness"][0][0] for profile in plan.profiles] == [1, 1]
    assert plan.profiles[1]["lightness"][2] == (4, 1, 512, 512)
    assert plan.targets == ("sm80", "sm89", "sm120")


def test_a_workspace_is_taken(tiny: bytes) -> None:
    assert built(tiny, workspace=1 << 28).data


def test_progress_rises_to_the_end(tiny: bytes) -> None:
    told: list[float] = []
    threads = set()

    def report(fraction: float, phase: str) -> None:
        assert phase
        told.append(fraction)
        threads.add(threading.get_ident())

    built(tiny, report=report)
    assert len(told) > 20
    assert told == sorted(told)
    assert told[0] < 0.2
    assert told[-1] == 1
    assert threading.get_ident() not in threads


def test_what_progress_raises_stops_the_build_and_is_raised(tiny: bytes) -> None:
    class EnoughError(Exception):
        pass

    told: list[float] = []

    def report(fraction: float, _: str) -> None:
        told.append(fraction)
        if len(told) == 5:
            raise EnoughError("enough")

    with pytest.raises(EnoughError, match=r"^enough$"):
        built(tiny, report=report)
    assert len(told) == 5
    assert built(tiny).data  # and the next one is not disturbed


def test_builds_side_by_side_in_one_process_do_not_disturb_each_other(tiny: bytes) -> None:
    expected = len(built(tiny).data)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(built(tiny).data))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3


PROGRAM = """
import sys, threading, time
from pathlib import Path
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.tensorrt import build_plan

def slowly(fraction, phase):
    print("step", flush=True)
    time.sleep(0.05)

try:
    build_plan("tensorrt-rtx", Path(sys.argv[1]).read_bytes(), [ShapeProfile.parse("16:64:128")],
               targets=("sm89",), report=slowly)
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
"""


def test_ctrl_c_cancels_a_build_and_leaves_nothing(tiny: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    folder.mkdir()
    graph = folder / "graph.onnx"
    graph.write_bytes(tiny)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM, str(graph)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "step\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    lines = out.split("\n")
    assert lines[-2:] == ["interrupted 1", ""]
    assert len(lines) < 20  # it did not go on to its end
    assert err == ""
    assert process.returncode == 0
    assert list(folder.iterdir()) == [graph]


def test_a_build_prints_nothing(tiny: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    built(tiny)
    with pytest.raises(BackendError):
        built(b"no graph")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("graph", [b"", b"no graph", b"\x00" * 100])
def test_what_is_no_onnx_is_refused(graph: bytes) -> None:
    with pytest.raises(BackendError, match=r"^TensorRT-RTX 1\.\S+ does not read graph 'local' \("):
        built(graph)


def test_an_operator_that_does_not_parse_is_named() -> None:
    with pytest.raises(BackendError, match=r"does not read graph 'joint' \(node 'the_only' \(Det"):
        built(one_node("Det"), name="joint")


def test_what_parses_and_does_not_build_is_refused_with_the_reason() -> None:
    """Turing has no float32 matrix product in TensorRT-RTX."""
    bundle = open_bundle()
    with pytest.raises(BackendError, match=r"did not build graph 'global' \(.*SM75") as caught:
        build_plan(
            "tensorrt-rtx",
            whole(bundle.path, "global"),
            default_profiles(bundle.spec),
            name="global",
            targets=("sm75",),
        )
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_installed_is_one_sentence(
    tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(BackendError, match=r"'tensorrt' does not import .*trtcolor\[tensorrt\]"):
        build_plan("tensorrt", tiny, [SMALL])

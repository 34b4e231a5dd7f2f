"""OpenVINO computes in float32 what is float and in int8 what is quantised, and tells nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trtcolor import color
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.backends.sessions import Arrays
from trtcolor.bundle import open_bundle
from trtcolor.demo import photographs
from trtcolor.errors import BackendError
from trtcolor.images import read_picture
from trtcolor.resize import resize_plane

MakeBundle = Callable[..., Path]
RANDOM = np.random.default_rng(0)


def photograph(height: int, width: int) -> NDArray[np.float32]:
    """(1, 1, height, width) L* of a photograph."""
    pixels = read_picture(photographs()[0]).rgb8
    return resize_plane(color.lightness_from_rgb(pixels), (height, width))[None, None]


@pytest.mark.parametrize("size", [(128, 128), (64, 224)], ids=str)
def test_the_default_model_has_the_colours_that_onnx_runtime_gives(size: tuple[int, int]) -> None:
    bundle = open_bundle("default")
    side = bundle.spec.size.global_size
    assert side is not None
    ours, theirs = OpenVinoRunner(bundle), OnnxRuntimeRunner(bundle)
    square: Arrays = {"lightness": photograph(side, side)}
    (features,) = theirs.run("global", square, ["global_features"])
    runs = {
        "global": (square, ["global_features", "class_logits"]),
        "joint": (square, ["chroma"]),
        "local": ({"lightness": photograph(*size), "global_features": features}, ["chroma"]),
    }
    for graph, (inputs, outputs) in runs.items():
        for found, expected in zip(
            ours.run(graph, inputs, outputs), theirs.run(graph, inputs, outputs), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-3)  # bfloat16 is off by 1


def test_outputs_asked_for_later_are_there_too(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(bins=5))
    inputs = {"lightness": (100 * RANDOM.random((1, 1, 16, 16))).astype(np.float32)}
    runner = OpenVinoRunner(bundle)
    (chroma,) = runner.run("local", inputs, ["chroma"])
    logits, again = runner.run("local", inputs, ["bin_logits", "chroma"])
    (expected,) = OnnxRuntimeRunner(bundle).run("local", inputs, ["bin_logits"])
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(again, chroma, atol=1e-5)


def quantised_graph(channels: int = 16) -> bytes:
    """Two convolutions whose inputs and weights are quantised: uint8 and int8 (u8s8)."""
    arrays = {
        "scale": np.float32(100 / 255),
        "zero": np.uint8(0),
        "weight_scale": np.float32(0.01),
        "weight_zero": np.int8(0),
        "first": RANDOM.integers(-90, 90, (channels, 1, 3, 3), dtype=np.int8),
        "second": RANDOM.integers(-90, 90, (2, channels, 3, 3), dtype=np.int8),
    }
    nodes, value = [], "lightness"
    for layer in ("first", "second"):
        names = [f"{layer}_{part}" for part in ("codes", "input", "weights", "map")]
        codes, taken, weights, result = names
        result = "chroma" if layer == "second" else result
        nodes += [
            helper.make_node("QuantizeLinear", [value, "scale", "zero"], [codes]),
            helper.make_node("DequantizeLinear", [codes, "scale", "zero"], [taken]),
            helper.make_node("DequantizeLinear", [layer, "weight_scale", "weight_zero"], [weights]),
            helper.make_node("Conv", [taken, weights], [result], name=layer, pads=[1] * 4),
        ]
        value = result
    shape = ["N", 1, "H", "W"]
    graph = helper.make_graph(
        nodes,
        "local",
        [helper.make_tensor_value_info("lightness", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("chroma", TensorProto.FLOAT, ["N", 2, "H", "W"])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())


def test_quantised_convolutions_run_in_int8(make_bundle: MakeBundle) -> None:
    bundle, files = open_bundle(make_bundle()), {"local": quantised_graph()}
    inputs = {"lightness": (100 * RANDOM.random((1, 1, 32, 32))).astype(np.float32)}
    runner = OpenVinoRunner(bundle, graphs=files)
    (found,) = runner.run("local", inputs, ["chroma"])
    (expected,) = OnnxRuntimeRunner(bundle, graphs=files).run("local", inputs, ["chroma"])
    assert np.abs(found - expected).max() <= 0.05 * np.abs(expected).max()  # a code is 1/255
    assert convolutions(runner) == ["i8 or u8", "i8 or u8"]
    plain = OpenVinoRunner(bundle)
    plain.run("local", inputs, ["chroma"])
    assert convolutions(plain) == ["f32"]


def convolutions(runner: OpenVinoRunner) -> list[str]:
    """What the convolutions of the local graph compute in, as OpenVINO reports it."""
    precisions = []
    for node in runner._session("local")._compiled.get_runtime_model().get_ordered_ops():
        about = node.get_rt_info()
        if "Conv" in about["layerType"].astype(str):
            precisions.append(about["runtimePrecision"].astype(str))
    return ["i8 or u8" if name in ("i8", "u8") else name for name in precisions]


def test_a_missing_openvino_is_named_with_its_remedy(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BackendError, match=r'pip install "trtcolor\[openvino\]"') as caught:
        OpenVinoRunner(open_bundle(make_bundle()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("statement", "reports"), [("import openvino", True), ("", False)])
def test_openvino_reports_to_nobody_unless_the_program_had_imported_it_itself(
    statement: str, reports: bool, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    program = (
        f"import sys; {statement or 'pass'}\n"
        "from trtcolor.backends.openvino import OpenVinoRunner\n"
        "from trtcolor.bundle import open_bundle\n"
        "import numpy as np\n"
        "zeros = np.zeros((1, 1, 8, 8), np.float32)\n"
        "OpenVinoRunner(open_bundle(sys.argv[1])).run('local', {'lightness': zeros}, ['chroma'])\n"
        "print('openvino_telemetry' in sys.modules)\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if key != "CI"}
    if reports:  # as its makers say not to: the test itself must not report either
        (home / "intel").mkdir()
        (home / "intel" / "openvino_telemetry").write_text("0")
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(make_bundle())],
        check=True,
        capture_output=True,
        text=True,
        env=kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home)},
    )
    assert done.stdout.splitlines()[-1] == str(reports)
    left = sorted(file.name for file in home.rglob("*") if file.is_file())
    assert left == (["openvino_telemetry"] if reports else [])

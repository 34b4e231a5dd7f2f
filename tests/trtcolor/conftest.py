"""Small real bundles: ONNX graphs of a few nodes, weights in a file; a store; a browser."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from chromium import chromium
from hypothesis import settings
from numpy.typing import NDArray
from object_stores import Bucket, S3Server, make_bucket, s3_server
from onnx import TensorProto, helper

from trtcolor.colorizer import Colorizer
from trtcolor.kernels import _color
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine does not make a property false.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

FEATURES = 3
MakeBundle = Callable[..., Path]


def network_weights(seed: int, scenes: int, bins: int) -> dict[str, NDArray[np.float32]]:
    """Weights that give chroma of some tens for L* in 0..100."""
    rng = np.random.default_rng(seed)
    shapes = {
        "low": (2, 1, 3, 3),
        "low_bias": (2,),
        "pooled": (2, FEATURES),
        "fusion": (FEATURES, 2),
        "scenes": (FEATURES, max(scenes, 1)),
        "bins": (max(bins, 1), 1, 3, 3),
    }
    return {name: rng.normal(0, 0.15, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def colorizer(make_bundle: MakeBundle) -> Colorizer:
    """Without global features, chroma at half the resolution."""
    return Colorizer(make_bundle())


@pytest.fixture(scope="module", params=_color.variants())
def every_variant(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a module's tests once on each variant of the kernels that this processor has."""
    before = _color.variant()
    _color.use(request.param)
    yield request.param
    _color.use(before)


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """A function that writes a bundle and returns its folder."""

    def make(
        name: str = "tiny",
        *,
        scale: int = 2,
        multiple: int = 8,
        global_size: int | None = None,
        render_size: int | None = None,
        joint: bool = True,
        classes: tuple[str, ...] = (),
        bins: int | None = None,
        seed: int = 0,
        weights: dict[str, NDArray[np.float32]] | None = None,
        models: Path = tmp_path,
        **entries: Any,
    ) -> Path:
        folder = models / name
        folder.mkdir(parents=True)
        arrays = network_weights(seed, len(classes), bins or 0) | (weights or {})
        blob = b"".join(array.tobytes() for array in arrays.values())
        (folder / "weights.bin").write_bytes(blob)
        kinds = ["local"]
        if global_size is not None:
            kinds += ["global", "joint"] if joint else ["global"]
        graphs = {}
        for kind in kinds:
            graph = _graph(kind, arrays, scale, global_size, bool(classes), bins is not None)
            opset = helper.make_opsetid("", 17)
            model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
            (folder / f"{kind}.onnx").write_bytes(model.SerializeToString())
            graphs[kind] = GraphSpec(
                f"{kind}.onnx",
                tuple(value.name for value in graph.input),
                tuple(value.name for value in graph.output),
            )
        files = [path for path in folder.iterdir() if path.is_file()]
        spec: dict[str, Any] = {
            "name": name,
            "family": "tiny",
            "version": "1",
            "configuration": {},
            "size": SizeRule(multiple, scale, 32, global_size, render_size),
            "graphs": graphs,
            "decoder": {"kind": "regression"},
            "precision": "float32",
            "licence": "Apache-2.0",
            "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
            "classes": classes,
        }
        text = ModelSpec(**spec | entries).to_json()
        (folder / "model.json").write_text(text, encoding="utf-8")
        return folder

    return make


def _graph(
    kind: str,
    weights: dict[str, NDArray[np.float32]],
    scale: int,
    global_size: int | None,
    has_scenes: bool,
    has_bins: bool,
) -> onnx.GraphProto:
    side: int | str = "H" if kind == "local" else global_size or 0
    inputs = [_value("lightness", ["N", 1, side, "W" if kind == "local" else side])]
    low = helper.make_node(
        "Conv", ["lightness", "low", "low_bias"], ["map"], strides=[scale] * 2, pads=[1] * 4
    )
    nodes, outputs = [low], []
    if kind != "global":
        outputs.append(_value("chroma", ["N", 2, None, None]))
        if global_size is None:
            nodes.append(helper.make_node("Identity", ["map"], ["chroma"]))
        if has_bins:
            outputs.append(_value("bin_logits", ["N", weights["bins"].shape[0], None, None]))
            nodes.append(
                helper.make_node(
                    "Conv",
                    ["lightness", "bins"],
                    ["bin_logits"],
                    strides=[scale] * 2,
                    pads=[1] * 4,
                )
            )
    if kind != "local":
        nodes += [
            helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "pooled"], ["global_features"]),
        ]
        outputs.append(_value("global_features", ["N", FEATURES]))
        if has_scenes:
            nodes.append(
                helper.make_node("MatMul", ["global_features", "scenes"], ["class_logits"])
            )
            outputs.append(_value("class_logits", ["N", weights["scenes"].shape[1]]))
    elif global_size is not None:
        inputs.append(_value("global_features", ["N", FEATURES]))
    if kind != "global" and global_size is not None:
        nodes += [
            helper.make_node("MatMul", ["global_features", "fusion"], ["shift"]),
            helper.make_node("Reshape", ["shift", "shift_shape"], ["shift_map"]),
            helper.make_node("Add", ["map", "shift_map"], ["chroma"]),
        ]
    shape = helper.make_tensor("shift_shape", TensorProto.INT64, [4], [-1, 2, 1, 1])
    return helper.make_graph(nodes, kind, inputs, outputs, [*_external(weights), shape])


def _value(name: str, shape: list[int | str | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _external(weights: dict[str, NDArray[np.float32]]) -> list[onnx.TensorProto]:
    tensors, offset = [], 0
    for name, array in weights.items():
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ("location", "weights.bin"),
            ("offset", offset),
            ("length", array.nbytes),
        ):
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
        offset += array.nbytes
    return tensors


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server that all tests of a process share."""
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of a test's own, to which the environment has the keys."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return make_bucket(s3, f"b{secrets.token_hex(6)}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, which all tests of a module share."""
    with chromium() as started:
        yield started

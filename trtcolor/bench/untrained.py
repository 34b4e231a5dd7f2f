"""iizuka2016 with random weights, made by the ``onnx`` package alone: for timing, not for colours.

The layers of 004, Table 1, as `trtcolor export` writes them (batch norm folded, fusion split,
weights under the same names), so that the figures are those of a trained bundle: how long a network
takes does not depend on its weights, as long as they are ordinary numbers.
"""

from __future__ import annotations

import math
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.bench.cost import import_onnx
from trtcolor.bundle import SPEC_FILE, file_sha256
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule

if TYPE_CHECKING:
    import onnx

NAME = "iizuka2016"
UNTRAINED = "untrained weights: timing only"
"""Said in every row, and the ``version`` in the spec."""

SIDE = 224
STRIDE = 8
"""Of low-level and mid-level features."""
MAP_BYTES = 206
"""Measured by `trtcolor_train.map_bytes` of an exported one."""
LOW = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1))
MID = (512, 256)
GLOBAL_CONVOLUTIONS = ((512, 2), (512, 1), (512, 2), (512, 1))
GLOBAL_LAYERS = (1024, 512, 256)
FUSION = 256
COLORIZATION = (128, 0, 64, 64, 0, 32)  # 0: upsample x2, nearest neighbour
CLASSIFIER = 256
CLASSES = 205
AB_SCALE, AB_OFFSET = 220.0, 110.0  # a*b* = 220 sigmoid - 110

OPSET, IR_VERSION = 20, 10  # of exported bundles
WEIGHTS_FILE = "weights.bin"
MIN_SHARED = 512
"""Elements from which on an array lies in `WEIGHTS_FILE`."""

CONFIGURATION: dict[str, Any] = {
    "training_size": SIDE,
    "classes": CLASSES,
    "low": LOW,
    "mid": MID,
    "global_convolutions": GLOBAL_CONVOLUTIONS,
    "global_layers": GLOBAL_LAYERS,
    "fusion": FUSION,
    "colorization": COLORIZATION,
    "classifier": CLASSIFIER,
    "signed_input": False,
    "color_space": "lab",
}


def write_untrained(folder: Path, *, seed: int = 0) -> Path:
    """Write a bundle with seeded weights; the same seed gives the same files.

    Args:
        folder: exists, empty.

    Returns:
        `folder`.

    Raises:
        BackendError: onnx is not installed.
        OSError: the folder cannot be written.
    """
    onnx = import_onnx()
    weights = _Weights(seed)
    graphs = {}
    for kind in ("local", "global", "joint"):
        model = _model(kind, weights)
        onnx.save_model(model, str(folder / f"{kind}.onnx"))
        names = ([v.name for v in model.graph.input], [v.name for v in model.graph.output])
        graphs[kind] = GraphSpec(f"{kind}.onnx", tuple(names[0]), tuple(names[1]))
    (folder / WEIGHTS_FILE).write_bytes(weights.content)
    spec = ModelSpec(
        name=NAME,
        family=NAME,
        version=UNTRAINED,
        configuration=CONFIGURATION,
        size=SizeRule(STRIDE, 2, SIDE, SIDE, SIDE, 64, MAP_BYTES),
        graphs=graphs,
        decoder={"kind": "regression"},
        precision="float32",
        licence="none: random numbers",
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
    )
    (folder / SPEC_FILE).write_text(spec.to_json(), encoding="utf-8")
    return folder


class _Weights:
    """Arrays by name, drawn once and laid in one file that all graphs refer to."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._arrays: dict[str, tuple[NDArray[np.float32], int]] = {}
        self.content = bytearray()

    def tensor(self, name: str, shape: tuple[int, ...]) -> onnx.TensorProto:
        """Normal, of a deviation that keeps what follows as large as what came; small biases."""
        if name not in self._arrays:
            deviation = math.sqrt(2 / math.prod(shape[1:])) if len(shape) > 1 else 0.01
            array = self._random.standard_normal(shape, np.float32) * np.float32(deviation)
            self._arrays[name] = array, len(self.content)
            if array.size >= MIN_SHARED:
                self.content += array.tobytes()
        array, offset = self._arrays[name]
        if array.size < MIN_SHARED:
            small: onnx.TensorProto = import_module("onnx.numpy_helper").from_array(array, name)
            return small
        proto = import_module("onnx").TensorProto
        tensor: onnx.TensorProto = proto(name=name, data_type=proto.FLOAT, dims=shape)
        tensor.data_location = proto.EXTERNAL
        places = ("location", WEIGHTS_FILE), ("offset", offset), ("length", array.nbytes)
        for key, value in places:
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class _Graph:
    """Nodes and constants in the making; each method returns the name of what it computes."""

    def __init__(self, weights: _Weights) -> None:
        self._helper = import_module("onnx.helper")
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, output: str | None = None, **options: Any) -> str:
        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(operator, list(inputs), [name], **options))
        return name

    def constant(self, name: str, values: Any, dtype: Any) -> str:
        if all(tensor.name != name for tensor in self.constants):
            array = np.array(values, dtype)
            self.constants.append(import_module("onnx.numpy_helper").from_array(array, name))
        return name

    def layer(
        self,
        operator: str,
        x: str,
        name: str,
        shape: tuple[int, ...],
        *,
        relu: bool = True,
        output: str | None = None,
        **options: Any,
    ) -> str:
        """A convolution or linear layer with its bias."""
        names = f"network.{name}.weight", f"network.{name}.bias"
        self.constants += [
            self._weights.tensor(names[0], shape),
            self._weights.tensor(names[1], shape[:1]),
        ]
        x = self.node(operator, x, *names, output=None if relu else output, **options)
        return self.node("Relu", x, output=output) if relu else x

    def conv(
        self, x: str, name: str, inputs: int, outputs: int, stride: int = 1, *, relu: bool = True
    ) -> str:
        shape = (outputs, inputs, 3, 3)
        window: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1] * 4, "strides": [stride] * 2}
        return self.layer("Conv", x, name, shape, relu=relu, **window)


def _model(kind: str, weights: _Weights) -> onnx.ModelProto:
    graph = _Graph(weights)
    low = _low_level(graph)
    if kind != "local":
        _describe(graph, low)
    if kind != "global":
        _paint(graph, low)
    helper = import_module("onnx.helper")
    side: int | str = SIDE if kind != "local" else "H"
    across = "W" if kind == "local" else side

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        info: onnx.ValueInfoProto = helper.make_tensor_value_info(name, 1, ["N", *shape])
        return info

    features = value("global_features", GLOBAL_LAYERS[-1])
    grid = ("H/2", "W/2") if kind == "local" else (SIDE // 2, SIDE // 2)
    chroma, scenes = value("chroma", 2, *grid), value("class_logits", CLASSES)
    inputs = [value("lightness", 1, side, across)] + ([features] if kind == "local" else [])
    outputs = {
        "local": [chroma],
        "global": [features, scenes],
        "joint": [chroma, features, scenes],
    }[kind]
    made = helper.make_graph(graph.nodes, kind, inputs, outputs, graph.constants)
    opset = helper.make_opsetid("", OPSET)
    model: onnx.ModelProto = helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION)
    return model


def _low_level(graph: _Graph) -> str:
    """L* (N, 1, H, W) to features (N, 512, H/8, W/8)."""
    x, inputs = graph.node("Div", "lightness", graph.constant("hundred", 100.0, np.float32)), 1
    for i, (outputs, stride) in enumerate(LOW):
        x = graph.conv(x, f"low.{i}.layer", inputs, outputs, stride)
        inputs = outputs
    return x


def _describe(graph: _Graph, low: str) -> None:
    """Low-level features of the 224x224 copy to the global vector and the scores of scenes."""
    x, inputs = low, LOW[-1][0]
    for i, (outputs, stride) in enumerate(GLOBAL_CONVOLUTIONS):
        x = graph.conv(x, f"global_convolutions.{i}.layer", inputs, outputs, stride)
        inputs = outputs
    flat = inputs * (SIDE // STRIDE // 4) ** 2
    x = graph.node("Reshape", x, graph.constant("flat", [-1, flat], np.int64))
    hidden = x
    for i, (inputs, outputs) in enumerate(pairwise((flat, *GLOBAL_LAYERS))):
        hidden, name = x, f"global_layers.{i}.layer"
        last = "global_features" if i == len(GLOBAL_LAYERS) - 1 else None
        x = graph.layer("Gemm", x, name, (outputs, inputs), output=last, transB=1)
    shape = (CLASSIFIER, GLOBAL_LAYERS[-2])
    x = graph.layer("Gemm", hidden, "classifier.0.layer", shape, transB=1)
    shape = (CLASSES, CLASSIFIER)
    graph.layer("Gemm", x, "classifier.1", shape, relu=False, output="class_logits", transB=1)


def _paint(graph: _Graph, low: str) -> None:
    """Low-level features and the global vector to a*b* (N, 2, H/2, W/2)."""
    x, inputs = low, LOW[-1][0]
    for i, outputs in enumerate(MID):
        x = graph.conv(x, f"mid.{i}.layer", inputs, outputs)
        inputs = outputs
    x = _fuse(graph, x, inputs)
    inputs = FUSION
    for i, outputs in enumerate(COLORIZATION):
        if outputs:
            x = graph.conv(x, f"colorization.{i}.layer", inputs, outputs)
            inputs = outputs
        else:
            scales = graph.constant("twice", [1, 1, 2, 2], np.float32)
            placing = {"mode": "nearest", "nearest_mode": "floor"}
            x = graph.node(
                "Resize", x, "", scales, coordinate_transformation_mode="asymmetric", **placing
            )
    x = graph.conv(x, f"colorization.{len(COLORIZATION)}", inputs, 2, relu=False)
    x = graph.node("Sigmoid", x)
    x = graph.node("Mul", x, graph.constant("ab_scale", AB_SCALE, np.float32))
    graph.node("Sub", x, graph.constant("ab_offset", AB_OFFSET, np.float32), output="chroma")


def _fuse(graph: _Graph, mid: str, inputs: int) -> str:
    """ReLU(W_mid x mid + (W_global x global + b)), W kept whole as in the paper (004, Eq. 5)."""
    width, name = GLOBAL_LAYERS[-1], "network.fusion.layer"
    for suffix, shape in (("weight", (FUSION, width + inputs)), ("bias", (FUSION,))):
        graph.constants.append(graph._weights.tensor(f"{name}.{suffix}", shape))
    edges = {"start": 0, "between": width, "end": width + inputs, "columns": 1}
    for edge, place in edges.items():
        graph.constant(edge, [place], np.int64)
    across = graph.constant("across", [2, 3], np.int64)
    left = graph.node("Slice", f"{name}.weight", "start", "between", "columns")
    right = graph.node("Slice", f"{name}.weight", "between", "end", "columns")
    shift = graph.node("Gemm", "global_features", left, f"{name}.bias", transB=1)
    window: dict[str, Any] = {"kernel_shape": [1, 1], "pads": [0] * 4, "strides": [1, 1]}
    x = graph.node("Conv", mid, graph.node("Unsqueeze", right, across), **window)
    return graph.node("Relu", graph.node("Add", x, graph.node("Unsqueeze", shift, across)))

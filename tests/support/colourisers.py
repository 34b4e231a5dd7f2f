"""Small ONNX networks with random weights, in the shapes of other people's colourisers.

Built from operators that every operator set from 9 on has, so that each comes in any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Axis = int | str
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


class Layers:
    """Nodes of a chain with their weights."""

    def __init__(self, seed: int, opset: int, dtype: type[np.generic], named: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.opset, self.dtype, self.named = opset, dtype, named
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, value: Any, dtype: type[np.generic] | None = None) -> str:
        name = f"w{len(self.weights)}"
        array = np.asarray(value, dtype or self.dtype)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"t{len(self.nodes)}"
        name = f"{operator}_{len(self.nodes)}" if self.named else ""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    def conv(self, x: str, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> str:
        kernel = self.rng.normal(0, 1 / np.sqrt(inputs * size**2), (outputs, inputs, size, size))
        bias = self.weight(self.rng.normal(0, 0.2, outputs))
        pads = [size // 2] * 4
        return self.add("Conv", x, self.weight(kernel), bias, strides=[stride] * 2, pads=pads)

    def down(self, x: str, inputs: int, outputs: int) -> str:
        return self.add("Relu", self.conv(x, inputs, outputs, stride=2))

    def up(self, x: str, inputs: int, outputs: int, factor: int = 2) -> str:
        kernel = self.rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs, factor, factor))
        return self.add("ConvTranspose", x, self.weight(kernel), strides=[factor] * 2)

    def enlarged(self, x: str, factor: int) -> str:
        """Bilinear, as the exporters of each operator set write it."""
        scales = self.weight([1, 1, factor, factor], np.float32)
        if self.opset < 10:
            return self.add("Upsample", x, scales, mode="linear")
        if self.opset < 11:
            return self.add("Resize", x, scales, mode="linear")
        none = self.weight(np.zeros(0), np.float32)
        return self.add("Resize", x, none, scales, mode="linear")

    def model(
        self, inputs: dict[str, list[Axis]], outputs: dict[str, list[Axis]]
    ) -> onnx.ModelProto:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        infos = [
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in values.items()]
            for values in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "colouriser", *infos, self.weights)
        opset = helper.make_opsetid("", self.opset)
        return helper.make_model(graph, opset_imports=[opset], ir_version=9)


def network(
    kind: str,
    *,
    opset: int = 17,
    batch: Axis = "batch",
    side: Axis | None = None,
    dtype: type[np.generic] = np.float32,
    named: bool = True,
    seed: int = 0,
    names: tuple[str, str] = ("input", "output"),
) -> onnx.ModelProto:
    """``eccv16``, ``siggraph17``, ``deoldify`` or ``ddcolor``; `side` None: the kind's own."""
    layers = Layers(seed, opset, dtype, named)
    source, target = names
    side = side if side is not None else 256 if kind == "ddcolor" else "free"
    rows, columns = (side, side) if isinstance(side, int) else ("height", "width")
    inputs: dict[str, list[Axis]] = {source: [batch, 1, rows, columns]}
    channels = 2
    if kind == "eccv16":
        x = layers.down(layers.down(layers.down(source, 1, 8), 8, 8), 8, 16)
        scores = layers.conv(layers.up(x, 16, 16), 16, 313, size=1)
        scores = layers.add("Mul", scores, layers.weight(4.0))
        # Before operator set 13 a softmax over channels alone is written so.
        last = layers.add("Transpose", scores, perm=[0, 2, 3, 1])
        odds = layers.add("Transpose", layers.add("Softmax", last, axis=3), perm=[0, 3, 1, 2])
        x = layers.enlarged(layers.conv(odds, 313, 2, size=1), 4)
    elif kind == "siggraph17":
        inputs |= {"input_B": [batch, 2, rows, columns], "mask_B": [batch, 1, rows, columns]}
        joined = layers.add("Concat", source, "input_B", "mask_B", axis=1)
        x = layers.up(layers.down(joined, 4, 8), 8, 8)
        x = layers.add("Tanh", layers.conv(x, 8, 2))
    elif kind == "deoldify":
        inputs[source][1], channels = 3, 3
        x, width = source, 3
        for _ in range(5):
            x, width = layers.down(x, width, 8), 8
        x = layers.add("Concat", layers.up(x, 8, 8, factor=32), source, axis=1)
        x = layers.add("Sigmoid", layers.conv(x, 11, 3))
        x = layers.add("Add", layers.add("Mul", x, layers.weight(6.0)), layers.weight(-3.0))
    elif kind == "ddcolor":
        inputs[source][1] = 3
        x = layers.down(layers.down(source, 3, 8), 8, 16)
        x = layers.conv(layers.up(x, 16, 8, factor=4), 8, 2)
        x = layers.add("Mul", x, layers.weight(30.0))
    else:
        raise AssertionError(kind)
    layers.add("Identity", x, output=target)
    return layers.model(inputs, {target: [batch, channels, rows, columns]})


SPECS: dict[str, dict[str, Any]] = {
    "eccv16": {
        "licence": "BSD-2-Clause",
        "input": {"kind": "lightness", "offset": 50, "scale": 100},
        "output": {"kind": "ab", "scale": 110},
        "size": {"multiple": 8},
    },
    "siggraph17": {
        "licence": "BSD-2-Clause",
        "input": {"kind": "lightness", "offset": 50, "scale": 100, "name": "input"},
        "output": {"kind": "ab", "scale": 110},
        "size": {"multiple": 2},
        "constants": {"input_B": 0, "mask_B": 0},
    },
    "deoldify": {
        "licence": "MIT",
        "input": {"kind": "grey-rgb", **IMAGENET},
        "output": {"kind": "rgb", **IMAGENET},
        "size": {"multiple": 32},
    },
    "ddcolor": {
        "licence": "Apache-2.0",
        "input": {"kind": "grey-rgb"},
        "output": {"kind": "ab"},
        "size": {"fixed": [256, 256]},
    },
}


def write_toml(path: Path, entries: dict[str, Any]) -> Path:
    """A spec as the file that a user writes."""
    lines = [f"{name} = {_toml(v)}" for name, v in entries.items() if not isinstance(v, dict)]
    for name, table in entries.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_toml(v)}" for key, v in table.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return str(value)

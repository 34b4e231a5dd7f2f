"""float16 and bfloat16: a graph's layers in 16 bits, what stands around them in float32.

The form is that of strongly typed builders (TensorRT 11 has no other): every node's inputs are of
one type, and what passes from one type to another passes a Cast.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trtcolor.precision.parts import around
from trtcolor.precision.plain import raised, used_by

Half = Literal["fp16", "bf16"]
TYPES: dict[Half, int] = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}

BFLOAT16_OPSET = 22
"""The first in which convolutions may be of bfloat16."""
BFLOAT16_CAST_OPSET = 13
"""The first that casts to it."""

DELICATE = re.compile(
    "Exp|Log|Pow|Sqrt|Reciprocal|Erf|CumSum|(Log)?Softmax|GlobalAveragePool|Reduce.*"
    "|(?!Batch).*Normalization"
)
"""Operators that take powers of, or sums over, many numbers: they may leave the range of float16
or lose most digits of bfloat16."""

NO_KERNEL: dict[int, frozenset[str]] = {
    TensorProto.FLOAT16: frozenset(),
    TensorProto.BFLOAT16: frozenset(("ConvTranspose",)),
}
"""Operators that TensorRT-RTX 1.7 does not build in a type: they stay float32."""

FLOAT_INPUTS = {"Resize": (1, 2), "Upsample": (1,)}
"""Inputs that are float32 in every form of an operator."""


def half_graph(model: onnx.ModelProto, precision: Half) -> onnx.ModelProto:
    """A plain graph with its layers in 16 bits; inputs and outputs stay float32.

    Float32 remain the coding and the decoding of colours (`trtcolor.precision.parts.around`) and
    the operators that `DELICATE` names.

    Args:
        model: from `trtcolor.precision.plain.plain_graph`; left as it is.
        precision: ``fp16`` or ``bf16``; the latter comes out in operator set 22 at least.
    """
    if precision == "bf16":
        model = raised(model, BFLOAT16_OPSET)
    return _Conversion(model, TYPES[precision], emulated=False).result()


def emulated_half_graph(model: onnx.ModelProto, precision: Half) -> onnx.ModelProto:
    """The same arithmetic for ONNX Runtime's CPU: float32, each number rounded as it is made.

    It has no kernels of bfloat16 there, and runs float16 in float32 without rounding in between,
    so that not even an overflow shows.

    Args:
        model, precision: as for `half_graph`.
    """
    if precision == "bf16":
        model = raised(model, BFLOAT16_CAST_OPSET)
    return _Conversion(model, TYPES[precision], emulated=True).result()


class _Conversion:
    """One graph on its way; each tensor may be there as float32, in 16 bits, or both."""

    def __init__(self, model: onnx.ModelProto, half: int, *, emulated: bool) -> None:
        self.half = half
        self.emulated = emulated
        self.numpy_type = helper.tensor_dtype_to_np_dtype(half)
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.floats = float_tensors(model)
        self.keep = around(model)
        self.weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        self.made: dict[str, onnx.TensorProto] = {}
        self.halves: dict[str, str] = {}  # tensor -> its name in 16 bits
        # Tensors that are there as float32, always by their own names.
        self.singles = {value.name for value in model.graph.input} | set(self.weights)

    def result(self) -> onnx.ModelProto:
        graph = self.model.graph
        outputs = {value.name for value in graph.output}
        for node in graph.node:
            if self._stays(node):
                self._keep(node)
            else:
                self._convert(node)
        for name in sorted(outputs & self.floats):
            self._single(name)
        used = {name for node in self.nodes for name in used_by(node)} | outputs
        weights = [t for t in (*graph.initializer, *self.made.values()) if t.name in used]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend(weights)
        return self.model

    def _stays(self, node: onnx.NodeProto) -> bool:
        """Whether a node is left in float32: besides those asked for, what has no float input."""
        return (
            node.name in self.keep
            or node.op_type in NO_KERNEL[self.half]
            or DELICATE.fullmatch(node.op_type) is not None
            or node.domain not in ("", "ai.onnx")
            or bool(used_by(node) - set(node.input))  # graphs inside
            or self.floats.isdisjoint(node.input)
        )

    def _keep(self, node: onnx.NodeProto) -> None:
        for name in sorted(used_by(node) & self.floats):
            self._single(name)
        self.singles.update(node.output)
        kept = onnx.NodeProto()
        kept.CopyFrom(node)
        self.nodes.append(kept)

    def _convert(self, node: onnx.NodeProto) -> None:
        converted = onnx.NodeProto()
        converted.CopyFrom(node)
        untouched = FLOAT_INPUTS.get(node.op_type, ())
        for index, name in enumerate(node.input):
            if name in self.floats and index in untouched:
                self._single(name)
            elif name in self.floats:
                converted.input[index] = self._half(name)
        self.nodes.append(converted)
        for index, name in enumerate(node.output):
            if name not in self.floats:
                continue
            converted.output[index] = f"{name}.exact" if self.emulated else f"{name}.half"
            self.halves[name] = f"{name}.half"
            if self.emulated:
                self._round(converted.output[index], self.halves[name])
        if node.op_type == "Cast" and not self.emulated and node.output[0] in self.floats:
            converted.attribute[0].i = self.half

    def _half(self, name: str) -> str:
        """A float32 tensor's name in 16 bits, made if it is not there."""
        if name not in self.halves:
            self.halves[name] = f"{name}.half"
            if name in self.weights:
                with np.errstate(over="ignore"):  # an infinite weight is found by the gate
                    array = numpy_helper.to_array(self.weights[name]).astype(self.numpy_type)
                array = array.astype(np.float32) if self.emulated else array
                self.made[name] = numpy_helper.from_array(array, f"{name}.half")
            elif self.emulated:
                self._round(name, f"{name}.half")
            else:
                self._cast(name, f"{name}.half", self.half)
        return self.halves[name]

    def _single(self, name: str) -> None:
        """See to it that a tensor is there as float32."""
        if name not in self.singles:
            self._cast(self.halves[name], name, TensorProto.FLOAT)
            self.singles.add(name)

    def _round(self, name: str, rounded: str) -> None:
        self._cast(name, f"{rounded}.bits", self.half)
        self._cast(f"{rounded}.bits", rounded, TensorProto.FLOAT)

    def _cast(self, name: str, output: str, to: int) -> None:
        self.nodes.append(helper.make_node("Cast", [name], [output], name=f"to {output}", to=to))


def float_tensors(model: onnx.ModelProto) -> set[str]:
    """Names of all float32 tensors."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    names = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    names.update(t.name for t in graph.initializer if t.data_type == TensorProto.FLOAT)
    return names

"""A network: somebody's ONNX file with its inputs and its output found as the spec says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from trtcolor.adopt.onnx_file import operator_set, read_model
from trtcolor.adopt.spec import NetworkSpec
from trtcolor.errors import ExportError

OLDEST_OPSET = 9
FLOATS: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.FLOAT16: np.dtype(np.float16),
    TensorProto.DOUBLE: np.dtype(np.float64),
}


@dataclass(frozen=True)
class Value:
    """An input or output: its name, its element type, and its shape with None for a free size."""

    name: str
    type: int
    shape: tuple[int | None, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return FLOATS[self.type]


@dataclass(frozen=True)
class Network:
    """A network that fits its spec as far as its declarations tell.

    Attributes:
        path: of its file.
        model: all of it, weights in memory.
        input: that of the picture, (N, 1 or 3, H, W).
        constants: the other inputs.
        output: the one with the colours.
        sha256: of each file that it was read from.
    """

    path: Path
    model: onnx.ModelProto
    input: Value
    constants: tuple[Value, ...]
    output: Value
    sha256: dict[str, str]

    @property
    def opset(self) -> int:
        """Version of ONNX's own operators."""
        return operator_set(self.model)

    @property
    def batch(self) -> int | None:
        """Pictures at once; None: any number."""
        return self.input.shape[0]


def load_network(path: Path, spec: NetworkSpec) -> Network:
    """Read an ONNX file.

    Raises:
        ExportError: no readable ONNX, too large for the memory, operators older than those of set
            9, or inputs and outputs that do not fit the spec.
    """
    model, hashes = read_model(path)
    if operator_set(model) < OLDEST_OPSET:
        raise ExportError(
            f"{path} uses operator set {operator_set(model)}; {OLDEST_OPSET} or newer was needed; "
            "export it with a newer opset_version"
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = {v.name: _value(v) for v in model.graph.input if v.name not in weights}
    outputs = {v.name: _value(v) for v in model.graph.output}
    missing = sorted(set(spec.constants) - set(inputs))
    if missing:
        raise ExportError(
            f"{path} has no input {missing[0]!r}, which the spec's constants name; its inputs are "
            f"{', '.join(inputs)}; mend the spec"
        )
    pictures = {name: v for name, v in inputs.items() if name not in spec.constants}
    picture = _chosen(path, "input", spec.input.name, pictures)
    if spec.input.name and len(pictures) > 1:
        raise ExportError(
            f"{path} also takes the inputs {', '.join(sorted(set(pictures) - {picture.name}))}; a "
            "number for each was needed in the spec's constants; add them"
        )
    network = Network(
        path=path,
        model=model,
        input=picture,
        constants=tuple(inputs[name] for name in spec.constants),
        output=_chosen(path, "output", spec.output.name, outputs),
        sha256=hashes,
    )
    _check_shapes(network, spec)
    return network


# ---- fitting the spec --------------------------------------------------------------------------


def _value(info: onnx.ValueInfoProto) -> Value:
    tensor = info.type.tensor_type
    # A free size has a name, nothing, or what some exporters write, 0 or -1; never 1 or more.
    sizes = (size.dim_value for size in tensor.shape.dim)
    return Value(info.name, tensor.elem_type, tuple(n if n > 0 else None for n in sizes))


def _chosen(path: Path, what: str, name: str, values: dict[str, Value]) -> Value:
    if name in values:
        return values[name]
    if name or len(values) != 1:
        came = f"has no {what} {name!r}" if name else f"has {len(values)} {what}s"
        raise ExportError(
            f"{path} {came}; its {what}s are {', '.join(values) or 'none'}; name one of them as "
            f"{what}.name in the spec"
            + (", and give the others a number in its constants" if what == "input" else "")
        )
    return next(iter(values.values()))


def _check_shapes(network: Network, spec: NetworkSpec) -> None:
    channels = {"lightness": 1, "grey-rgb": 3, "ab": 2, "rgb": 3}
    for what, kind, value in (
        ("input", spec.input.kind, network.input),
        ("output", spec.output.kind, network.output),
    ):
        if value.type not in FLOATS:
            raise ExportError(
                f"{network.path} has the {what} {value.name!r} of type {_named(value.type)}; "
                "float32, float16 or float64 was needed; export it with one of these"
            )
        shape, needed = value.shape, channels[kind]
        undeclared = what == "output" and not shape  # the first run tells
        if not undeclared and (len(shape) != 4 or shape[1] not in (None, needed)):
            raise ExportError(
                f"{network.path} has the {what} {value.name!r} of shape {shown(shape)}; (N, "
                f"{needed}, H, W) was needed for the kind {kind!r}; mend the spec or the export"
            )
    if network.batch not in (None, 1):
        raise ExportError(
            f"{network.path} takes {network.batch} pictures at a time; a free number or 1 was "
            "needed; export it so"
        )
    _check_size(network, spec)
    for constant in network.constants:
        unfit = constant.type not in FLOATS or len(constant.shape) != 4
        if unfit or constant.shape[1] is None:
            raise ExportError(
                f"{network.path} has the input {constant.name!r} of shape {shown(constant.shape)} "
                "for a constant; (N, C, H, W) of floats with a stated C was needed; export it so"
            )


def _check_size(network: Network, spec: NetworkSpec) -> None:
    size = network.input.shape[2:]
    fixed: tuple[int, ...] = spec.size.fixed
    if fixed == (0, 0):
        if None not in size:
            raise ExportError(
                f"{network.path} takes pictures of {size[0]}x{size[1]} alone; free axes H and W "
                f"were needed; export it with dynamic axes, or state size.fixed = {list(size)} in "
                "the spec"
            )
        if size != (None, None):
            raise ExportError(
                f"{network.path} has the input {network.input.name!r} of shape "
                f"{shown(network.input.shape)}; both of H and W free or both fixed were needed; "
                "export it so"
            )
    elif any(side not in (None, wanted) for side, wanted in zip(size, fixed, strict=True)):
        raise ExportError(
            f"{network.path} takes pictures of {shown(size)}, the spec says {list(fixed)}; the "
            "same was needed; mend the spec"
        )


def _named(kind: int) -> str:
    try:
        return helper.tensor_dtype_to_string(kind).removeprefix("TensorProto.")
    except KeyError:
        return f"number {kind}"


def shown(shape: tuple[int | None, ...]) -> str:
    """A shape for people, free sizes as "?"."""
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"

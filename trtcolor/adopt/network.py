"""Somebody's ONNX file: read with care, and its inputs and output found as the spec says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, external_data_helper, helper

from trtcolor.adopt.spec import NetworkSpec
from trtcolor.bundle import file_sha256
from trtcolor.errors import ExportError

MEMORY_FACTOR = 4
"""The weights are in memory as read, as written, and in two sessions that are compared."""
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
    model, hashes = _read(path)
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


def operator_set(model: onnx.ModelProto) -> int:
    """Version of ONNX's own operators that a model uses; 0: none."""
    versions = (o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    return max(versions, default=0)


def all_graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and all that are inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from all_graphs(attribute.g)
            for inner in attribute.graphs:
                yield from all_graphs(inner)


def all_names(graph: onnx.GraphProto) -> Iterator[str]:
    """Names of all nodes and tensors in a graph."""
    for inner in all_graphs(graph):
        for node in inner.node:
            yield from (node.name, *node.input, *node.output)
        yield from (value.name for value in (*inner.input, *inner.output))
        yield from (tensor.name for tensor in weights_of(inner))


def weights_of(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    return [*graph.initializer, *(tensor.values for tensor in graph.sparse_initializer)]


# ---- reading -----------------------------------------------------------------------------------


def _read(path: Path) -> tuple[onnx.ModelProto, dict[str, str]]:
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
        _check_start(path, start)
        _check_memory(path, path.stat().st_size)
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise ExportError(
            f"{path} is not readable ({error.strerror or error}); an ONNX file was needed; check "
            "the path"
        ) from None
    except (DecodeError, ValueError) as error:
        raise _no_onnx(path, str(error)) from None
    if not model.graph.node or not model.ir_version:
        raise _no_onnx(path, "it holds no graph")
    if any(isinstance(name, bytes) for name in all_names(model.graph)):
        raise _no_onnx(path, "names in it are no text")
    return model, {path.name: file_sha256(path)} | _load_weights(path, model)


def _check_start(path: Path, start: bytes) -> None:
    if start[:2] == b"PK" or start[:1] == b"\x80":
        raise _no_onnx(path, "it looks like a PyTorch checkpoint or a pickle, which is not opened")
    if not start:
        raise _no_onnx(path, "it is empty")


def _no_onnx(path: Path, why: str) -> ExportError:
    return ExportError(
        f"{path} is no ONNX file ({' '.join(why.split())}); one was needed; write it with the "
        "network's own code and torch.onnx.export"
    )


def _load_weights(path: Path, model: onnx.ModelProto) -> dict[str, str]:
    """Read weights in files beside the model into it; the files' SHA-256 by name."""
    files: set[str] = set()
    for graph in all_graphs(model.graph):
        for tensor in graph.initializer:
            if external_data_helper.uses_external_data(tensor):
                files.add(external_data_helper.ExternalDataInfo(tensor).location)
    try:
        sizes = [(path.parent / name).stat().st_size for name in files]
        _check_memory(path, path.stat().st_size + sum(sizes))
        external_data_helper.load_external_data_for_model(model, str(path.parent))
        return {name: file_sha256(path.parent / name) for name in sorted(files)}
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ExportError(
            f"{path} keeps weights in {', '.join(sorted(files)) or 'other files'}, which did not "
            f"load ({' '.join(str(error).split())}); that file was needed beside it; copy it there"
        ) from None


def _check_memory(path: Path, size: int) -> None:
    free = available_memory()
    if free is not None and MEMORY_FACTOR * size > free:
        raise ExportError(
            f"{path} and its weights have {size / 1e9:.1f} GB and {free / 1e9:.1f} GB of memory "
            f"are free; {MEMORY_FACTOR} times their size was needed; use a machine with more"
        )


def available_memory() -> int | None:
    """Bytes that can be taken without swapping; None: unknown."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


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

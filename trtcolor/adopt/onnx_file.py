"""Somebody's ONNX file read with care: what is none, or does not fit the memory, is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import external_data_helper

from trtcolor.bundle import file_sha256
from trtcolor.errors import ExportError

MEMORY_FACTOR = 6
"""The weights are in memory as read, as wrapped, and twice in each of the two sessions: 5.2 times
their size was measured for the 129 MB of ECCV16."""


def read_model(path: Path) -> tuple[onnx.ModelProto, dict[str, str]]:
    """Read an ONNX file, weights in files beside it included.

    Returns:
        The model, all of it in memory, and the SHA-256 of each file by its name.

    Raises:
        ExportError: not readable, no ONNX, or too large for the memory.
    """
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


# ---- walking a model ----------------------------------------------------------------------------


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


def rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors other names, wherever they are spoken of."""
    for inner in all_graphs(graph):
        for node in inner.node:
            for uses in (node.input, node.output):
                for index, name in enumerate(uses):
                    uses[index] = names.get(name, name)
        for value in (*inner.input, *inner.output):
            value.name = names.get(value.name, value.name)
        for tensor in weights_of(inner):
            tensor.name = names.get(tensor.name, tensor.name)

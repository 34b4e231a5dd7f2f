"""A folded network as ONNX graphs whose weights share one file.

``local``, ``global`` and ``joint`` (DESIGN.md, "A model is a bundle") are traced by torch's
exporter; then every weight of some size moves to ``weights.bin`` (weights.py).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from trtcolor.errors import ExportError
from trtcolor.spec import LARGEST_SIDE
from trtcolor_train.decoder import BinCoding
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.weights import SharedWeights

GraphNames = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""(input names, output names) by graph name."""


class LocalGraph(nn.Module):
    """lightness (N, 1, H, W) [, global_features (N, G)] -> chroma (N, 2, H/s, W/s) [, bin_logits].

    ``bin_logits`` (N, Q, H/s, W/s) are the scores of a classifier's colour bins.
    """

    def __init__(self, network: ColorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, lightness: Tensor, global_features: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        output = self.network.paint(lightness, global_features)
        return _colors(self.network, output, lightness)


class GlobalGraph(nn.Module):
    """lightness (N, 1, S, S) -> global_features (N, G) [, class_logits (N, C)]."""

    def __init__(self, network: ColorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        features, logits = self.network.describe(lightness)
        return (features,) if logits is None else (features, logits)


class JointGraph(nn.Module):
    """lightness (N, 1, S, S) -> the local graph's outputs, the global one's; low level once."""

    def __init__(self, network: ColorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        output, *described = self.network(lightness)
        pooled = (part for part in described if part is not None)
        return *_colors(self.network, output, lightness), *pooled


def _colors(network: ColorNetwork, output: Tensor, lightness: Tensor) -> tuple[Tensor, ...]:
    chroma = network.decode(output, lightness)
    return (chroma, output) if isinstance(network.coding, BinCoding) else (chroma,)


def write_graphs(network: ColorNetwork, folder: Path, precision: str) -> GraphNames:
    """Write ``local.onnx``, with global features also ``global.onnx`` and ``joint.onnx``.

    Args:
        network: folded, on the CPU, in evaluation mode, `rounded` for ``float16``.
        folder: exists, empty.
        precision: storage of the weights, ``float32`` or ``float16``; graphs compute in float32.

    Raises:
        ExportError: batch norm is left in a graph.
    """
    d = network.dimensions
    side = d.training_size
    colors = ("chroma", "bin_logits")[: 2 if isinstance(network.coding, BinCoding) else 1]
    pooled = ("global_features", "class_logits")[: 2 if d.classes else 1]
    names: GraphNames = {}
    weights = SharedWeights(precision)
    graphs: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {}
    # The traced sizes differ from each other, or the exporter takes them for one and the same.
    lightness = torch.full((2, 1, 3 * d.multiple, 5 * d.multiple), 50.0)
    if d.global_width:
        square = torch.full((2, 1, side, side), 50.0)
        features = torch.zeros(2, d.global_width)
        graphs["local"] = LocalGraph(network), (lightness, features)
        graphs["global"] = GlobalGraph(network), (square,)
        graphs["joint"] = JointGraph(network), (square,)
        names["local"] = ("lightness", "global_features"), colors
        names["global"] = ("lightness",), pooled
        names["joint"] = ("lightness",), (*colors, *pooled)
    else:
        graphs["local"] = LocalGraph(network), (lightness,)
        names["local"] = ("lightness",), colors
    for name, (module, example) in graphs.items():
        model = _trace(module.eval(), example, *names[name], multiple=d.multiple)
        _name_shapes(model, name, d.chroma_scale)
        if any(node.op_type == "BatchNormalization" for node in model.graph.node):
            raise ExportError(
                f"graph {name!r} still holds a BatchNormalization; all folded was needed; report "
                "this as a fault of trtcolor"
            )
        _forget_origin(model)
        weights.take_from(model)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    weights.write(folder)
    for name in graphs:
        onnx.checker.check_model(str(folder / f"{name}.onnx"))
    return names


def _trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    *,
    multiple: int,
) -> onnx.ModelProto:
    batch = Dim("batch", min=1, max=4096)
    shapes: dict[str, Mapping[int, Any]] = {name: {0: batch} for name in inputs}
    if isinstance(module, LocalGraph):
        rows = Dim("rows", min=1, max=LARGEST_SIDE // multiple)
        columns = Dim("columns", min=1, max=LARGEST_SIDE // multiple)
        shapes["lightness"] = {0: batch, 2: multiple * rows, 3: multiple * columns}
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it lists torchvision's missing operators
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=shapes,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
    assert program is not None
    return program.model_proto


def _name_shapes(model: onnx.ModelProto, graph: str, scale: int) -> None:
    """Give the free dimensions readable names instead of the exporter's (s39, 4*rows)."""
    grid = ("H", "W") if scale == 1 else (f"H/{scale}", f"W/{scale}")
    free = {
        "lightness": ("N", None, "H", "W"),
        "chroma": ("N", None, *grid),
        "bin_logits": ("N", None, *grid),
    }
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        wanted = free.get(value.name, ("N",))
        for dim, name in zip(dims, wanted, strict=False):
            if name is not None and (name == "N" or graph == "local"):
                dim.dim_param = name
    del model.graph.value_info[:]


def _forget_origin(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of the source: stack traces with this machine's paths."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]

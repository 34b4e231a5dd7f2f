"""A folded network as ONNX graphs whose weights share one file.

``local``, ``global`` and ``joint`` (DESIGN.md, "A model is a bundle") are traced by torch's
exporter; then every weight of some size moves to ``weights.bin``, once, however many graphs use it.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from trtcolor.errors import ExportError
from trtcolor_train.models.iizuka import JointNetwork

WEIGHTS_FILE = "weights.bin"
# Biases and scalars stay in the graph: they are small, and rounding them gains nothing.
MIN_SHARED_BYTES = 2048
ALIGNMENT = 64
# The exporter wants bounds for its free sizes; beyond this no picture is met.
LARGEST_SIDE = 16384


class LocalGraph(nn.Module):
    """lightness (N, 1, H, W) [, global_features (N, G)] -> chroma (N, 2, H/s, W/s)."""

    def __init__(self, network: JointNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        network = self.network
        return network.colorize(network.low(network.normalise(lightness)), global_features)


class GlobalGraph(nn.Module):
    """lightness (N, 1, S, S) -> global_features (N, G) [, class_logits (N, C)]."""

    def __init__(self, network: JointNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        network = self.network
        features, logits = network.describe(network.low(network.normalise(lightness)))
        return (features,) if logits is None else (features, logits)


class JointGraph(nn.Module):
    """lightness (N, 1, S, S) -> chroma, global_features [, class_logits], low level once."""

    def __init__(self, network: JointNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        return tuple(output for output in self.network(lightness) if output is not None)


class SharedWeights:
    """The content of ``weights.bin``: each distinct array once, aligned.

    Args:
        precision: ``float32`` or ``float16``, how arrays are stored.
    """

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self._offsets: dict[bytes, int] = {}
        self._content = bytearray()

    def add(self, array: np.ndarray[Any, Any]) -> tuple[int, int]:
        """Offset and length in bytes of an array's stored form.

        Raises:
            ExportError: a weight beyond float16's range.
        """
        stored = array.astype(np.dtype(self.precision))
        if not np.isfinite(stored).all():
            raise ExportError(
                f"a weight of {np.abs(array).max():g} does not fit {self.precision}; one below "
                "65504 was needed; export with --precision float32"
            )
        data = stored.tobytes()
        key = hashlib.sha256(data).digest()
        if key not in self._offsets:
            self._content.extend(bytes(-len(self._content) % ALIGNMENT))
            self._offsets[key] = len(self._content)
            self._content.extend(data)
        return self._offsets[key], len(data)

    def write(self, folder: Path) -> None:
        """Write ``weights.bin``."""
        (folder / WEIGHTS_FILE).write_bytes(self._content)


def write_graphs(
    network: JointNetwork, folder: Path, precision: str
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Write ``local.onnx``, with global features also ``global.onnx`` and ``joint.onnx``.

    Args:
        network: folded, on the CPU, in evaluation mode.
        folder: exists, empty.
        precision: storage of the weights, ``float32`` or ``float16``; graphs compute in float32.

    Returns:
        (input names, output names) by graph name.

    Raises:
        ExportError: a weight does not fit the precision, or batch norm is left in a graph.
    """
    d = network.dimensions
    side = d.training_size
    pooled = ("global_features", "class_logits")[: 2 if d.classes else 1]
    names: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    weights = SharedWeights(precision)
    graphs: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {}
    # The traced sizes differ from each other, or the exporter takes them for one and the same.
    lightness = torch.full((2, 1, 3 * d.low_stride, 5 * d.low_stride), 50.0)
    if d.has_global:
        square = torch.full((2, 1, side, side), 50.0)
        features = torch.zeros(2, d.global_layers[-1])
        graphs["local"] = LocalGraph(network), (lightness, features)
        graphs["global"] = GlobalGraph(network), (square,)
        graphs["joint"] = JointGraph(network), (square,)
        names["local"] = ("lightness", "global_features"), ("chroma",)
        names["global"] = ("lightness",), pooled
        names["joint"] = ("lightness",), ("chroma", *pooled)
    else:
        graphs["local"] = LocalGraph(network), (lightness,)
        names["local"] = ("lightness",), ("chroma",)
    for name, (module, example) in graphs.items():
        model = _trace(module.eval(), example, *names[name], low_stride=d.low_stride)
        _name_shapes(model, name, d.chroma_scale)
        if any(node.op_type == "BatchNormalization" for node in model.graph.node):
            raise ExportError(
                f"graph {name!r} still holds a BatchNormalization; all folded was needed; report "
                "this as a fault of trtcolor"
            )
        _forget_origin(model)
        _share_weights(model, weights)
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
    low_stride: int,
) -> onnx.ModelProto:
    batch = Dim("batch", min=1, max=4096)
    shapes: dict[str, Mapping[int, Any]] = {name: {0: batch} for name in inputs}
    if isinstance(module, LocalGraph):
        rows = Dim("rows", min=1, max=LARGEST_SIDE // low_stride)
        columns = Dim("columns", min=1, max=LARGEST_SIDE // low_stride)
        shapes["lightness"] = {0: batch, 2: low_stride * rows, 3: low_stride * columns}
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
    free = {
        "lightness": ("N", None, "H", "W"),
        "chroma": ("N", None, f"H/{scale}", f"W/{scale}"),
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


def _share_weights(model: onnx.ModelProto, weights: SharedWeights) -> None:
    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        if array.dtype != np.float32 or array.nbytes < MIN_SHARED_BYTES:
            continue
        offset, length = weights.add(array)
        name = initializer.name
        if weights.precision == "float16":
            # The file holds halves; the graph widens them before anything else sees them.
            initializer.name = f"{name}.float16"
            initializer.data_type = TensorProto.FLOAT16
            casts.append(helper.make_node("Cast", [initializer.name], [name], to=TensorProto.FLOAT))
        initializer.ClearField("raw_data")
        initializer.ClearField("float_data")
        initializer.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS_FILE), ("offset", offset), ("length", length)):
            initializer.external_data.add(key=key, value=str(value))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)

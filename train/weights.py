"""Weights in a bundle: one file that all of its graphs refer to, as floats or as halves."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from trtcolor.errors import ExportError
from trtcolor_train.models.network import ColorNetwork

WEIGHTS_FILE = "weights.bin"
# Biases and scalars stay in the graph: they are small, and rounding them gains nothing.
MIN_SHARED_BYTES = 2048
ALIGNMENT = 64
FLOAT16_MAX = float(torch.finfo(torch.float16).max)


@torch.no_grad()
def rounded(network: ColorNetwork) -> ColorNetwork:
    """A copy whose weights, all but the small ones, are numbers that float16 holds.

    Buffers (the centres of colour bins) stay as they are.

    Raises:
        ExportError: a weight beyond float16's range.
    """
    if not fits_float16(network):
        largest = max(parameter.abs().max().item() for parameter in network.parameters())
        raise ExportError(
            f"a weight of {largest:g} does not fit float16; {FLOAT16_MAX:g} at most was needed; "
            "export with --precision float32"
        )
    copied = copy.deepcopy(network)
    for parameter in _large(copied):
        parameter.copy_(parameter.half())
    return copied


def fits_float16(network: ColorNetwork) -> bool:
    """Whether `rounded` can round the network."""
    return all(parameter.abs().max().item() <= FLOAT16_MAX for parameter in _large(network))


def _large(network: ColorNetwork) -> list[nn.Parameter]:
    return [p for p in network.parameters() if p.numel() * p.element_size() >= MIN_SHARED_BYTES]


class SharedWeights:
    """The content of ``weights.bin``: each distinct array once, aligned.

    Args:
        precision: ``float16`` stores arrays as halves where these hold them exactly, as they do
            the weights of a `rounded` network but not what the exporter computed from constants;
            ``float32`` stores them as they are.
    """

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self._offsets: dict[bytes, int] = {}
        self._content = bytearray()

    def take_from(self, model: onnx.ModelProto) -> None:
        """Move a graph's weights of some size here; the graph is left with references."""
        graph = model.graph
        casts = []
        for initializer in graph.initializer:
            array = numpy_helper.to_array(initializer)
            if array.dtype != np.float32 or array.nbytes < MIN_SHARED_BYTES:
                continue
            offset, length, halved = self._add(array)
            name = initializer.name
            if halved:
                # The file holds halves; the graph widens them before anything else sees them.
                initializer.name = f"{name}.float16"
                initializer.data_type = TensorProto.FLOAT16
                casts.append(
                    helper.make_node("Cast", [initializer.name], [name], to=TensorProto.FLOAT)
                )
            initializer.ClearField("raw_data")
            initializer.ClearField("float_data")
            initializer.data_location = TensorProto.EXTERNAL
            for key, value in (("location", WEIGHTS_FILE), ("offset", offset), ("length", length)):
                initializer.external_data.add(key=key, value=str(value))
        nodes = [*casts, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)

    def write(self, folder: Path) -> None:
        """Write ``weights.bin``."""
        (folder / WEIGHTS_FILE).write_bytes(self._content)

    def _add(self, array: NDArray[np.float32]) -> tuple[int, int, bool]:
        """Offset and length in bytes of an array's stored form, and whether that is halves."""
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        halved = self.precision == "float16" and bool((half == array).all())
        data = (half if halved else array).tobytes()
        key = hashlib.sha256(data).digest()
        if key not in self._offsets:
            self._content.extend(bytes(-len(self._content) % ALIGNMENT))
            self._offsets[key] = len(self._content)
            self._content.extend(data)
        return self._offsets[key], len(data), halved

"""int8 by QuantizeLinear and DequantizeLinear around a graph's layers, of two forms.

``tensorrt``: signed and symmetric activations and weights, weights per channel, no quantised bias,
and nothing behind a layer, whose sums stay float32: the only form that its parser takes.
``cpu``: unsigned activations, signed weights per channel, results quantised too, so that ONNX
Runtime and OpenVINO run whole stretches on integers; signed activations are 2.5 times slower there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from trtcolor.precision.parts import layers
from trtcolor.precision.plain import raised

Form = Literal["tensorrt", "cpu"]
Inputs = dict[str, NDArray[np.float32]]

QUANTISED = ("Conv", "Gemm")
PER_CHANNEL_OPSET = 13
"""The first in which a DequantizeLinear has a scale for each channel."""


def quantisable(model: onnx.ModelProto) -> list[str]:
    """Names of the layers that `int8_graph` may quantise, in order."""
    return [node.name for node in layers(model) if node.op_type in QUANTISED]


def calibrate(model: onnx.ModelProto, inputs: Iterable[Inputs]) -> Any:
    """The least and the largest number in each tensor beside a layer.

    Args:
        model: plain (`trtcolor.precision.plain`).
        inputs: what the graph is given for each picture.

    Returns:
        ONNX Runtime's TensorsData, for `int8_graph`.
    """
    from onnxruntime.quantization.calibrate import create_calibrator

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.onnx"
        onnx.save(model, path)
        calibrator = create_calibrator(
            path, QUANTISED, augmented_model_path=str(Path(folder) / "augmented.onnx")
        )
        calibrator.collect_data(_Reader(iter(inputs)))
        return calibrator.compute_data()


class _Reader:
    """What ONNX Runtime's calibration draws from."""

    def __init__(self, inputs: Iterator[Inputs]) -> None:
        self._inputs = inputs

    def get_next(self) -> Inputs | None:
        return next(self._inputs, None)


def int8_graph(
    model: onnx.ModelProto,
    ranges: Any,
    form: Form,
    *,
    float_nodes: Collection[str] = (),
) -> onnx.ModelProto:
    """A plain graph with its convolutions and linear layers in int8.

    Args:
        model: from `trtcolor.precision.plain.plain_graph`; left as it is.
        ranges: from `calibrate`, of the same graph.
        form: ``tensorrt`` or ``cpu``.
        float_nodes: layers that stay in float32; what stands around the network always does.

    Returns:
        The graph; `model` itself where no layer is left to quantise.
    """
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    chosen = [name for name in quantisable(model) if name not in float_nodes]
    if not chosen:
        return model
    copied = onnx.ModelProto()
    copied.CopyFrom(raised(model, PER_CHANNEL_OPSET))
    options: dict[str, Any] = {}
    if form == "tensorrt":
        options |= {
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "OpTypesToExcludeOutputQuantization": list(QUANTISED),
        }
    quantizer = QDQQuantizer(
        copied,
        True,  # per channel
        False,  # the whole range
        QuantType.QInt8,
        QuantType.QInt8 if form == "tensorrt" else QuantType.QUInt8,
        ranges,
        chosen,
        [],
        list(QUANTISED),
        options,
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: onnx.ModelProto = quantizer.model.model
    return result

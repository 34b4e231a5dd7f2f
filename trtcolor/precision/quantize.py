"""int8 by QuantizeLinear and DequantizeLinear around a graph's layers, of two forms.

``tensorrt``: signed and symmetric activations and weights, weights per channel, no quantised bias,
and nothing behind a layer, whose sums stay float32: the only form that its parser takes.
``cpu``: unsigned activations, signed weights per channel, results quantised too, so that ONNX
Runtime and OpenVINO run whole stretches on integers; signed activations are 2.5 times slower there.
What stands between two layers (`between`) works on the same integers. A ReLU is no operator of its
own then: the zero of its result's range is the least number that there is, and what is below gets
it. Quantised once before and once behind the ReLU, maps went through float32 for every layer (1.15
times the time in ONNX Runtime, 1.9 in OpenVINO) and lost half of their steps to negative numbers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from trtcolor.precision.parts import around, layers
from trtcolor.precision.plain import raised

Form = Literal["tensorrt", "cpu"]
Inputs = dict[str, NDArray[np.float32]]

QUANTISED = ("Conv", "Gemm")
BETWEEN = ("Relu", "Add", "Resize", "MaxPool")
PER_CHANNEL_OPSET = 13
"""The first in which a DequantizeLinear has a scale for each channel."""


def quantisable(model: onnx.ModelProto) -> list[str]:
    """Names of the layers that `int8_graph` may quantise, in order."""
    return [node.name for node in layers(model) if node.op_type in QUANTISED]


def between(model: onnx.ModelProto, chosen: Collection[str]) -> list[str]:
    """Names of the nodes that may go on working on the integers of layers before them, in order.

    They are ReLUs, nearest-neighbour upsamples, maxima, and sums of a layer's result and another
    map.

    Args:
        model: plain.
        chosen: the layers that are quantised.
    """
    outside = around(model)
    made = {name for node in model.graph.node if node.name in chosen for name in node.output}
    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if node.op_type in BETWEEN
        and node.name not in outside
        and (node.op_type != "Add" or _is_sum_of_maps(node, made, constants))
        and (node.op_type != "Resize" or _is_nearest(node))
    ]


def _is_sum_of_maps(add: onnx.NodeProto, made: set[str], constants: set[str]) -> bool:
    return constants.isdisjoint(add.input) and not made.isdisjoint(add.input)


def _is_nearest(resize: onnx.NodeProto) -> bool:
    return all(entry.s == b"nearest" for entry in resize.attribute if entry.name == "mode")


def calibrate(model: onnx.ModelProto, inputs: Iterable[Inputs], form: Form) -> Any:
    """The least and the largest number in each tensor beside a layer.

    Args:
        model: plain (`trtcolor.precision.plain`).
        inputs: what the graph is given for each picture.
        form: ``tensorrt`` or ``cpu``, which needs the tensors beside `between` too.

    Returns:
        ONNX Runtime's TensorsData, for `int8_graph`.
    """
    from onnxruntime.quantization.calibrate import create_calibrator

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.onnx"
        onnx.save(model, path)
        calibrator = create_calibrator(
            path, _operators(form), augmented_model_path=str(Path(folder) / "augmented.onnx")
        )
        calibrator.collect_data(_Reader(iter(inputs)))
        return calibrator.compute_data()


def _operators(form: Form) -> tuple[str, ...]:
    return QUANTISED if form == "tensorrt" else QUANTISED + BETWEEN


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
        ranges: from `calibrate`, of the same graph in the same form.
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
    else:
        chosen += between(model, chosen)
    quantizer = QDQQuantizer(
        copied,
        True,  # per channel
        False,  # the whole range
        QuantType.QInt8,
        QuantType.QInt8 if form == "tensorrt" else QuantType.QUInt8,
        ranges,
        chosen,
        [],
        list(_operators(form)),
        options,
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: onnx.ModelProto = quantizer.model.model
    return result

"""The ``config.pbtxt`` of a model, and of the ensemble that hands tensors from one to the next.

What the server holds against it: every tensor's name, type and shape as the ONNX file has them
(onnxruntime_backend, `ValidateInputs`), the first axis left out, which is the batch where
``max_batch_size`` is not 0; an ensemble has neither instances nor warm-up, and allows no larger
batch than its steps (core, `ValidateEnsembleConfig`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trtcolor.triton.serving import Serving, Size
from trtcolor.triton.text_format import Enum, Message, entries

if TYPE_CHECKING:
    import onnx

VARIABLE = -1
"""Length of an axis that each request sets."""
MODEL_FILE = "model.onnx"
HEURISTIC = "1"
"""Of cuDNN's search for a convolution's algorithm: the default, exhaustive, times all of them anew
for every size of frame that comes."""


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
        type: in the configuration's words, as ``TYPE_UINT8``.
        dims: without the batch; `VARIABLE` where a request sets it.
        labels: name of the file beside the configuration that names its classes.
    """

    name: str
    type: str
    dims: tuple[int, ...]
    labels: str | None = None


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out, in the graph's order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class Step:
    """A model that an ensemble runs, whose tensors have the same names in both."""

    model: str
    signature: Signature


def signature_of(model: onnx.ModelProto, labels: Mapping[str, str] | None = None) -> Signature:
    """The signature of an ONNX model whose tensors all begin with a variable axis, the batch.

    Args:
        model: its graph is looked at.
        labels: files with the names of classes, by the output that scores them.

    Raises:
        ValueError: one does not, and the server could not make batches.
    """
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = tuple(_tensor(value) for value in graph.input if value.name not in weights)
    files = labels or {}
    outputs = (replace(_tensor(value), labels=files.get(value.name)) for value in graph.output)
    return Signature(inputs, tuple(outputs))


def joined(steps: Sequence[Step], outputs: Sequence[str]) -> Signature:
    """The signature of an ensemble.

    Args:
        steps: in the order in which they run.
        outputs: of any step, those that the ensemble gives out, as far as there are any such.
    """
    made = {t.name: t for step in steps for t in step.signature.outputs}
    taken = {t.name: t for step in steps for t in step.signature.inputs if t.name not in made}
    return Signature(tuple(taken.values()), tuple(made[name] for name in outputs if name in made))


def model_config(
    name: str, signature: Signature, serving: Serving, origin: Mapping[str, str]
) -> Message:
    """Of an ONNX model.

    Args:
        origin: what to keep beside it as parameters, which the server shows and does not read.
    """
    parameters = dict(origin)
    if serving.kind != "cpu":
        parameters["cudnn_conv_algo_search"] = HEURISTIC
    return {
        "name": name,
        "backend": "onnxruntime",
        "platform": "onnxruntime_onnx",
        "default_model_filename": MODEL_FILE,
        "max_batch_size": serving.max_batch,
        **_tensors(signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "instance_group": [
            {"count": serving.instances, "kind": Enum(f"KIND_{serving.kind.upper()}")}
        ],
        "dynamic_batching": {
            "preferred_batch_size": serving.preferred,
            "max_queue_delay_microseconds": serving.queue_delay,
        },
        "response_cache": {"enable": False},
        "model_warmup": list(_warm_up(signature, serving)),
        "parameters": _parameters(parameters),
    }


def ensemble_config(
    name: str,
    steps: Sequence[Step],
    signature: Signature,
    max_batch: int,
    origin: Mapping[str, str],
) -> Message:
    """Of a model that only runs others.

    Args:
        steps: each takes what the ensemble is given or what steps before it give.
        signature: of the whole.
    """
    return {
        "name": name,
        "platform": "ensemble",
        "max_batch_size": max_batch,
        **_tensors(signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "ensemble_scheduling": {"step": [_step(step) for step in steps]},
        "response_cache": {"enable": False},
        "parameters": _parameters(origin),
    }


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    from onnx import TensorProto

    kind = value.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else VARIABLE for dim in kind.shape.dim]
    if not dims or dims[0] != VARIABLE:
        raise ValueError(
            f"the graph's {value.name!r} has the shape {dims}; a variable first axis was needed "
            "for batches; export the model again"
        )
    types: dict[int, str] = {TensorProto.UINT8: "TYPE_UINT8", TensorProto.FLOAT: "TYPE_FP32"}
    return Tensor(value.name, types[kind.elem_type], tuple(dims[1:]))


def _tensors(signature: Signature) -> Message:
    inputs = [_described(tensor) for tensor in signature.inputs]
    return {"input": inputs, "output": [_described(tensor) for tensor in signature.outputs]}


def _described(tensor: Tensor) -> Message:
    labels: Message = {} if tensor.labels is None else {"label_filename": tensor.labels}
    return {"name": tensor.name, "data_type": Enum(tensor.type), "dims": tensor.dims, **labels}


def _warm_up(signature: Signature, serving: Serving) -> Iterable[Message]:
    for height, width in serving.warm_up:
        for batch in sorted({1, serving.max_batch}):
            inputs = {t.name: _black(t, (height, width)) for t in signature.inputs}
            yield {
                "name": f"{batch} of {width}x{height}",
                "batch_size": batch,
                "inputs": entries(inputs),
            }


def _black(tensor: Tensor, size: Size) -> Message:
    """Zeros; the variable axes of frames are their height and width, and nothing else has any."""
    sides = iter(size)
    dims = [next(sides) if dim == VARIABLE else dim for dim in tensor.dims]
    return {"data_type": Enum(tensor.type), "dims": dims, "zero_data": True}


def _step(step: Step) -> Message:
    return {
        "model_name": step.model,
        "model_version": -1,
        "input_map": entries({t.name: t.name for t in step.signature.inputs}),
        "output_map": entries({t.name: t.name for t in step.signature.outputs}),
    }


def _parameters(texts: Mapping[str, str]) -> list[Message]:
    return entries({key: {"string_value": value} for key, value in texts.items()})

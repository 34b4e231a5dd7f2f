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
RGB = 3
"""Channels of the frames that warm up a model which takes grey ones as well."""
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
    """What goes into a model and what comes out, in the graph's order.

    Attributes:
        batched: whether the server may make batches; if not, tensors have their first axis in
            `Tensor.dims`, of length 1.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batched: bool = True


@dataclass(frozen=True)
class Step:
    """A model that an ensemble runs, whose tensors have the same names in both."""

    model: str
    signature: Signature


def signature_of(model: onnx.ModelProto, labels: Mapping[str, str] | None = None) -> Signature:
    """The signature of an ONNX model, batched if every tensor begins with a variable axis.

    Args:
        model: its graph is looked at.
        labels: files with the names of classes, by the output that scores them.
    """
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [_tensor(value) for value in graph.input if value.name not in weights]
    files = labels or {}
    outputs = [replace(_tensor(value), labels=files.get(value.name)) for value in graph.output]
    batched = all(tensor.dims[0] == VARIABLE for tensor in (*inputs, *outputs))
    if batched:
        inputs, outputs = (
            [replace(tensor, dims=tensor.dims[1:]) for tensor in part] for part in (inputs, outputs)
        )
    return Signature(tuple(inputs), tuple(outputs), batched)


def joined(steps: Sequence[Step], outputs: Sequence[str]) -> Signature:
    """The signature of an ensemble.

    Args:
        steps: in the order in which they run.
        outputs: of any step, those that the ensemble gives out, as far as there are any such.
    """
    made = {t.name: t for step in steps for t in step.signature.outputs}
    taken = {t.name: t for step in steps for t in step.signature.inputs if t.name not in made}
    return Signature(
        tuple(taken.values()),
        tuple(made[name] for name in outputs if name in made),
        all(step.signature.batched for step in steps),
    )


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
        "max_batch_size": serving.max_batch if signature.batched else 0,
        **_tensors(signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "instance_group": [
            {"count": serving.instances, "kind": Enum(f"KIND_{serving.kind.upper()}")}
        ],
        **({"dynamic_batching": _batching(serving)} if signature.batched else {}),
        "response_cache": {"enable": False},
        "model_warmup": list(_warm_up(signature, serving)),
        "parameters": _parameters(parameters),
    }


def ensemble_config(
    name: str,
    steps: Sequence[Step],
    signature: Signature,
    serving: Serving,
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
        "max_batch_size": serving.max_batch if signature.batched else 0,
        **_tensors(signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "ensemble_scheduling": {"step": [_step(step) for step in steps]},
        "response_cache": {"enable": False},
        "parameters": _parameters(origin),
    }


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    """With all its axes."""
    from onnx import TensorProto

    types: dict[int, str] = {TensorProto.UINT8: "TYPE_UINT8", TensorProto.FLOAT: "TYPE_FP32"}
    kind = value.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else VARIABLE for dim in kind.shape.dim]
    return Tensor(value.name, types[kind.elem_type], tuple(dims))


def _batching(serving: Serving) -> Message:
    return {
        "preferred_batch_size": serving.preferred,
        "max_queue_delay_microseconds": serving.queue_delay,
    }


def _tensors(signature: Signature) -> Message:
    inputs = [_described(tensor) for tensor in signature.inputs]
    return {"input": inputs, "output": [_described(tensor) for tensor in signature.outputs]}


def _described(tensor: Tensor) -> Message:
    labels: Message = {} if tensor.labels is None else {"label_filename": tensor.labels}
    return {"name": tensor.name, "data_type": Enum(tensor.type), "dims": tensor.dims, **labels}


def _warm_up(signature: Signature, serving: Serving) -> Iterable[Message]:
    batches = sorted({1, serving.max_batch}) if signature.batched else [1]
    for size in serving.warm_up:
        for batch in batches:
            yield {
                "name": f"{batch} of {size[1]}x{size[0]}",
                "batch_size": batch,
                "inputs": entries({t.name: _black(t, size) for t in signature.inputs}),
            }


def _black(tensor: Tensor, size: Size) -> Message:
    """Zeros; what varies of a frame are its height, its width and its channels."""
    lengths = iter((*size, RGB))
    dims = [next(lengths) if dim == VARIABLE else dim for dim in tensor.dims]
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

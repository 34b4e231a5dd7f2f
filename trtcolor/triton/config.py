"""The ``config.pbtxt`` of a model, and of the ensemble that hands tensors from one to the next.

What the server holds against it: every tensor's name, type and shape as the ONNX file has them
(onnxruntime_backend, `ValidateInputs`), the first axis left out, which is the batch where
``max_batch_size`` is not 0; an ensemble has neither instances nor warm-up, and allows no larger
batch than its steps (core, `ValidateEnsembleConfig`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtcolor.triton.serving import Serving, Size
from trtcolor.triton.signature import VARIABLE, Signature, Step, Tensor, signature_of
from trtcolor.triton.text_format import Enum, Message, entries

if TYPE_CHECKING:
    import onnx

RGB = 3
"""Channels of the frames that warm up a model which takes grey ones as well."""
SEARCH, HEURISTIC = "cudnn_conv_algo_search", "1"
"""How ONNX Runtime finds a convolution's algorithm: its default, exhaustive, times all of them anew
for every size of frame that comes."""

Shapes = Mapping[str, tuple[int, ...]]
"""``dims`` of a request's inputs, no axis variable."""


@dataclass(frozen=True)
class Runtime:
    """What of the server runs a model, and the file that it reads."""

    backend: str
    platform: str
    file: str


ONNX = Runtime("onnxruntime", "onnxruntime_onnx", "model.onnx")
PLAN = Runtime("tensorrt", "tensorrt_plan", "model.plan")


@dataclass(frozen=True)
class Model:
    """A model as it lies in a repository.

    Attributes:
        content: of its file.
        serving: how the server is to run it; `Serving.warm_up` is not looked at.
        warm_up: inputs of the requests that each instance runs first.
        profiles: of a plan, how many there are; the server uses only those that it is told.
    """

    runtime: Runtime
    content: bytes
    signature: Signature
    serving: Serving
    warm_up: Sequence[Shapes]
    profiles: int = 0

    @property
    def max_batch(self) -> int:
        """``max_batch_size``: 0 where the server makes no batches."""
        return self.serving.max_batch if self.signature.batched else 0


def onnx_model(
    model: onnx.ModelProto, serving: Serving, labels: Mapping[str, str] | None = None
) -> Model:
    """A model that ONNX Runtime runs, warmed up with black frames.

    Args:
        labels: as for `signature_of`.
    """
    signature = signature_of(model, labels)
    shapes = [{t.name: _filled(t, size) for t in signature.inputs} for size in serving.warm_up]
    return Model(ONNX, model.SerializeToString(), signature, serving, shapes)


def model_config(name: str, model: Model, origin: Mapping[str, str]) -> Message:
    """The configuration of a model.

    Args:
        origin: what to keep beside it as parameters, which the server shows and does not read.
    """
    serving, parameters = model.serving, dict(origin)
    if model.runtime == ONNX and serving.kind != "cpu":
        parameters[SEARCH] = HEURISTIC
    batching: Message = {
        "preferred_batch_size": serving.preferred,
        "max_queue_delay_microseconds": serving.queue_delay,
    }
    return {
        "name": name,
        "backend": model.runtime.backend,
        "platform": model.runtime.platform,
        "default_model_filename": model.runtime.file,
        "max_batch_size": model.max_batch,
        **_tensors(model.signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "instance_group": [
            {
                "count": serving.instances,
                "kind": Enum(f"KIND_{serving.kind.upper()}"),
                "profile": [str(number) for number in range(model.profiles)],
            }
        ],
        **({"dynamic_batching": batching} if model.signature.batched else {}),
        "response_cache": {"enable": False},
        "model_warmup": list(_warm_up(model)),
        "parameters": _parameters(parameters),
    }


def ensemble_config(
    name: str,
    steps: Sequence[Step],
    signature: Signature,
    max_batch: int,
    origin: Mapping[str, str],
) -> Message:
    """The configuration of a model that only runs others.

    Args:
        steps: each takes what the ensemble is given or what steps before it give.
        signature: of the whole, as from `trtcolor.triton.signature.joined`.
        max_batch: the least of its steps'.
        origin: as for `model_config`.
    """
    return {
        "name": name,
        "platform": "ensemble",
        "max_batch_size": max_batch if signature.batched else 0,
        **_tensors(signature),
        "version_policy": {"latest": {"num_versions": 1}},
        "ensemble_scheduling": {"step": [_step(step) for step in steps]},
        "response_cache": {"enable": False},
        "parameters": _parameters(origin),
    }


def _tensors(signature: Signature) -> Message:
    inputs = [_described(tensor) for tensor in signature.inputs]
    return {"input": inputs, "output": [_described(tensor) for tensor in signature.outputs]}


def _described(tensor: Tensor) -> Message:
    labels: Message = {} if tensor.labels is None else {"label_filename": tensor.labels}
    return {"name": tensor.name, "data_type": Enum(tensor.type), "dims": tensor.dims, **labels}


def _filled(tensor: Tensor, size: Size) -> tuple[int, ...]:
    """Its dims; what varies of a frame are its height, its width and its channels."""
    lengths = iter((*size, RGB))
    return tuple(next(lengths) if dim == VARIABLE else dim for dim in tensor.dims)


def _warm_up(model: Model) -> Iterable[Message]:
    """Requests of zeros, each alone and as the largest batch."""
    types = {tensor.name: Enum(tensor.type) for tensor in model.signature.inputs}
    for number, shapes in enumerate(model.warm_up, 1):
        for batch in sorted({1, model.max_batch or 1}):
            inputs: Mapping[str, Message] = {
                name: {"data_type": types[name], "dims": dims, "zero_data": True}
                for name, dims in shapes.items()
            }
            yield {
                "name": f"size {number}, batch {batch}",
                "batch_size": batch,
                "inputs": entries(inputs),
            }


def _step(step: Step) -> Message:
    return {
        "model_name": step.model,
        "model_version": -1,
        "input_map": entries({t.name: step.called(t) for t in step.signature.inputs}),
        "output_map": entries({t.name: step.called(t) for t in step.signature.outputs}),
    }


def _parameters(texts: Mapping[str, str]) -> list[Message]:
    return entries({key: {"string_value": value} for key, value in texts.items()})

"""What goes into a model of the server and what comes out, and how an ensemble ties them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

VARIABLE = -1
"""Length of an axis that each request sets."""


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
            `Tensor.dims`.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batched: bool = True


@dataclass(frozen=True)
class Step:
    """A model that an ensemble runs.

    Attributes:
        names: of its tensors in the ensemble, where they are others.
    """

    model: str
    signature: Signature
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, tensor: Tensor) -> str:
        """Its name in the ensemble."""
        return self.names.get(tensor.name, tensor.name)


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
    """The signature of an ensemble, batched if all its steps are.

    Args:
        steps: in the order in which they run.
        outputs: of any step, those that the ensemble gives out, as far as there are any such.
    """
    batched = all(step.signature.batched for step in steps)
    taken: dict[str, Tensor] = {}
    made: dict[str, Tensor] = {}
    for step in steps:
        batch = (VARIABLE,) if step.signature.batched and not batched else ()
        for tensors, found in ((step.signature.inputs, taken), (step.signature.outputs, made)):
            for tensor in tensors:
                name = step.called(tensor)
                found[name] = replace(tensor, name=name, dims=(*batch, *tensor.dims))
    inputs = tuple(tensor for name, tensor in taken.items() if name not in made)
    return Signature(inputs, tuple(made[name] for name in outputs if name in made), batched)


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    """With all its axes."""
    from onnx import TensorProto

    types: dict[int, str] = {TensorProto.UINT8: "TYPE_UINT8", TensorProto.FLOAT: "TYPE_FP32"}
    kind = value.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else VARIABLE for dim in kind.shape.dim]
    return Tensor(value.name, types[kind.elem_type], tuple(dims))

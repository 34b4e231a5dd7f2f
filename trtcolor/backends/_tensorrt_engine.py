"""One deserialised plan: what it takes and gives, and the sentences about what goes wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trtcolor.backends._profiles import Profile, Shape, engine_profiles
from trtcolor.backends._tensorrt import MODULES, Messages, deserialize
from trtcolor.backends._tensorrt_jit import Jit
from trtcolor.errors import BackendError, OutOfDeviceMemoryError

Casting = Literal["no", "same_kind"]
_NO_MEMORY = re.compile(r"out of ?memory|memory ?allocation|cudaErrorMemoryAllocation", re.I)
"""In what TensorRT logs when it gets no device memory."""


@dataclass(frozen=True)
class Engine:
    """A plan that is loaded.

    Attributes:
        title: of the module, with its version.
        graph: name.
        runtime, handle: ``IRuntime`` and ``ICudaEngine``; the one has to outlive the other.
        inputs, outputs: names, in the plan's order.
        types: dtype by name.
        profiles: of the inputs.
        jit: makes its contexts.
    """

    title: str
    graph: str
    runtime: Any
    handle: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    types: Mapping[str, np.dtype[Any]]
    profiles: Sequence[Profile]
    jit: Jit

    @classmethod
    def load(cls, api: Any, backend: str, graph: str, plan: bytes, jit: Jit) -> Engine:
        """Deserialise a plan; the calling thread uses the GPU that it is for.

        Raises:
            BackendError: it does not fit module, version or GPU, is damaged, or has an input or
                output that is not in device memory.
        """
        runtime, engine = deserialize(api, backend, graph, plan)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = tuple(n for n in names if engine.get_tensor_mode(n) == api.TensorIOMode.INPUT)
        title = f"{MODULES[backend].title} {api.__version__}"
        for name in names:
            if engine.is_shape_inference_io(name):
                raise BackendError(
                    f"the plan of graph {graph!r} has {name}, which {title} wants in the memory of "
                    "the CPU; tensors in device memory were needed; build the engine again"
                )
        return cls(
            title=title,
            graph=graph,
            runtime=runtime,
            handle=engine,
            inputs=inputs,
            outputs=tuple(name for name in names if name not in inputs),
            types={name: np.dtype(api.nptype(engine.get_tensor_dtype(name))) for name in names},
            profiles=engine_profiles(engine, inputs),
            jit=jit,
        )

    @property
    def largest_activation(self) -> int:
        """Bytes of memory that a run of any shape of any profile needs."""
        return int(self.handle.device_memory_size_v2)

    def named(self, shapes: Sequence[Shape]) -> dict[str, Shape]:
        """Shapes of the inputs by name, from those in the plan's order."""
        return dict(zip(self.inputs, shapes, strict=True))

    def check_names(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> None:
        """Raise BackendError unless these are all of its inputs and some of its outputs."""
        unknown = [name for name in outputs if name not in self.outputs]
        if set(inputs) != set(self.inputs) or unknown:
            raise BackendError(
                f"graph {self.graph!r} was given {', '.join(sorted(inputs)) or 'nothing'} and asked"
                f" for {', '.join(outputs) or 'nothing'}; it takes {', '.join(self.inputs)} and "
                f"gives {', '.join(self.outputs)}; check the inputs, or build the engine again"
            )

    def check_type(self, name: str, dtype: np.dtype[Any], casting: Casting) -> None:
        """Raise BackendError unless an array of a dtype may stand for an input or output."""
        if not np.can_cast(dtype, self.types[name], casting):
            raise BackendError(
                f"graph {self.graph!r} was given {name} as {dtype}; {self.types[name]} was needed; "
                "convert it"
            )

    def bytes_of(self, name: str, shape: Shape) -> int:
        """Size of an input or output."""
        return math.prod(shape) * self.types[name].itemsize

    def need(self, done: bool, messages: Messages, verb: str) -> None:
        """Raise `failure` unless a call of the module says that it is done."""
        if not done:
            raise self.failure(verb, messages.reason())

    def failure(self, verb: str, reason: str) -> BackendError:
        """The sentence about what the module did not do; of its own class for want of memory."""
        kind = OutOfDeviceMemoryError if _NO_MEMORY.search(reason) else BackendError
        return kind(
            f"{self.title} {verb} graph {self.graph!r} ({reason}); check the inputs and the GPU's "
            "free memory, or build the engine again"
        )

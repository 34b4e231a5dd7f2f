"""What gpu.py asks of whatever it times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

CAPTURE_WARMUP = 3
"""Runs before a CUDA graph is captured."""

Tensors = dict[str, Tensor]
"""Inputs by name, in the order of the graph's."""
Run = Callable[[], Tensor]
"""Queues one run and returns the result that it will have written."""


@dataclass(frozen=True)
class Output:
    """What a run gives."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32

    def empty(self, device: str) -> Tensor:
        """Of NaN, or of white where there is none: what is not written shows."""
        fill = float("nan") if self.dtype.is_floating_point else 255
        return torch.full(self.shape, fill, dtype=self.dtype, device=device)


class Engine(Protocol):
    """Attributes:
    name: in the table.
    precision: of the products, whose peak it is held to.
    """

    name: str
    precision: str

    def bind(self, inputs: Tensors, output: Output) -> Run:
        """What runs on these inputs, which stay where they are."""
        ...

    def begin(self) -> None:
        """Called before each turn, for what is set for the whole process."""
        ...

    def release(self) -> None:
        """Give back the memory of maps."""
        ...


Maker = tuple[str, str, Callable[[], Engine]]
"""Name, precision, and what makes the engine or raises why it cannot."""

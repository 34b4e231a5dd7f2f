"""How the server is to run a model: batches, instances and what it runs before it says ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["auto", "gpu", "cpu"]
Size = tuple[int, int]
"""(height, width)"""
LARGEST_BATCH = 1024
LARGEST_SIDE = 16384


@dataclass(frozen=True)
class Serving:
    """Settings of ``config.pbtxt`` (Triton's user guide, "Model Configuration" and "Batchers").

    Attributes:
        max_batch: frames that the server may run at once, of one request or of several.
        preferred: batches of these sizes run at once, without waiting for more. The guide advises
            none, except for engines that have a profile for each of them.
        queue_delay: microseconds that a request may wait for others of its size to come. With 0
            batches are made of what has come while the instances were busy.
        instances: of the model on each device; each has its own copy of the weights.
        kind: of device; auto: every GPU that the server has, or its CPU.
        warm_up: (height, width) of black frames that every instance runs, one alone and
            `max_batch` at once, before the server says that it is ready.

    Raises:
        ValueError: a setting is out of range, or a preferred batch larger than `max_batch`.
    """

    max_batch: int = 8
    preferred: tuple[int, ...] = ()
    queue_delay: int = 0
    instances: int = 1
    kind: Kind = "auto"
    warm_up: tuple[Size, ...] = ((480, 640),)

    def __post_init__(self) -> None:
        _check("max_batch", self.max_batch, 1, LARGEST_BATCH)
        for size in self.preferred:
            _check("preferred", size, 1, self.max_batch)
        _check("queue_delay", self.queue_delay, 0, 10**9)
        _check("instances", self.instances, 1, 64)
        for side in (side for size in self.warm_up for side in size):
            _check("warm_up", side, 1, LARGEST_SIDE)
        if self.kind not in get_args(Kind):
            raise ValueError(
                f"kind is {self.kind!r}; one of {', '.join(get_args(Kind))} was needed; pass one "
                "of them"
            )


def _check(name: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(
            f"{name} is {value!r}; a whole number from {least} to {most} was needed; pass another"
        )

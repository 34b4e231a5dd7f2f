"""How a benchmark is taken, as data."""

from __future__ import annotations

from dataclasses import dataclass

from trtcolor.geometry import Render
from trtcolor.measure import check_rounds


@dataclass(frozen=True)
class Settings:
    """How a benchmark is taken.

    Attributes:
        runs: values wanted of each candidate at each size.
        warmup: runs before these, the first one included.
        batch: frames coloured at once.
        threads: of the engines; None leaves it to them.
        render: what the network sees of a frame (`trtcolor.geometry.plan_render`).
        budget: seconds that it may take; runs are cut, down to `LEAST_RUNS`, to keep to it.
        floor: measure the machine's int8 product and memory copy too.
    """

    runs: int = 10
    warmup: int = 2
    batch: int = 1
    threads: int | None = None
    render: Render = "full"
    budget: float = 540.0
    floor: bool = False

    def __post_init__(self) -> None:
        check_rounds(self.runs, self.warmup)
        if self.batch < 1 or not self.budget > 0:
            raise ValueError(
                f"a batch of {self.batch} and a budget of {self.budget} seconds came; positive "
                "numbers were needed"
            )

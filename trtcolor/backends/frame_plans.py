"""The plans of an engine around its network: what they were built to do, and their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from trtcolor.backends.base import FrameGraphs
from trtcolor.color import Gamut
from trtcolor.errors import BackendError
from trtcolor.geometry import Render, checked_render

PREPARE = {3: "prepare", 1: "prepare_grey"}
"""By the channels of the frames."""
MERGE = "merge"
FRAME_GRAPHS = (*PREPARE.values(), MERGE)


@dataclass(frozen=True)
class FramePlans:
    """What is settled when such plans are built.

    Attributes:
        render: how large the network sees a frame, as `trtcolor.geometry.plan_render` takes it.
        gamut: what becomes of colours that sRGB does not have, ``"reduce"`` or ``"clip"``.

    Raises:
        ValueError: one of them is something else.
    """

    render: Render = "auto"
    gamut: Gamut = "reduce"

    def __post_init__(self) -> None:
        object.__setattr__(self, "render", checked_render(self.render))
        if self.gamut not in get_args(Gamut):
            raise ValueError(
                f"gamut is {self.gamut!r}; one of {', '.join(get_args(Gamut))} was needed; pass one"
            )

    @classmethod
    def parse(cls, text: str) -> FramePlans:
        """What `__str__` gives, read again.

        Raises:
            ValueError: it is none.
        """
        render, _, gamut = text.partition(" ")
        side: object = int(render) if render.isdecimal() else render
        return cls(checked_render(side), gamut)  # type: ignore[arg-type]  # it is checked there

    def __str__(self) -> str:
        """E.g. ``"auto reduce"``."""
        return f"{self.render} {self.gamut}"

    def graphs(self, render: Render, gamut: Gamut, channels: int) -> FrameGraphs:
        """Names of the plans for frames; see `trtcolor.backends.base.DeviceRunner.frame_graphs`.

        Raises:
            BackendError: the plans are for another render size or gamut, or there are none for so
                many channels.
        """
        if (render, gamut) != (self.render, self.gamut):
            raise BackendError(
                f"frames came for render {render} and gamut {gamut}; the engine's plans for frames "
                f"are for render {self.render} and gamut {self.gamut}; ask for these, or build "
                f"another engine: trtcolor build-engine --frames --render {render} --gamut {gamut}"
            )
        if channels not in PREPARE:
            raise BackendError(
                f"frames of {channels} channels came; 1 or 3 were needed; convert them"
            )
        return FrameGraphs(PREPARE[channels], MERGE)

"""What became of a film."""

from __future__ import annotations

from dataclasses import dataclass

from trtcolor.stages import Stages
from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import Broken


@dataclass(frozen=True)
class FilmReport:
    """What became of a film.

    Attributes:
        frames: in it.
        broken: those that were not coloured.
        cut_short: why it counts as cut short; None: it does not.
        notes: what the user should know, a sentence each.
        encoding: how it was coded.
        stages: what each stage of this run took.
    """

    frames: int
    broken: tuple[Broken, ...]
    cut_short: str | None
    notes: tuple[str, ...]
    encoding: Encoding
    stages: Stages

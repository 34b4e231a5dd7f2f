"""How far a film is, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import Broken
from trtcolor.video.stages import Stages


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        frames: finished, those of earlier runs included.
        begun: those of earlier runs.
        expected: of the film, as far as its container tells; None: not at all.
        seconds: since this run began.
    """

    frames: int
    begun: int
    expected: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Frames a second of this run."""
        return (self.frames - self.begun) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds to go; None: not known."""
        if self.expected is None or self.rate == 0:
            return None
        return max(0.0, (self.expected - self.frames) / self.rate)


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

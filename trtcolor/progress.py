"""How far a run over many frames or pictures is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: frames or pictures that are finished, those of earlier runs included.
        begun: those of earlier runs.
        expected: all of them, as far as that is known; None: not at all.
        seconds: since this run began.
    """

    done: int
    begun: int
    expected: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Frames or pictures a second of this run."""
        return (self.done - self.begun) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds to go; None: not known."""
        if self.expected is None or self.rate == 0:
            return None
        return max(0.0, (self.expected - self.done) / self.rate)

"""How fast a training goes, and how much of it is waiting for pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trtcolor_train.data import Batch


class Budget:
    """How many steps a training has time for, which its learning rate is planned by.

    Args:
        steps: to do at most.
        minutes: that they may take from now on; 0: as long as it takes.
        first: steps done before.
        earlier: seconds that these took; None: not known.
        now: a clock, in seconds.
    """

    def __init__(
        self,
        steps: int,
        minutes: float,
        first: int = 0,
        earlier: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._now = steps, 60 * minutes, now
        self._unknown = first if earlier is None else 0  # steps whose time nobody knows
        self._earlier = earlier or 0.0
        self._began = now()

    def steps(self, done: int) -> int:
        """The number of the last step, by the pace of those that were done.

        Args:
            done: steps done so far, from ``first`` on.

        Returns:
            At least ``done``, which it is where the time is over.
        """
        if not self._seconds:
            return self._most
        elapsed = self._now() - self._began
        if elapsed >= self._seconds:
            return done
        timed, taken = done - self._unknown, self._earlier + elapsed
        if not timed or taken <= 0:
            return self._most
        return min(self._most, math.ceil(done + (self._seconds - elapsed) * timed / taken))


class Clock:
    """Pictures a second of a training, and how much of its time went by waiting for pictures.

    Args:
        earlier: seconds that the training took before it was resumed; None: not known.
    """

    def __init__(self, earlier: float | None = 0.0) -> None:
        self._earlier = earlier
        self._began = time.monotonic()
        self._waited = self._paused = 0.0
        self._pictures = 0

    def waiting(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, the time until each is there counted."""
        while True:
            before = time.monotonic()
            batch = next(batches, None)
            self._waited += time.monotonic() - before
            if batch is None:
                return
            yield batch

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time that is no training."""
        before = time.monotonic()
        yield
        self._paused += time.monotonic() - before

    def count(self, pictures: int) -> None:
        """So many pictures more were trained on."""
        self._pictures += pictures

    @property
    def seconds(self) -> float:
        """Seconds since the clock was made, pauses left out; above 0."""
        return max(time.monotonic() - self._began - self._paused, 1e-9)

    @property
    def total(self) -> float | None:
        """Seconds of the whole training, those before it was resumed included."""
        return None if self._earlier is None else self._earlier + self.seconds

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self._pictures / self.seconds

    def __str__(self) -> str:
        return (
            f"{self._pictures} pictures in {self.seconds:.0f} s, {self.rate:.1f} pictures/s, "
            f"{self._waited / self.seconds:.0%} of the time waiting for the loader"
        )

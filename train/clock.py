"""How fast a training goes, and how much of it is waiting for pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from trtcolor_train.data import Batch


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
        self._pictures += pictures

    @property
    def seconds(self) -> float:
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

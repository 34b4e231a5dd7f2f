"""`Budget`: how much of something all threads together may hold."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """An amount that threads take parts of, in the order in which they ask.

    One that asks for more than the whole has it alone. Nobody overtakes: small parts do not keep a
    large one waiting for ever.

    Args:
        whole: the amount.
    """

    def __init__(self, whole: int) -> None:
        self._whole = whole
        self._held = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def part(self, amount: int) -> Iterator[None]:
        """Hold a part while the block lasts; wait for it before."""
        me = object()
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(
                lambda: (
                    self._waiting[0] is me
                    and (self._held == 0 or self._held + amount <= self._whole)
                )
            )
            self._waiting.popleft()
            self._held += amount
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._held -= amount
                self._changed.notify_all()

"""`overlapped`: steps of work on a stream, a thread each, joined by bounded queues."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

Step = Callable[[Iterator[Any]], Iterator[Any]]

PATIENCE = 5.0
"""Seconds that closing waits for a source that gives nothing and cannot be interrupted."""


def overlapped(
    source: Iterable[Any], steps: Sequence[Step], *, ahead: int
) -> Generator[Any, None, None]:
    """The items of a source, gone through all steps, in order.

    The source and every step run in threads of their own, at most ``ahead`` items before the next
    one: a slow step or a slow caller holds up those before it. They start with the first item that
    is asked for.

    An error in the source or in a step is raised here, after the items that were before it.
    Closing the generator, as the end of its last reference does, ends the threads, each after the
    item that it is at. A source that waits for something outside the program cannot be
    interrupted: its thread is left after `PATIENCE` and ends with its next item.

    Args:
        source: iterated in another thread than the caller's.
        steps: each takes an iterator of items and gives one.
        ahead: at least 1.

    Raises:
        ValueError: ``ahead`` is below 1; at once.
        BaseException: whatever the source or a step raises.
    """
    if isinstance(ahead, bool) or not isinstance(ahead, int) or ahead < 1:
        raise ValueError(f"ahead is {ahead!r}; a number of frames from 1 was needed; pass 4")
    return _overlapped(source, steps, ahead)


def _overlapped(
    source: Iterable[Any], steps: Sequence[Step], ahead: int
) -> Generator[Any, None, None]:
    queues = [_Queue(ahead) for _ in range(len(steps) + 1)]
    begins: list[Callable[[], Iterator[Any]]] = [partial(iter, source)]
    begins += [partial(step, iter(queue)) for step, queue in zip(steps, queues, strict=False)]
    # Daemons: a program may end while it still holds a generator that it never closed.
    threads = [
        threading.Thread(target=_work, args=parts, name=f"trtcolor {number}", daemon=True)
        for number, parts in enumerate(zip(begins, queues, strict=True))
    ]
    try:
        for thread in threads:
            thread.start()
        yield from queues[-1]
    finally:
        for queue in queues:
            queue.close()
        for thread in threads:
            if thread.ident is not None:  # it was started
                thread.join(PATIENCE if thread is threads[0] else None)


def _work(begin: Callable[[], Iterator[Any]], queue: _Queue) -> None:
    """One thread: put what the iterator gives into the queue, then its end."""
    try:
        for item in begin():
            queue.put(item)
            del item  # while the next one is awaited, this thread holds none
    except _Closed:
        return
    except BaseException as error:
        queue.finish(error)
    else:
        queue.finish()


class _Closed(BaseException):
    """Nobody takes what comes any more. No step may take it for an error of its source."""


class _Queue:
    """A bounded queue from one thread to another that has an end, with or without an error."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()
        self._closed = self._finished = False
        self._error: BaseException | None = None

    def put(self, item: Any) -> None:
        """Add an item as soon as there is room; `_Closed` once there never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._most)
            if self._closed:
                raise _Closed
            self._items.append(item)
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """No item follows; the taker has those that are there, then the end or the error."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Drop all items; whoever waits here is sent away by `_Closed`."""
        with self._changed:
            self._closed, self._error = True, None
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._items or self._finished)
                if self._closed:
                    raise _Closed
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
            del item
        if self._error is not None:
            raise self._error

"""`unordered`: work on many items side by side, each result as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def unordered(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """The result of each item, in the order in which they are finished.

    As many items are taken as there are threads, the next one when one is done: neither a long list
    nor a slow caller makes them more.

    An error in ``work`` is raised here, after what is being worked on is finished; so is one of the
    caller, when it closes the generator, and Ctrl-C.

    Args:
        work: called in other threads than the caller's.
        items: iterated in the caller's.
        workers: threads, at least 1.
    """
    left = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="trtcolor picture")
    try:
        running: set[Future[Result]] = {pool.submit(work, item) for item in islice(left, workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(work, item) for item in islice(left, len(done))}
            for future in done:
                yield future.result()
            done.clear()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""Making the items of numbered steps ahead of their use, in threads or in processes.

Both give the very same items in the same order. Threads share memory and start at once; the
interpreter's lock bounds them where the work between decoder and kernels grows, as it does with the
ageing of augment.py. Processes have a lock each, and cost a copy of every item through shared
memory.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from trtcolor.errors import TrainingError, TrtcolorError

AHEAD = 4  # items at least that are under way or waiting

Item = TypeVar("Item")


def by_threads(make: Callable[[int], Item], steps: range, threads: int) -> Iterator[Item]:
    """``make(step)`` for each of ``steps``, in order."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Item]] = deque()
        numbers = iter(steps)
        try:
            while True:
                while len(waiting) < max(AHEAD, threads):
                    if (step := next(numbers, None)) is None:
                        break
                    waiting.append(pool.submit(make, step))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def by_processes(make: Callable[[int], Item], steps: range, processes: int) -> Iterator[Item]:
    """``make(step)`` for each of ``steps``, in order; tensors come in pinned memory for CUDA.

    Closing the iterator ends the processes.

    Raises:
        TrainingError: a process died, for example for want of memory.
    """
    loader = DataLoader(
        _Items(make),
        batch_size=None,  # an item is a whole batch
        sampler=steps,
        num_workers=processes,
        prefetch_factor=max(2, -(-AHEAD // processes)),
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # of seeds that nothing uses: leaves torch's own alone
    )
    items = _started(loader)
    try:
        while (item := _next(items)) is not None:
            if isinstance(item, TrtcolorError):
                raise item
            yield item
    finally:
        # The processes end with the iterator, which an error's traceback would keep.
        del items


class _Items(Dataset["Item | TrtcolorError"], Generic[Item]):
    """Items by step, made in a process of the loader, which has one thread."""

    def __init__(self, make: Callable[[int], Item]) -> None:
        self.make = make

    def __getitem__(self, step: int) -> Item | TrtcolorError:
        try:
            return self.make(step)
        except TrtcolorError as error:
            return error  # raised here, DataLoader would put a traceback into its message


def _started(loader: DataLoader[Item | TrtcolorError]) -> Iterator[Item | TrtcolorError]:
    """Start the processes; a death among them is then told by `_next`, within 5 seconds.

    DataLoader also sets a handler that raises at once, but wherever the program is just then, in
    the middle of an optimiser's step for example. The one before is put back.
    """
    before = signal.getsignal(signal.SIGCHLD)
    items = iter(loader)
    if threading.current_thread() is threading.main_thread() and before is not None:
        signal.signal(signal.SIGCHLD, before)
    return items


def _next(items: Iterator[Item]) -> Item | None:
    try:
        return next(items, None)
    except (RuntimeError, OSError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        if reason.startswith("Caught "):  # what a worker raised itself
            raise
    # Behind the handler, so that no context keeps the iterator.
    raise TrainingError(
        f"a process that makes batches has died ({reason}); memory for all of them, shared memory "
        "included, was needed; lower training.loader_processes and go on with --resume"
    )

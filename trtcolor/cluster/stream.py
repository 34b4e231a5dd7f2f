"""Tasks streamed through a pool of actors by Ray Data; what does not come back is told apart.

Ray Data repeats no lost block here: its own retries are spent within a second, on a machine that is
gone or on the picture that has just killed its worker. It goes on with the other blocks, and
`trtcolor.cluster.pictures` has made again, one by one, what did not come.
"""

from __future__ import annotations

import logging
import pickle
import queue
import threading
import time
import warnings
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

from trtcolor.archive.making import Task
from trtcolor.cluster.connection import Cluster, import_ray
from trtcolor.cluster.share import Share
from trtcolor.cluster.watch import Watch
from trtcolor.cluster.worker import Batch, Job, Worker
from trtcolor.errors import TrtcolorError

SECONDS_TO_END = 30.0
"""Given to Ray Data's threads when the work is given up; its own steps are of 2 seconds."""

AT_ONCE = 2
"""Blocks that an actor works on: the first pictures of one while the last of another are made."""


class Actor:
    """A `Worker` as Ray Data calls it. What goes wrong is a result: a block is never repeated."""

    def __init__(self, job: Job) -> None:
        self._worker: Worker | Exception
        try:
            self._worker = Worker(job, machine_here())
        except (TrtcolorError, ValueError, OSError) as error:
            self._worker = error

    def __call__(self, blocks: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"outcome": [pickle.dumps(self._outcome(block)) for block in blocks["tasks"]]}

    def _outcome(self, block: bytes) -> Batch | Exception:
        if isinstance(self._worker, Exception):
            return self._worker
        tasks: Sequence[Task] = pickle.loads(block)
        try:
            return self._worker.make(tasks)
        except (TrtcolorError, OSError) as error:  # no other picture could be made either
            return error


def machine_here() -> str:
    """What people call the machine that this worker runs on."""
    import socket

    return socket.gethostname()


def streamed(
    cluster: Cluster, share: Share, job: Job, blocks: Sequence[Sequence[Task]]
) -> Generator[Batch, None, None]:
    """What becomes of each block, in any order; a lost one does not come.

    Closing the generator ends the actors' work.

    Raises:
        OSError: the disk is full or read-only.
        ClusterError: an actor cannot work, or no machine is left.
        TrtcolorError: the model does not open on a machine.
    """
    dataset = _dataset(share, job, blocks, share.workers(cluster.nodes()))
    for outcome in _fetched(dataset, Watch(cluster, share)):
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome


def _dataset(share: Share, job: Job, blocks: Sequence[Sequence[Task]], workers: int) -> Any:
    data = import_ray("ray.data")
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    rows = [{"tasks": pickle.dumps(list(block))} for block in blocks]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # max_restarts has no other way in yet
        dataset = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Actor,
            fn_constructor_args=(job,),
            batch_size=None,
            compute=data.ActorPoolStrategy(
                min_size=1,
                initial_size=max(1, min(workers, len(rows))),
                max_size=None,  # machines that join later work too
                max_tasks_in_flight_per_actor=AT_ONCE,
                max_concurrent_calls_per_actor=AT_ONCE,
                enable_true_multi_threading=True,
            ),
            max_restarts=-1,
            max_task_retries=0,
            **share.resources,
        )
    context = dataset.context
    context.max_errored_blocks = -1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return dataset


def _fetched(dataset: Any, watch: Watch) -> Generator[Any, None, None]:
    """The outcomes, fetched by a thread: this one stays free for Ctrl-C and for the watch."""
    fetched: queue.Queue[Any] = queue.Queue(maxsize=8)
    over, end = threading.Event(), object()

    def put(item: object) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                return fetched.put(item, timeout=watch.seconds)

    def fetch() -> None:
        try:
            for blocks in dataset.iter_batches(batch_size=None, prefetch_batches=0):
                for outcome in blocks["outcome"]:
                    put(pickle.loads(outcome))
                if over.is_set():
                    return
        except Exception:  # Ray's, or of blocks that went with a machine: they are made again
            pass
        finally:
            put(end)

    fetching = threading.Thread(target=fetch, name="trtcolor blocks", daemon=True)
    fetching.start()
    try:
        while True:
            try:
                item = fetched.get(timeout=watch.seconds)
            except queue.Empty:
                watch.saw(False)
                continue
            watch.saw(True)
            if item is end:
                return
            yield item
    finally:
        over.set()
        _end(dataset, fetching)


def _end(dataset: Any, fetching: threading.Thread) -> None:
    """Have the actors stop, and wait until the thread that fetches from them has seen it.

    Ray that this process left meanwhile would be connected to again, by that thread, or end it with
    a traceback on standard error. Ray Data has no public way to end what it has begun.
    """
    until = time.monotonic() + SECONDS_TO_END
    while fetching.is_alive() and time.monotonic() < until:
        with suppress(Exception):  # of a cluster that is gone
            dataset._synchronize_progress_bar()  # which ends its executor, once there is one
        fetching.join(0.1)

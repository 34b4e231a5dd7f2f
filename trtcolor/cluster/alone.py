"""Tasks that did not come back, each made by itself: the one that kills its worker is found so."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Generator, Iterable
from typing import Any

from trtcolor.archive.making import Made, Task
from trtcolor.cluster.connection import Cluster, import_ray
from trtcolor.cluster.share import Share
from trtcolor.cluster.stream import machine_here
from trtcolor.cluster.watch import Watch
from trtcolor.cluster.worker import Batch, Job, Worker
from trtcolor.errors import ClusterError, TrtcolorError

TRIES = 3
"""A picture that has ended so many processes, each with nothing else to do, fails."""


def made_alone(
    cluster: Cluster, share: Share, job: Job, tasks: Iterable[Task]
) -> Generator[Batch, None, None]:
    """What becomes of each task, every one of which comes, in any order.

    As many processes as there is room for make one at a time each; a task whose process ends is
    begun anew in another one, until it has had `TRIES`. So one that takes its process with it harms
    no other.

    Raises:
        OSError: the disk is full or read-only.
        ClusterError: no process opens the model, or no machine is left.
    """
    ray = import_ray()
    make = ray.remote(max_retries=0, max_calls=0, **share.resources)(_make)
    held, left = ray.put(job), deque((task, TRIES) for task in tasks)
    running: dict[Any, tuple[Task, int]] = {}
    watch = Watch(cluster, share)
    try:
        while left or running:
            room = max(1, share.workers(cluster.nodes())) - len(running)
            for task, tries in (left.popleft() for _ in range(min(room, len(left)))):
                running[make.remote(held, pickle.dumps(task))] = (task, tries)
            done, _ = ray.wait(list(running), timeout=watch.seconds)
            watch.saw(bool(done))
            for reference in done:
                task, tries = running.pop(reference)
                try:
                    outcome = ray.get(reference)
                except ray.exceptions.RayError as error:
                    if tries > 1:
                        left.append((task, tries - 1))
                        continue
                    check_opens(share, held, watch)
                    outcome = _given_up(job, task, error)
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def check_opens(share: Share, job: Any, watch: Watch) -> None:
    """Have a new process open the model and make nothing.

    Args:
        job: a reference to it.

    Raises:
        ClusterError: the process ends too, so that no picture is to blame; or no machine is left.
    """
    ray = import_ray()
    opening = ray.remote(max_retries=1, max_calls=1, **share.resources)(_open)
    reference = opening.remote(job)
    watch.wait(reference)
    try:
        outcome = ray.get(reference)
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"workers end while they open the model ({' '.join(str(error).split())}); machines "
            "that run it were needed; try it on one, without --ray"
        ) from None
    if isinstance(outcome, Exception):
        raise outcome


def _given_up(job: Job, task: Task, error: Exception) -> Batch:
    exceptions = import_ray("ray.exceptions")
    if isinstance(error, exceptions.OutOfMemoryError):
        what, how = "took more memory than a machine has", "give workers more cores each"
    else:
        what, how = "ended its process", "look at the file, or reduce it"
    reason = (
        f"{task.source} {what}, {TRIES} times, with nothing else beside it; a picture that can be "
        f"coloured was needed; {how}"
    )
    record = job.provenance.record(str(task.source), task.output.as_posix(), reason)
    return Batch((Made(record),), {}, 0.0)


def _make(job: Job, task: bytes) -> Batch | Exception:
    """In a process of a machine, which keeps what it has opened for the next task."""
    try:
        return _worker(job).make([pickle.loads(task)])
    except (TrtcolorError, ValueError, OSError) as error:
        return error


def _open(job: Job) -> Exception | None:
    try:
        _worker(job)
    except (TrtcolorError, ValueError, OSError) as error:
        return error
    return None


_WORKERS: dict[str, Worker] = {}


def _worker(job: Job) -> Worker:
    if job.id not in _WORKERS:
        _WORKERS.clear()  # of earlier runs: the memory is for one
        _WORKERS[job.id] = Worker(job, machine_here())
    return _WORKERS[job.id]

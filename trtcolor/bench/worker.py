"""A worker process: opens one engine, then runs it when it is told to.

    python -m trtcolor.bench.worker

It reads a JSON object a line from standard input and answers each with one on standard output
(what libraries print goes to standard error instead). The first one says what to open, by its
``kind``: `engine` or `floor`; later ones ask for runs. An answer with ``error`` is a sentence and
the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from trtcolor.bench.candidates import Candidate, open_candidate
from trtcolor.bench.floor import Floor
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.subject import STEPS, Subject
from trtcolor.measure import peak_memory

Message = dict[str, Any]
Answer = Callable[[Message], Message]


def engine(job: Message) -> tuple[Message, Answer]:
    """Open a candidate and run it for the first time.

    Args:
        job: ``candidate`` (entries of `Candidate`), ``model`` (a folder), ``size`` [height, width],
            ``batch``, ``threads`` (or None) and ``render``.

    Returns:
        What came of it: ``load_seconds`` (to open bundle and backend), ``first_seconds`` (the
        first run, in which backends load graphs), ``graph``, ``network`` [height, width],
        ``backend``, ``device``, ``picture``; and what answers a request {"runs": n, "warmup": m}
        with ``steps`` (seconds by `STEPS`) and ``peak_memory`` (bytes so far).
    """
    frames, picture = grey_frames(tuple(job["size"]), job["batch"])
    start = time.perf_counter()
    colorizer, runner = open_candidate(
        Candidate(**job["candidate"]),
        Path(job["model"]),
        threads=job["threads"],
        render=job["render"],
    )
    loaded = time.perf_counter()
    subject = Subject(colorizer, runner, frames)
    subject.run()
    opened = {
        "load_seconds": loaded - start,
        "first_seconds": time.perf_counter() - loaded,
        "graph": subject.graph,
        "network": subject.network,
        "device": runner.device,
        "picture": picture,
    }

    def answer(request: Message) -> Message:
        for _ in range(request["warmup"]):
            subject.run()
        times = [subject.run() for _ in range(request["runs"])]
        steps = dict(zip(STEPS, zip(*times, strict=True), strict=True)) if times else {}
        return {"steps": steps, "peak_memory": peak_memory()}

    return opened, answer


def floor(job: Message) -> tuple[Message, Answer]:
    """Make the machine's own tasks ready.

    Args:
        job: ``threads`` (or None).

    Returns:
        ``sgemm``, the name of the product taken; and what answers {"kind": k, "runs": n} with the
        ``name``, ``work`` and ``seconds`` of `Floor.measure`.
    """
    tasks = Floor(job["threads"])

    def answer(request: Message) -> Message:
        timed = tasks.measure(request["kind"], request["runs"])
        work = tasks.task(request["kind"]).work
        return {"name": timed.name, "work": work, "seconds": timed.seconds}

    return {"sgemm": tasks.sgemm.name}, answer


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer until there are no more requests, or one fails."""

    def put(message: Message) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        job = json.loads(requests.readline())
        opened, answer = floor(job) if job["kind"] == "floor" else engine(job)
        put(opened)
        while line := requests.readline():
            put(answer(json.loads(line)))
    except Exception as error:  # whatever an engine meets, its row says so and the others go on
        put({"error": " ".join(str(error).split()) or type(error).__name__})


def main() -> None:
    """Serve the process that started this one, and end with it."""
    _die_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


def _die_with_parent() -> None:
    """A parent that was killed cannot wake the workers that it had stopped."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal, kill = 1, 9
        ctypes.CDLL(None).prctl(set_death_signal, kill)


if __name__ == "__main__":
    main()

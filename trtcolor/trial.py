"""Does a backend work? Tried in a process of its own, so that a crash is an answer too.

Run as ``python -m trtcolor.trial NAME``: prints one line of JSON, entries of `Outcome`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Literal

import numpy as np

from trtcolor.backends._tensorrt import logger
from trtcolor.backends.available import PACKAGES, TENSORRT, available
from trtcolor.backends.driver import first_gpu
from trtcolor.errors import BackendError, TrtcolorError

TIMEOUT = 120.0
"""Seconds after which a trial has failed."""


@dataclass(frozen=True)
class Outcome:
    """How a backend's trial went.

    Attributes:
        state: ``works``: it has just coloured a frame with the default model; ``builds``: its
            builder starts, but there is no GPU or no engine; ``fails``; ``absent``: not installed.
        detail: in words: what it did, or why not and what to do.
        seconds: from its import to the coloured frame; None unless it works.
    """

    state: Literal["works", "builds", "fails", "absent"]
    detail: str
    seconds: float | None = None


def try_backend(name: str) -> Outcome:
    """Try a backend in a new process.

    Args:
        name: a key of `trtcolor.backends.available.PACKAGES`.
    """
    problem = available(name).problem
    if problem is not None:
        return Outcome("absent", problem)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trtcolor.trial", name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome("fails", f"did not finish in {TIMEOUT:.0f} s; look at what stops it")
    if done.returncode == 0:
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))
    if done.returncode < 0:
        how = f"crashed ({signal.Signals(-done.returncode).name})"
    else:
        how = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    remedy = f'run: pip install --force-reinstall "trtcolor[{PACKAGES[name].extra}]"'
    return Outcome("fails", f"{how}; {remedy}")


def colour(name: str) -> Outcome:
    """Colour a small frame with the default model, here and now."""
    from trtcolor.colorizer import Colorizer

    frame = np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8)
    start = time.perf_counter()
    try:
        with Colorizer("default", backend=name) as colorizer:
            coloured = colorizer.colorize(frame)
    except TrtcolorError as error:
        return Outcome("fails", str(error))
    seconds = time.perf_counter() - start
    if coloured.shape != (*frame.shape, 3) or (coloured == frame[..., None]).all():
        return Outcome("fails", "gave no colours; install it again, or take another backend")
    return Outcome("works", f"coloured a frame, {seconds:.2f} s from its start", seconds)


def start_builder(name: str) -> Outcome:
    """Import a TensorRT and start its builder; where a GPU answers, colour with an engine too."""
    try:
        api = import_module(PACKAGES[name].module)
        builder = api.Builder(logger(api))
    except Exception as error:  # a broken installation may raise anything
        reason = " ".join(str(error).split())
        remedy = f'run: pip install "trtcolor[{PACKAGES[name].extra}]"'
        return Outcome("fails", f"does not start ({reason}); {remedy}")
    del builder
    try:
        first_gpu()
    except BackendError:
        return Outcome("builds", "builds engines")
    ran = colour(name)
    if ran.state == "works":
        return ran
    return Outcome("builds", f"builds engines, runs none yet: {ran.detail}")


if __name__ == "__main__":
    wanted = sys.argv[1]
    print(json.dumps(asdict(start_builder(wanted) if wanted in TENSORRT else colour(wanted))))

"""`bench`: how long a model takes at several picture sizes, step by step."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trtcolor import demo
from trtcolor.colorizer import Colorizer
from trtcolor.geometry import Render, Size
from trtcolor.images import read_picture
from trtcolor.measure import Clock, Measurement, check_rounds, machine, peak_memory

COLUMNS = ("prepare", "predict", "merge", "total")
MAX_SIDE = 16384


@dataclass(frozen=True)
class BenchRow:
    """One size.

    Attributes:
        size: (height, width) of the frame in pixels.
        network: (height, width) that the network saw, padding included; None if it saw none.
        steps: a `Measurement` each of prepare, predict, merge and ``total``, the way from frame to
            frame in the same runs; empty after a failure.
        error: why it failed, or None.
    """

    size: Size
    network: Size | None
    steps: tuple[Measurement, ...]
    error: str | None


@dataclass(frozen=True)
class BenchReport:
    """All sizes, and what is needed to read the figures a year later.

    Attributes:
        model, backend: their names.
        picture: what the frames were made from.
        settings: runs, warmup, threads and render.
        machine: as from `trtcolor.measure.machine`.
        rows: one a size, in the order asked for.
        peak_memory: largest resident size of the process in bytes, Python and all sizes included;
            None where the system does not tell.
    """

    model: str
    backend: str
    picture: str
    settings: dict[str, Any]
    machine: dict[str, Any]
    rows: tuple[BenchRow, ...]
    peak_memory: int | None

    def table(self) -> str:
        """Aligned text: median milliseconds of each step, and a warning where they spread."""
        settings = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        lines = [
            f"model {self.model} on {self.backend}; {settings}; grey frames from {self.picture}",
            f"{self.machine['processor']}, {self.machine['cores']} cores",
            "",
            "median milliseconds, width x height; spread is (p90 - p10) / median of the total",
            f"{'size':>12}{'network':>12}"
            + "".join(f"{name:>10}" for name in (*COLUMNS, "spread", "frames/s")),
        ]
        for row in self.rows:
            if row.error is not None:
                lines.append(f"{_text(row.size):>12}  failed: {row.error}")
                continue
            total = row.steps[-1]
            times = "".join(f"{step.median * 1000:>10.2f}" for step in row.steps)
            rate = 1 / total.median if total.median > 0 else 0.0
            sizes = f"{_text(row.size):>12}{_text(row.network or row.size):>12}"
            lines.append(f"{sizes}{times}{total.spread:>10.0%}{rate:>10.1f}")
        lines.append("")
        if self.peak_memory is not None:
            lines.append(f"peak memory of the process {self.peak_memory / 2**20:.0f} MiB")
        shaky = [_text(row.size) for row in self.rows if row.steps and row.steps[-1].unstable]
        if shaky:
            lines.append(
                f"warning: the timings of {', '.join(shaky)} spread widely: the machine was busy "
                "with something else; stop that or take more runs before trusting them"
            )
        return "\n".join(lines)

    def to_json(self) -> str:
        """Everything, the raw values included."""
        rows = [
            {
                "height": row.size[0],
                "width": row.size[1],
                "network": row.network,
                "steps": [step.to_dict() for step in row.steps],
                "error": row.error,
            }
            for row in self.rows
        ]
        return json.dumps(vars(self) | {"rows": rows}, indent=2, allow_nan=False) + "\n"


@dataclass
class _Course:
    """A size while it is being measured: a row of ``times`` is a run, its columns are `COLUMNS`."""

    size: Size
    frame: NDArray[np.uint8] | None = None
    network: Size | None = None
    times: list[tuple[float, ...]] = field(default_factory=list)
    error: str | None = None

    def row(self) -> BenchRow:
        columns = () if self.error else zip(COLUMNS, zip(*self.times, strict=True), strict=True)
        steps = tuple(Measurement(name, values) for name, values in columns)
        return BenchRow(self.size, self.network, steps, self.error)


def bench(
    model: str | os.PathLike[str],
    sizes: Sequence[Size],
    *,
    runs: int = 10,
    warmup: int = 2,
    backend: str | None = None,
    threads: int | None = None,
    render: Render = "full",
    say: Callable[[str], None],
    clock: Clock = time.perf_counter,
) -> BenchReport:
    """Time a model in this process, at every size.

    The sizes take turns, so that a slow minute of the machine falls on all of them. A size that
    fails says why and drops out; the rest goes on.

    Args:
        model, backend, threads, render: as for `trtcolor.colorizer.Colorizer`.
        sizes: (height, width) in pixels.
        runs: values taken a size.
        warmup: runs before these; the first one loads the network.
        say: is given a line at the start and for each failure.
        clock: seconds from any origin.

    Raises:
        ValueError: no sizes, or numbers of runs or a render size that cannot be.
        TrtcolorError: the model cannot be opened.
    """
    check_rounds(runs, warmup)
    if not sizes:
        raise ValueError("no sizes came; at least one was needed")
    source, picture = _picture()
    settings = {"runs": runs, "warmup": warmup, "threads": threads or "auto", "render": render}
    with Colorizer(model, backend=backend, threads=threads, render=render) as colorizer:
        if colorizer.backend_reason is not None:
            say(f"backend {colorizer.backend}: {colorizer.backend_reason}")
        say(f"timing {', '.join(map(_text, sizes))}: {runs} runs each after {warmup} warm-ups")
        courses = [_Course(size) for size in sizes]
        for turn in range(warmup + runs):
            for course in [course for course in courses if course.error is None]:
                try:
                    times = _run_once(colorizer, course, source, clock)
                except Exception as error:  # whatever one size meets, the others are to be timed
                    course.error = " ".join(str(error).split()) or type(error).__name__
                    say(f"{_text(course.size)} failed: {course.error}")
                else:
                    course.times += [times] if turn >= warmup else []
        name, backend = colorizer.spec.name, colorizer.backend
    rows = tuple(course.row() for course in courses)
    return BenchReport(name, backend, picture, settings, machine(), rows, peak_memory())


def parse_sizes(text: str) -> list[Size]:
    """The sizes of a command line: ``"224,640x480"`` gives [(224, 224), (480, 640)].

    Args:
        text: N for a square or WxH, the width first, separated by commas.

    Returns:
        (height, width) each.

    Raises:
        ValueError: an entry that is neither, or a side that is not in 1..`MAX_SIDE`.
    """
    sizes = []
    for entry in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})(?:[xX]([0-9]{1,9}))?\s*", entry)
        width, height = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise ValueError(
                f"size {entry.strip()!r} in {text!r} is none; N or WIDTHxHEIGHT with sides from 1 "
                f"to {MAX_SIDE} was needed, as in 224,640x480"
            )
        sizes.append((height, width))
    return sizes


def _run_once(
    colorizer: Colorizer, course: _Course, source: Image.Image, clock: Clock
) -> tuple[float, ...]:
    """The three steps of `Colorizer.colorize`, with the clock read between them."""
    if course.frame is None:
        height, width = course.size
        course.frame = np.array(source.resize((width, height), Image.Resampling.BICUBIC))
    start = clock()
    prepared = colorizer.prepare(course.frame)
    ready = clock()
    height, width = prepared.network_lightness.shape[2:]
    course.network = height, width
    chroma = colorizer.predict(prepared)
    predicted = clock()
    colorizer.merge(prepared, chroma)
    end = clock()
    return ready - start, predicted - ready, end - predicted, end - start


def _picture() -> tuple[Image.Image, str]:
    """A photograph if there is one, else noise whose spectrum falls as 1/f like a photograph's."""
    files = demo.photographs()
    if files:
        rgb = read_picture(files[0]).pixels[..., :3]
        return Image.fromarray(rgb).convert("L"), f"{files[0].name} of scikit-image"
    side = 512
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1 / side
    noise = np.fft.rfft2(np.random.default_rng(0).normal(size=(side, side)))
    plane = np.fft.irfft2(noise / frequency, (side, side))
    grey = np.clip(128 + 48 * (plane - plane.mean()) / plane.std(), 0, 255)
    return Image.fromarray(grey.astype(np.uint8)), "1/f noise (scikit-image is not installed)"


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"

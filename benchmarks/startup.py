"""How long trtcolor takes to start: whole processes, from their start to their end.

    python benchmarks/startup.py [--rounds 9] [--json benchmarks/results/startup.json]

``import`` and ``--help`` stand beside a Python that does nothing and one that imports NumPy.
``first picture`` is a 768x512 photograph coloured by the default model: by the command line from a
JPEG to a JPEG and to a PNG, and in Python from an array to an array. The processes take turns; one
turn before the first is not counted, so files lie in the system's cache. ``wall`` and ``cpu`` are
medians; where the machine is busy with other things, cpu is what says how long it takes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from PIL import Image

from trtcolor.demo import photographs
from trtcolor.measure import machine

SIZE = 768, 512
"""Width and height of the photograph."""

LIMITS = {
    "import trtcolor": 0.15,
    "trtcolor --help": 0.3,
    "first picture, JPEG to JPEG": 1.5,
    "first picture, JPEG to PNG": 1.5,
    "first picture, in Python": 1.5,
}
"""Seconds of wall time that the project has set itself."""

IN_PYTHON = """
import numpy as np
from trtcolor import Colorizer
grey = np.arange(768 * 512, dtype=np.uint32).reshape(512, 768).astype(np.uint8)
with Colorizer() as colorizer:
    colorizer.colorize(grey)
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """What is run, by name; the photograph is written into the folder."""
    with Image.open(photographs()[0]) as image:
        image.convert("RGB").resize(SIZE).save(folder / "in.jpg", quality=92)
    python = [sys.executable, "-P"]
    colorize = [*python, "-m", "trtcolor", "colorize", str(folder / "in.jpg"), "--overwrite", "-o"]
    return {
        "nothing": [*python, "-c", "pass"],
        "import numpy": [*python, "-c", "import numpy"],
        "import trtcolor": [*python, "-c", "import trtcolor"],
        "trtcolor --help": [*python, "-m", "trtcolor", "--help"],
        "first picture, JPEG to JPEG": [*colorize, str(folder / "out.jpg")],
        "first picture, JPEG to PNG": [*colorize, str(folder / "out.png")],
        "first picture, in Python": [*python, "-c", IN_PYTHON],
    }


def run(command: list[str]) -> tuple[float, float]:
    """Seconds of wall and of processor time of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=9, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(rounds: int, json_file: Path | None) -> None:
    """Print a row for each way to start."""
    times: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = commands(Path(folder))
        for turn in range(rounds + 1):
            for name, command in wanted.items():
                taken = run(command)
                if turn > 0:
                    times.setdefault(name, []).append(taken)
    rows: list[dict[str, Any]] = []
    print(f"{'':<30}{'wall s':>8}{'least':>8}{'cpu s':>8}{'limit':>8}")
    for name, found in times.items():
        wall, cpu = (list(values) for values in zip(*found, strict=True))
        row = {"name": name, "limit": LIMITS.get(name), "wall": wall, "cpu": cpu}
        rows.append(row)
        print(
            f"{name:<30}{statistics.median(wall):>8.3f}{min(wall):>8.3f}"
            f"{statistics.median(cpu):>8.3f}{row['limit'] or '':>8}"
        )
    if json_file is not None:
        entries = {"size": SIZE, "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()

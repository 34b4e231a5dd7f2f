"""The colour kernels against OpenCV, scikit-image, kornia and a copy of the same bytes.

    python benchmarks/kernels.py [--sizes 224,512,1024,2048] [--threads 1,2] [--runs 25]
        [--variant NAME|all] [--pictures FOLDER | --noise] [--operation TEXT] [--json FILE]

All run in one process and take turns: each round calls every candidate of an operation once, in an
order that rotates. Before the call that is timed comes one that is not, so that each finds in the
caches what it left there itself; candidates marked slow run in the first 3 rounds only. Figures are
medians in nanoseconds a pixel (of the larger picture); ~ marks a spread above 20 %.

Pictures are real ones. With --noise, uniform random colours, OpenCV's RGB -> Lab takes twice as
long: it reads a table of colours, of which a picture needs few.

"copy" is one thread's copy of half as many bytes as the operation reads and writes together, which
so moves as many: 4.5 bytes a pixel for the merge of float32 L* and half-size a*b* to rgb24. "fill"
writes the same floats. Targets are for 1024 and 2048 pixels on a processor with AVX-512.
"""

from __future__ import annotations

import gc
import json
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import cv2
from kernel_operations import (
    COPY,
    FILL,
    KORNIA,
    OPENCV,
    SKIMAGE,
    TRTCOLOR,
    Candidate,
    Operation,
    Target,
    operations,
    pictures_of,
    torch,
)

from trtcolor.kernels import _color
from trtcolor.measure import Measurement, machine

SLOW_ROUNDS = 3
TARGET_SIZES = (1024, 2048)


@dataclass(frozen=True)
class Row:
    """One operation at one size and thread count.

    Attributes:
        times: of each candidate; ours by variants as "trtcolor NAME".
    """

    operation: Operation
    size: int
    threads: int
    times: dict[str, Measurement]

    def nanoseconds(self, name: str) -> float | None:
        """A pixel, the median; None where the candidate was not timed."""
        return self.times[name].median * 1e9 / self.size**2 if name in self.times else None

    def ratio(self, one: str, other: str) -> float | None:
        """How many times as long one takes as the other."""
        if one not in self.times or other not in self.times:
            return None
        return self.times[one].median / self.times[other].median

    def to_dict(self) -> dict[str, Any]:
        return {
            "operation": self.operation.name,
            "remark": self.operation.remark,
            "size": self.size,
            "threads": self.threads,
            "times": [measurement.to_dict() for measurement in self.times.values()],
        }


# ---- timing ------------------------------------------------------------------------------------


def by_variants(operation: Operation, variants: list[str]) -> list[tuple[Candidate, str]]:
    """Every candidate with the variant to use for it; the first is the one that counts as ours."""
    ours, *others = operation.candidates
    rest = [(Candidate(f"{TRTCOLOR} {name}", ours.call), name) for name in variants[1:]]
    return [(ours, variants[0]), *rest, *((other, variants[0]) for other in others)]


def measured(operation: Operation, size: int, threads: int, variants: list[str], runs: int) -> Row:
    candidates = by_variants(operation, variants)
    seconds: dict[str, list[float]] = {candidate.name: [] for candidate, _ in candidates}
    gc.collect()
    gc.disable()
    for number in range(runs):
        first = number % len(candidates)
        for candidate, variant in candidates[first:] + candidates[:first]:
            if candidate.slow and number >= SLOW_ROUNDS:
                continue
            _color.use(variant)
            if not candidate.slow:
                candidate.call()
            began = time.perf_counter()
            candidate.call()
            seconds[candidate.name].append(time.perf_counter() - began)
    gc.enable()
    _color.use(variants[0])
    times = {name: Measurement(name, tuple(values)) for name, values in seconds.items()}
    return Row(operation, size, threads, times)


def set_threads(threads: int) -> None:
    """Of the other libraries; ours are told by each call."""
    cv2.setNumThreads(threads)
    if torch is not None:
        torch.set_num_threads(threads)


# ---- tables ------------------------------------------------------------------------------------

COLUMNS = (TRTCOLOR, OPENCV, SKIMAGE, KORNIA, COPY, FILL)


def print_row(row: Row) -> None:
    cells = []
    for name in COLUMNS:
        value = row.nanoseconds(name)
        mark = "~" if value is not None and row.times[name].unstable else " "
        cells.append(f"{value:>11.2f}{mark}" if value is not None else " " * 12)
    faster, copies = row.ratio(OPENCV, TRTCOLOR), row.ratio(TRTCOLOR, COPY)
    print(
        f"{row.operation.name:<40}{row.size:>5}{row.threads:>4}{''.join(cells)}"
        f"{f'{faster:.2f}' if faster else '':>10}{f'{copies:.2f}' if copies else '':>8}"
        f"  {judged(row)}",
        flush=True,
    )


def judged(row: Row) -> str:
    """Each target with what was reached; nothing at sizes that have none."""
    if row.size not in TARGET_SIZES:
        return ""
    return ", ".join(filter(None, (judge(row, target) for target in row.operation.targets)))


def judge(row: Row, target: Target) -> str:
    limit, ratio = target.limit(row.threads), row.ratio(TRTCOLOR, target.other)
    if ratio is None or (row.threads > 1 and target.other in (COPY, FILL)):
        return ""
    verdict = "met" if ratio <= limit else "MISSED"
    if target.other == OPENCV:
        return f"{1 / ratio:.2f}x faster than {target.other}, target {1 / limit:.3g}x: {verdict}"
    return f"{ratio:.2f} of {target.other}, target {limit:.3g}: {verdict}"


def print_variants(rows: list[Row], variants: list[str]) -> None:
    """How the other variants compare with the first and with OpenCV."""
    for name in variants[1:]:
        ours = f"{TRTCOLOR} {name}"
        print(f"\n{name} against {variants[0]} (0.5 is the target for avx2) and OpenCV (1)")
        for row in rows:
            speed, faster = row.ratio(TRTCOLOR, ours), row.ratio(OPENCV, ours)
            value = row.nanoseconds(ours)
            print(
                f"{row.operation.name:<40}{row.size:>5}{row.threads:>3}{value:>11.2f}"
                f"{speed:>10.2f}{f'{faster:.2f}' if faster else '':>10}"
            )


def versions() -> dict[str, str | None]:
    names = ("opencv-python-headless", "scikit-image", "kornia", "torch")
    installed = {d.metadata["Name"] for d in metadata.distributions()}
    return {name: metadata.version(name) if name in installed else None for name in names}


@click.command()
@click.option("--sizes", default="224,512,1024,2048", show_default=True)
@click.option("--threads", default="1,2", show_default=True)
@click.option("--runs", default=25, show_default=True, help="Rounds an operation.")
@click.option("--variant", default="", help='Of our kernels; "all" lets them all take turns.')
@click.option("--pictures", type=click.Path(path_type=Path, exists=True), help="A folder.")
@click.option("--noise", is_flag=True, help="Uniform random colours in place of pictures.")
@click.option("--operation", default="", help="Only those whose name contains this.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    sizes: str,
    threads: str,
    runs: int,
    variant: str,
    pictures: Path | None,
    noise: bool,
    operation: str,
    json_file: Path | None,
) -> None:
    """Print a row an operation, a size and a number of threads."""
    warnings.simplefilter("ignore")  # of scikit-image, on colours out of gamut
    variants = list(_color.variants()) if variant == "all" else [variant or _color.variant()]
    description = {**machine(), **versions(), "variants": variants}
    description["content"] = "noise" if noise else "pictures"
    description["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name, value in description.items():
        print(f"{name}: {value}")
    header = "".join(f"{name:>11} " for name in COLUMNS)
    print(
        f"\n{'operation, ns a pixel':<40}{'size':>5}{'thr':>4}{header}{'x OpenCV':>10}{'x copy':>8}"
    )
    rows, sources = [], pictures_of(pictures, noise)
    for count in map(int, threads.split(",")):
        set_threads(count)
        for size in map(int, sizes.split(",")):
            for job in operations(size, count, sources):
                if operation in job.name:
                    rows.append(measured(job, size, count, variants, runs))
                    print_row(rows[-1])
    print_variants(rows, variants)
    for row in rows:
        if row.operation.remark and row.threads == rows[0].threads:
            print(f"{row.operation.name}, {row.size}: {row.operation.remark}")
    if json_file is not None:
        data = {"machine": description, "rows": [row.to_dict() for row in rows]}
        json_file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

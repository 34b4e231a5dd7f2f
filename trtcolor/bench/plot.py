"""Time against pixels, both logarithmic: this machine, the paper's two lines, the floor."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

from trtcolor.bench.report import BenchReport, BenchRow
from trtcolor.bench.table import FAMILY
from trtcolor.errors import BackendError
from trtcolor.papers import IIZUKA_TABLE_3

INCHES, DOTS = (8.0, 5.5), 120


def require_matplotlib() -> Any:
    """Matplotlib's figure module, or one sentence on how to get it.

    Raises:
        BackendError: it is not installed.
    """
    try:
        return import_module("matplotlib.figure")
    except ImportError as error:
        raise BackendError(
            f"matplotlib does not import ({error}); it was needed to draw; run: "
            'pip install "trtcolor[bench]"'
        ) from None


def plot(report: BenchReport) -> bytes:
    """A PNG with a line for each candidate, of medians of the network's time.

    Bars go from the 10th to the 90th percentile. The floor is the network's arithmetic at the rate
    of the machine's float32 matrix product.

    Raises:
        BackendError: matplotlib is not installed.
    """
    figure = require_matplotlib().Figure(figsize=INCHES, layout="constrained")
    axes = figure.add_subplot()
    for candidate in dict.fromkeys(row.candidate for row in report.rows):
        rows = _sorted([r for r in report.rows if r.candidate == candidate and r.steps])
        if rows:
            _line(axes, str(candidate), rows)
    if report.family == FAMILY:
        _paper(axes)
    floor = _floor(report)
    if floor:
        label = "floor: matrix product, float32"
        axes.plot(*zip(*floor, strict=True), color="black", linestyle=":", label=label)
    axes.set(xscale="log", yscale="log", xlabel="pixels of the picture", ylabel="seconds")
    axes.set_title(f"{report.model} on {report.machine['processor']}", fontsize=10)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    if report.remark:
        figure.supxlabel(report.remark, fontsize=8)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DOTS)
    return out.getvalue()


def _sorted(rows: list[BenchRow]) -> list[BenchRow]:
    return sorted(rows, key=_pixels)


def _pixels(row: BenchRow) -> int:
    return row.batch * row.size[0] * row.size[1]


def _line(axes: Any, label: str, rows: list[BenchRow]) -> None:
    times = [row.steps["predict"] for row in rows]
    medians = [time.median for time in times]
    below = [max(0.0, time.median - time.p10) for time in times]
    above = [max(0.0, time.p90 - time.median) for time in times]
    pixels = [_pixels(row) for row in rows]
    axes.errorbar(pixels, medians, yerr=(below, above), marker="o", capsize=3, label=label)


def _paper(axes: Any) -> None:
    rows = IIZUKA_TABLE_3.rows.values()
    pixels = [int(row[0].replace(",", "")) for row in rows]
    for column, name in ((1, "CPU"), (2, "GPU")):
        seconds = [float(row[column]) for row in rows]
        axes.plot(pixels, seconds, "--s", alpha=0.6, label=f"Iizuka et al. 2016, {name}")


def _floor(report: BenchReport) -> list[tuple[int, float]]:
    """(pixels, seconds) of each size whose arithmetic was counted."""
    found = {
        _pixels(row): row.flops / row.floor_rate
        for row in report.rows
        if row.flops is not None and row.floor_rate is not None
    }
    return sorted(found.items())

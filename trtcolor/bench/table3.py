"""004, Table 3, in exactly its form: image size, pixels, CPU, GPU, speed-up; means over runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trtcolor.bench.report import BenchReport, BenchRow
from trtcolor.bench.sizes import size_text
from trtcolor.bench.table import (
    DAGGER,
    busy_warning,
    cut_remarks,
    paper_cells,
    pipes,
)
from trtcolor.evaluation.table import MISSING, aligned, wrapped
from trtcolor.papers import IIZUKA_TABLE_3

RUNS = 100
"""As in the paper (4.9): "we compute the mean of 100 computations"."""

HEADS = ("Image Size", *IIZUKA_TABLE_3.columns, "median CPU", "GPU", "runs", "paper: CPU")
HEADS += ("GPU", "Speedup")


def table3(report: BenchReport, *, as_markdown: bool = False) -> str:
    """The paper's table with this machine's figures, the median and the paper's own beside.

    The CPU column is the float32 backend of the lowest mean, the GPU column the backend of the
    lowest mean at any precision; which ones is said below. A size at which nothing worked has
    dashes.
    """
    cells, used = [], []
    for size in report.sizes:
        rows = [row for row in report.rows if row.size == size]
        cpu = _fastest(rows, lambda row: not row.on_gpu and row.candidate.precision == "fp32")
        gpu = _fastest(rows, lambda row: row.on_gpu)
        cells.append(_cells(report, rows[0], cpu, gpu))
        used += [row for row in (cpu, gpu) if row is not None]
    lines = pipes(HEADS, cells) if as_markdown else aligned(HEADS, cells)
    remarks = _remarks(report, used)
    if as_markdown:
        return "\n".join([*lines, "", *(f"- {remark}" for remark in remarks)])
    return "\n".join([*lines, "", *(line for remark in remarks for line in wrapped(remark))])


def _fastest(rows: Sequence[BenchRow], fits: Callable[[BenchRow], bool]) -> BenchRow | None:
    """Of trtcolor's own backends; PyTorch is there for comparison."""
    found = [row for row in rows if row.steps and not row.candidate.form and fits(row)]
    return min(found, key=lambda row: row.steps["predict"].mean, default=None)


def _cells(
    report: BenchReport, any_row: BenchRow, cpu: BenchRow | None, gpu: BenchRow | None
) -> tuple[str, ...]:
    def seconds(row: BenchRow | None, statistic: str) -> str:
        return MISSING if row is None else f"{getattr(row.steps['predict'], statistic):.3f}"

    height, width = any_row.size
    shared = any(row is not None and row.shared for row in (cpu, gpu))
    speedup = MISSING
    if cpu is not None and gpu is not None:
        speedup = f"{cpu.steps['predict'].mean / gpu.steps['predict'].mean:.1f}x"
    runs = " / ".join(str(sum(row.turns)) for row in (cpu, gpu) if row is not None)
    return (
        size_text(any_row.size) + (DAGGER if shared else ""),
        f"{any_row.batch * height * width:,}",
        seconds(cpu, "mean"),
        seconds(gpu, "mean"),
        speedup,
        seconds(cpu, "median"),
        seconds(gpu, "median"),
        runs or MISSING,
        *paper_cells(report, any_row),
    )


def _remarks(report: BenchReport, used: Sequence[BenchRow]) -> list[str]:
    names = ", ".join(
        f"{size_text(row.size)} {'GPU' if row.on_gpu else 'CPU'}: {row.candidate}" for row in used
    )
    machine = report.machine
    gpus = "".join(f", {gpu['name']}" for gpu in machine["gpus"])
    remarks = [
        f"mean seconds of the network over the runs, on {machine['processor']} "
        f"({machine['cores']} cores){gpus}; {names or 'nothing worked'}",
        IIZUKA_TABLE_3.remarks[0],
        f"paper: {IIZUKA_TABLE_3.source}: {IIZUKA_TABLE_3.title}",
    ]
    remarks += [f"{report.model}: {report.remark}"] if report.remark else []
    remarks += cut_remarks(report)
    failed = dict.fromkeys(f"{row.candidate}: {row.error}" for row in report.rows if row.error)
    warning = busy_warning(report)
    return [*remarks, *failed, *([warning] if warning else [])]

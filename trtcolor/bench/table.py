"""A benchmark as text, Markdown or CSV: the form of 004, Table 3, a row a candidate and size."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from trtcolor.bench.plan import duration_text
from trtcolor.bench.report import BenchReport, BenchRow, FloorRate
from trtcolor.bench.sizes import size_text
from trtcolor.evaluation.table import MISSING, aligned, wrapped
from trtcolor.geometry import Size
from trtcolor.papers import IIZUKA_TABLE_3

FAMILY = "iizuka2016"
"""Beside which the paper's own figures stand."""
DAGGER = "\u2020"

Block = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Headings and rows of cells, the first column being the row's name."""

MAIN = "Median seconds of the network, and from frame to frame:"
STEP_COLUMNS = ("prepare", "network", "merge", "total", "min", "p10", "p90", "p99")
OTHER_COLUMNS = ("load s", "first s", "peak MiB", "GPU MiB", "GFLOP", "GFLOP/s", "of sgemm")
INT8_COLUMN = "of int8"
"""Only where `--floor` measured it."""


def text(report: BenchReport) -> str:
    """Aligned tables and what is to be said of them."""
    lines = _heading(report)
    for title, (heads, rows) in _blocks(report):
        lines += ["", title, *aligned(heads, rows)]
        if title == MAIN:
            lines += [f"{name}  {reason}" for name, reason in _failures(report)]
    return "\n".join([*lines, "", *_remarks(report)])


def markdown(report: BenchReport) -> str:
    """The same tables for a README."""
    lines = _heading(report)
    for title, (heads, rows) in _blocks(report):
        lines += ["", title, "", *pipes(heads, rows)]
        if title == MAIN:
            lines += [f"| {name} | {reason} |" for name, reason in _failures(report)]
    return "\n".join([*lines, "", *(f"- {line}" for line in _remarks(report, wrap=False))])


def pipes(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, numbers to the right."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' + '---:|' * (len(heads) - 1)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def as_csv(report: BenchReport) -> str:
    """A line a row with every statistic in seconds, for a spreadsheet."""
    statistics = ("median", "p10", "p90", "p99", "minimum", "mean")
    single = ("device", "load_seconds", "first_seconds", "peak_memory", "gpu_memory", "flops")
    steps = ("prepare", "predict", "merge", "total")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = ("backend", "precision", "form", "width", "height", "batch", "runs")
    timed = [f"{step}_{statistic}" for step in steps for statistic in statistics]
    writer.writerow([*keys, *timed, *single, "remark", "error"])
    for row in report.rows:
        candidate, (height, width) = row.candidate, row.size
        cells: list[object] = [candidate.backend, candidate.precision, candidate.form]
        cells += [width, height, row.batch, sum(row.turns)]
        for step in steps:
            found = row.steps.get(step)
            cells += ["" if found is None else getattr(found, name) for name in statistics]
        cells += ["" if getattr(row, name) is None else getattr(row, name) for name in single]
        writer.writerow([*cells, report.remark, row.error or ""])
    return out.getvalue().rstrip("\n")


def paper_cells(report: BenchReport, row: BenchRow) -> tuple[str, str, str]:
    """CPU s, GPU s and speed-up as 004 prints them for the row's size; dashes if it does not."""
    printed = IIZUKA_TABLE_3.rows.get(size_text(row.size))
    if printed is None or report.family != FAMILY or row.batch != 1:
        return MISSING, MISSING, MISSING
    return printed[1], printed[2], printed[3]


def reference(report: BenchReport, row: BenchRow) -> BenchRow | None:
    """What a row's speed-up is over: the first float32 row on the CPU at its size that worked."""
    for other in report.rows:
        exact = other.candidate.precision == "fp32" and not other.candidate.form
        if other.size == row.size and exact and other.steps and not other.on_gpu:
            return other
    return None


def _blocks(report: BenchReport) -> list[tuple[str, Block]]:
    def block(heads: tuple[str, ...], cells: Callable[[BenchRow], tuple[str, ...]]) -> Block:
        rows = [(_name(row), *cells(row)) for row in report.rows if row.steps]
        return ("size, backend", *heads), rows

    def compared(row: BenchRow) -> tuple[str, ...]:
        return (*_main_cells(report, row), *paper_cells(report, row))

    int8 = report.floor.get("int8")
    others = OTHER_COLUMNS if int8 is None else (*OTHER_COLUMNS, INT8_COLUMN)

    def needed(row: BenchRow) -> tuple[str, ...]:
        return _others(row) if int8 is None else (*_others(row), _share_of_int8(row, int8))

    main = ("pixels", "CPU s", "GPU s", "speed-up", "end to end s")
    paper = ("paper: CPU s", "GPU s", "speed-up")
    return [
        (MAIN, block(main + paper, compared)),
        (
            "Milliseconds: medians of the steps, then the spread of the network's:",
            block(STEP_COLUMNS, _step_cells),
        ),
        ("What it needs, and its share of what the machine can do:", block(others, needed)),
    ]


def _main_cells(report: BenchReport, row: BenchRow) -> tuple[str, ...]:
    seconds = row.steps["predict"].median
    base = reference(report, row)
    ratio = MISSING
    if base is not None and seconds > 0:
        ratio = f"{base.steps['predict'].median / seconds:.2f}x"
    shown = f"{seconds:.3f}"
    columns = (MISSING, shown) if row.on_gpu else (shown, MISSING)
    height, width = row.size
    pixels = f"{row.batch * height * width:,}"
    return (pixels, *columns, ratio, f"{row.steps['total'].median:.3f}")


def _step_cells(row: BenchRow) -> tuple[str, ...]:
    network = row.steps["predict"]
    medians = [row.steps[step].median for step in ("prepare", "predict", "merge", "total")]
    spread = (network.minimum, network.p10, network.p90, network.p99)
    return tuple(f"{seconds * 1000:.1f}" for seconds in (*medians, *spread))


def _others(row: BenchRow) -> tuple[str, ...]:
    def mebibytes(count: int | None) -> str:
        return MISSING if count is None else f"{count / 2**20:.0f}"

    share = share_of_floor(row)
    return (
        MISSING if row.load_seconds is None else f"{row.load_seconds:.2f}",
        MISSING if row.first_seconds is None else f"{row.first_seconds:.2f}",
        mebibytes(row.peak_memory),
        mebibytes(row.gpu_memory),
        MISSING if row.flops is None else f"{row.flops / 1e9:.1f}",
        MISSING if row.rate is None else f"{row.rate / 1e9:.0f}",
        MISSING if share is None else f"{share:.0%}",
    )


def _share_of_int8(row: BenchRow, floor: FloorRate) -> str:
    if row.rate is None or row.candidate.precision != "int8" or row.on_gpu or not floor.rate:
        return MISSING
    return f"{row.rate / floor.rate:.0%}"


def share_of_floor(row: BenchRow) -> float | None:
    """The network's FLOP/s over those of the matrix product that took turns with it."""
    if row.rate is None or row.floor_rate is None or row.on_gpu:
        return None
    return row.rate / row.floor_rate


def _name(row: BenchRow) -> str:
    return f"{size_text(row.size)}{DAGGER if row.shared else ''} {row.candidate}"


def _failures(report: BenchReport) -> list[tuple[str, str]]:
    """Rows without figures: their names, and why."""
    return [(_name(row), f"failed: {row.error}") for row in report.rows if row.error is not None]


def _heading(report: BenchReport) -> list[str]:
    settings = report.settings
    threads = settings["threads"] or "auto"
    first = f"{report.model} ({report.model_sha256[:12]}), threads {threads}"
    details = f"render {settings['render']}, batch {settings['batch']}, grey {report.picture}"
    lines = [f"{first}, {details}" if report.picture else first]
    lines.append(f"{report.machine['processor']}, {report.machine['cores']} cores")
    lines += [f"{gpu['name']}, driver {gpu['driver_version']}" for gpu in report.machine["gpus"]]
    return [*lines, report.remark] if report.remark else lines


def _remarks(report: BenchReport, *, wrap: bool = True) -> list[str]:
    remarks = []
    if any(row.shared for row in report.rows):
        remarks.append(IIZUKA_TABLE_3.remarks[0])
    if any(paper_cells(report, row)[0] != MISSING for row in report.rows):
        remarks.append(f"paper: {IIZUKA_TABLE_3.source}: {IIZUKA_TABLE_3.title}")
    bases = {str(base.candidate) for row in report.rows if (base := reference(report, row))}
    if bases:
        remarks.append(f"speed-up: over {' or '.join(sorted(bases))} at the same size")
    remarks += floor_remarks(report)
    remarks += cut_remarks(report)
    remarks.append(f"took {duration_text(report.seconds)}")
    warning = busy_warning(report)
    if warning is not None:
        remarks.append(warning)
    return [line for remark in remarks for line in wrapped(remark)] if wrap else remarks


def floor_remarks(report: BenchReport) -> list[str]:
    """What the machine can do, in a line."""
    units = {"sgemm": "GFLOP/s", "int8": "GOP/s", "copy": "GB/s read and written"}
    found = [
        f"{rate.measurement.name} {rate.rate / 1e9:.4g} {units[kind]}"
        for kind, rate in report.floor.items()
    ]
    return [f"the machine: {', '.join(found)}"] if found else []


def cut_remarks(report: BenchReport) -> list[str]:
    """Which sizes got fewer runs than were asked for."""
    asked = report.settings["runs"]
    counts: dict[Size, int] = {}
    for row in report.rows:
        if row.turns:
            counts[row.size] = min(counts.get(row.size, asked), sum(row.turns))
    cut = [f"{size_text(size)}: {count}" for size, count in counts.items() if count < asked]
    if not cut:
        return []
    budget = duration_text(report.settings["budget"])
    return [f"runs instead of {asked}, to keep to the budget of {budget}: {', '.join(cut)}"]


def busy_warning(report: BenchReport) -> str | None:
    """That the machine had something else to do, if the spread says so."""
    shaky = [_name(row) for row in report.rows if row.steps and row.steps["predict"].unstable]
    if not shaky:
        return None
    return (
        f"warning: the timings of {', '.join(shaky)} spread widely: the machine was busy with "
        "something else; stop that or take more runs before trusting them"
    )

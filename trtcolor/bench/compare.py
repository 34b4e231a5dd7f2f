"""`bench compare`: what changed between two benchmarks beyond the noise.

**The statistic.** Of each row that both files have, the ratio of the medians of the network's time,
new over old, each median divided by the median of the machine's own matrix product, which took
turns with it: a machine that was slower as a whole, or another one, is no change of the program.

**Its noise.** Values of one turn are alike, so whole turns are drawn with replacement, `DRAWS`
times from each file (a bootstrap over clusters, with the floor's values), and the middle `COVERAGE`
of the ratios is the interval. It holds what varied within the runs; what varies between two runs
(where memory lies, the neighbours of a virtual machine) it cannot see, so a change counts only
beyond a `tolerance` as well, which grows to half of the values' own spread where they spread more.

A row is **slower** if the whole interval is above 1 + tolerance and the fast values (10th
percentiles, which disturbances do not reach) say so too; **faster** likewise below 1 / (1 +
tolerance); **failed** if it worked in the old file and does not in the new one. Slower and failed
are regressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.bench.report import BenchReport, BenchRow
from trtcolor.bench.sizes import size_text
from trtcolor.evaluation.table import MISSING, aligned, wrapped

DRAWS = 2000
COVERAGE = 0.99
TOLERANCE = 0.05
STEP = "predict"

Verdict = Literal["same", "slower", "faster", "failed", "mended", "only old", "only new"]
REGRESSIONS: tuple[Verdict, ...] = ("slower", "failed")


@dataclass(frozen=True)
class Change:
    """One row in both files.

    Attributes:
        name: size and candidate.
        verdict: see the module.
        ratio: new over old, corrected by the floor; None where one has no values.
        interval: of the ratio.
        tolerance: what the verdict allowed.
    """

    name: str
    verdict: Verdict
    ratio: float | None = None
    interval: tuple[float, float] = (0.0, 0.0)
    tolerance: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """All rows, and what the two files differ in besides."""

    changes: tuple[Change, ...]
    remarks: tuple[str, ...]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Rows that became slower or failed."""
        return tuple(change for change in self.changes if change.verdict in REGRESSIONS)

    def text(self) -> str:
        """A table, then the remarks."""
        rows = []
        for change in self.changes:
            cells = (MISSING, MISSING, MISSING)
            if change.ratio is not None:
                low, high = change.interval
                cells = (
                    f"{change.ratio:.3f}",
                    f"{low:.3f}..{high:.3f}",
                    f"{change.tolerance:.0%}",
                )
            rows.append((change.name, *cells, change.verdict))
        heads = ("size, backend", "new / old", f"{COVERAGE:.0%} interval", "allowed", "verdict")
        lines = [*aligned(heads, rows), ""]
        return "\n".join([*lines, *(line for remark in self.remarks for line in wrapped(remark))])


def compare(old: BenchReport, new: BenchReport, *, tolerance: float = TOLERANCE) -> Comparison:
    """Hold two benchmarks against each other.

    Args:
        old, new: at least one row of them is of the same candidate, size and batch.
        tolerance: relative change that is never called one, above 0.

    Raises:
        ValueError: no row in common, or a tolerance that is not positive.
    """
    if not tolerance > 0:
        raise ValueError(f"a tolerance of {tolerance} came; a positive share was needed, as 0.05")
    before, after = ({_key(row): row for row in report.rows} for report in (old, new))
    common = [key for key in before if key in after]
    if not common:
        raise ValueError(
            "the two files have no backend, precision, size and batch in common; at least one was "
            "needed; run both with the same options"
        )
    changes = [_change(before[key], after[key], tolerance) for key in common]
    changes += [Change(_name(row), "only old") for key, row in before.items() if key not in after]
    changes += [Change(_name(row), "only new") for key, row in after.items() if key not in before]
    return Comparison(tuple(changes), tuple(_remarks(old, new)))


def _change(old: BenchRow, new: BenchRow, tolerance: float) -> Change:
    name = _name(new)
    if not (old.steps and new.steps):
        if bool(old.steps) == bool(new.steps):
            return Change(name, "same")
        return Change(name, "failed" if old.steps else "mended")
    allowed = max(tolerance, *(row.steps[STEP].spread / 2 for row in (old, new)))
    random = np.random.default_rng(0)
    drawn = _drawn(new, random) / _drawn(old, random)
    outside = (1 - COVERAGE) / 2
    low, high = (float(np.quantile(drawn, q)) for q in (outside, 1 - outside))
    ratio = _relative(new, 50) / _relative(old, 50)
    fast = _relative(new, 10) / _relative(old, 10)
    verdict: Verdict = "same"
    if min(low, fast) > 1 + allowed:
        verdict = "slower"
    elif max(high, fast) < 1 / (1 + allowed):
        verdict = "faster"
    return Change(name, verdict, ratio, (low, high), allowed)


def _relative(row: BenchRow, percentile: float) -> float:
    """A percentile of the network's time in units of the floor's, or in seconds without one."""
    time = float(np.percentile(row.steps[STEP].seconds, percentile))
    return time / float(np.percentile(_floor(row), percentile))


def _drawn(row: BenchRow, random: np.random.Generator) -> NDArray[np.float64]:
    """`DRAWS` medians of the network's time over those of the floor, turns drawn anew each time."""
    floor = _floor(row)
    times = _medians(row.steps[STEP].seconds, row.turns, random)
    return times / _medians(floor, [1] * len(floor), random)


def _medians(
    values: Sequence[float], turns: Sequence[int], random: np.random.Generator
) -> NDArray[np.float64]:
    """`DRAWS` medians, each of as many turns as there are, drawn with replacement.

    A turn that is drawn k times weighs its values k times: the median lies where the weights of the
    sorted values reach half of their sum.
    """
    count = len(turns)
    order = np.argsort(values)
    ascending = np.asarray(values, np.float64)[order]
    turn = np.repeat(np.arange(count), turns)[order]
    weights = random.multinomial(count, [1 / count] * count, DRAWS)[:, turn].cumsum(axis=1)
    half = weights[:, -1:] / 2
    lower, upper = (weights >= half).argmax(axis=1), (weights > half).argmax(axis=1)
    medians: NDArray[np.float64] = (ascending[lower] + ascending[upper]) / 2
    return medians


def _floor(row: BenchRow) -> tuple[float, ...]:
    """Seconds of the machine's own task for a fixed amount of work."""
    if row.floor is None or row.floor_work <= 0 or row.on_gpu:
        return (1.0,)
    return tuple(seconds / row.floor_work * 1e12 for seconds in row.floor.seconds)


def _key(row: BenchRow) -> tuple[object, ...]:
    return row.candidate, row.size, row.batch


def _name(row: BenchRow) -> str:
    batch = f" x{row.batch}" if row.batch > 1 else ""
    return f"{size_text(row.size)}{batch} {row.candidate}"


def _remarks(old: BenchReport, new: BenchReport) -> list[str]:
    """What else is not the same; figures of different things are not comparable."""
    remarks = []
    if old.model_sha256 != new.model_sha256:
        remarks.append(
            f"the models differ: {old.model} {old.model_sha256[:12]}, "
            f"{new.model} {new.model_sha256[:12]}"
        )
    for entry in sorted({*old.machine, *new.machine} - {"load_average", "clocks_mhz", "memory"}):
        values = old.machine.get(entry), new.machine.get(entry)
        if values[0] != values[1]:
            remarks.append(f"{entry}: {values[0]} then, {values[1]} now")
    for entry in ("threads", "render"):
        if old.settings.get(entry) != new.settings.get(entry):
            remarks.append(
                f"{entry}: {old.settings.get(entry)} then, {new.settings.get(entry)} now"
            )
    if "sgemm" in old.floor and "sgemm" in new.floor:
        rates = [report.floor["sgemm"].rate / 1e9 for report in (old, new)]
        names = [report.floor["sgemm"].measurement.name for report in (old, new)]
        if names[0] != names[1]:
            remarks.append(f"the machine's matrix product was {names[0]} then, {names[1]} now")
        remarks.append(
            f"the machine's matrix product: {rates[0]:.4g} GFLOP/s then, {rates[1]:.4g} now; "
            "times on the CPU are divided by it"
        )
    return remarks

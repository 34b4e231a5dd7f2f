"""A paper's tables with our figures in them: what the modules of the papers share.

Below each row of a paper stand the bundles of ours that are that system; a row without one shows
dashes. Each of ours has a number, and below the tables what was measured and how it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from trtcolor import __version__
from trtcolor.evaluation.mean_colour import set_name
from trtcolor.evaluation.result import Evaluation, Row
from trtcolor.evaluation.systems import training_data
from trtcolor.evaluation.table import MISSING, aligned, shown, wrapped
from trtcolor.papers import Printed
from trtcolor.spec import ModelSpec

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A table.

    Attributes:
        title: above it.
        columns: headings.
        rows: name and cells of each; those of ours are indented.
        remarks: below it.
        groups: headings above the columns, lines with a newline between them, each with the number
            of columns that it spans.
    """

    title: str
    columns: Cells
    rows: tuple[tuple[str, Cells], ...]
    remarks: tuple[str, ...] = ()
    groups: tuple[tuple[str, int], ...] = ()

    def lines(self) -> list[str]:
        table = aligned(["", *self.columns], [[name, *cells] for name, cells in self.rows])
        above = _group_lines(self.groups, table[0], self.columns)
        remarks = [line for remark in self.remarks for line in wrapped(remark)]
        return [*wrapped(self.title), *above, *table, *remarks]


@dataclass(frozen=True)
class Comparison:
    """All tables of a paper with ours.

    Attributes:
        paper: "001", "003" or "004".
        blocks: the tables.
        credentials: of each bundle, numbered: what was measured, and how it was trained.
        remarks: what holds for all of them.
        evaluations: what our figures were taken from.
    """

    paper: str
    blocks: tuple[Block, ...]
    credentials: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    evaluations: tuple[Evaluation, ...] = field(default=(), repr=False)

    def text(self) -> str:
        lines: list[str] = []
        for block in self.blocks:
            lines += [*block.lines(), ""]
        for text in (*self.credentials, *self.remarks):
            lines += wrapped(text)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, our evaluations with the values of each picture included."""
        return {
            "trtcolor": __version__,
            "paper": self.paper,
            "tables": [asdict(block) for block in self.blocks],
            "credentials": list(self.credentials),
            "remarks": list(self.remarks),
            "evaluations": [evaluation.to_dict() for evaluation in self.evaluations],
        }


def side_by_side(
    printed: Printed,
    ours: Sequence[tuple[str | None, str, Cells]],
    *,
    systems: Sequence[str] | None = None,
    **more: Any,
) -> Block:
    """A paper's table with our rows below those that they are.

    Args:
        printed: the paper's.
        ours: the paper's row that it is (None: none of them), name and cells of each of ours.
        systems: rows that are networks of this project; None: all.
        more: further entries of the `Block`.
    """
    rows: list[tuple[str, Cells]] = []
    for name, cells in printed.rows.items():
        rows.append((name, cells))
        mine = [(f"  ours {own}", found) for system, own, found in ours if system == name]
        if not mine and (systems is None or name in systems):
            mine = [("  ours", (MISSING,) * len(cells))]
        rows += mine
    others = [(f"  {own}", found) for system, own, found in ours if system is None]
    if others:
        rows += [("Not in the paper", ("",) * len(printed.columns)), *others]
    remarks = (*printed.remarks, *more.pop("remarks", ()))
    title = f"{printed.source}: {printed.title}"
    return Block(title, printed.columns, tuple(rows), remarks, **more)


def cells(evaluation: Evaluation, row: Row, forms: dict[str, str]) -> Cells:
    """A row's figures by the names and in the formats of ``forms``."""
    figures = evaluation.figures(row)
    return tuple(shown(figures.get(name), form) for name, form in forms.items())


def marked(evaluation: Evaluation) -> list[tuple[str, Row]]:
    """The bundles with their marks, [1] and so on, as their credentials have them."""
    return [(f"[{number}] {row.name}", row) for number, row in enumerate(evaluation.bundles, 1)]


def references(evaluation: Evaluation) -> list[Row]:
    """Grey and mean colours, which belong below every table."""
    return [row for row in evaluation.rows if row.kind in ("grey", "mean colour")]


def measured(evaluation: Evaluation) -> str:
    """Which pictures our figures are of: data, class, size, counts, and the unreadable ones."""
    size, chosen = evaluation.settings.size, evaluation.settings.only_class
    parts = [
        evaluation.data,
        "all classes" if chosen is None else f"class {chosen}",
        "at their own size" if size is None else f"at {size}x{size}",
    ]
    named = f" ({', '.join(evaluation.unreadable)})" if evaluation.unreadable else ""
    return f"{', '.join(parts)}: {evaluation.counts}{named}"


def credentials(evaluations: Sequence[Evaluation], measures: str = "") -> tuple[str, ...]:
    """Of each bundle: pictures measured, training data, how long, from which weights.

    Args:
        evaluations: of the same bundles.
        measures: what the paper's table shows besides picture measures, as a row's ``left_out``
            names it; why a bundle lacks it is said.
    """
    found = []
    for number, row in enumerate(evaluations[0].bundles, 1):
        assert row.spec is not None
        of = " and ".join(
            f"{evaluation.counts.kept:,} pictures of {evaluation.data}"
            for evaluation in evaluations
        )
        lacks = [reason for reason in row.left_out if measures and reason.startswith(measures)]
        name = f"[{number}] {row.name}: measured on {of}"
        found.append("; ".join([name, *training(row.spec), *lacks]))
    return tuple(found)


def training(spec: ModelSpec) -> list[str]:
    """How a model was trained, in words; what its spec does not say is said to be unknown."""
    data, entries = training_data(spec), spec.training
    parts = [f"trained on {set_name(data) or 'data that it does not describe'}"]
    match data.get("train"):
        case {"kept": int(kept)}:
            parts[0] += f" ({kept:,} pictures kept)"
    match entries:
        case {"steps": int(steps), "batch_size": int(batch)}:
            parts.append(f"{steps:,} steps of {batch}, {steps * batch:,} pictures seen")
        case _:
            parts.append("steps not recorded")
    match entries:
        case {"seconds": int() | float() as seconds}:
            parts.append(f"in {duration(seconds)}")
        case _:
            parts.append("time not recorded")
    parts.append(f"started from {entries.get('start') or 'weights that are not recorded'}")
    if spec.classes:
        parts.append(f"{len(spec.classes)} scenes")
    match spec.decoder:
        case {"kind": "annealed-mean", "temperature": temperature}:
            parts.append(f"colours by the annealed mean, temperature {temperature}")
        case {"kind": "mode" | "mean" as kind}:
            parts.append(f"colours by the {kind}")
    return parts


def duration(seconds: float) -> str:
    """45 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _group_lines(
    groups: Sequence[tuple[str, int]], heads: str, columns: Sequence[str]
) -> list[str]:
    """Lines of the groups' headings, each ending where its last column ends."""
    ends, at = [], 0
    for column in columns:
        at = heads.index(column, at) + len(column)
        ends.append(at)
    lines = [""] * max((text.count("\n") + 1 for text, _ in groups), default=0)
    last = -1
    for text, span in groups:
        last += span
        for number, part in enumerate(text.split("\n")):
            lines[number] += part.rjust(ends[last] - len(lines[number]))
    return lines

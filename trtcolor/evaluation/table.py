"""An evaluation as text: two tables, a row a system, and below them what the columns mean."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from trtcolor.evaluation.figures import COLOUR, OTHER, Figure, Measure
from trtcolor.evaluation.result import Evaluation

WIDTH = 118
COLUMN = 8
MISSING = "-"


def table(evaluation: Evaluation) -> str:
    """The tables of an evaluation, at most `WIDTH` characters wide."""
    lines = [f"{evaluation.data}: {evaluation.counts}", *_choices(evaluation)]
    for measures in (COLOUR, OTHER):
        lines += ["", *_block(evaluation, measures)]
    lines += ["", *_remarks(evaluation)]
    rate = len(evaluation.keys) / evaluation.seconds if evaluation.seconds > 0 else 0.0
    lines.append(
        f"{evaluation.seconds:.1f} s, {rate:.1f} pictures/s, decoding and measuring included"
    )
    return "\n".join(lines)


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column of names to the left, the others to the right.

    Names are cut to what the other columns leave of `WIDTH`.
    """
    widths = [
        max(COLUMN, *(len(row[column]) + 2 for row in (heads, *rows)))
        for column in range(1, len(heads))
    ]
    names = [_cut(row[0], WIDTH - sum(widths)) for row in (heads, *rows)]
    first = max(map(len, names))
    return [
        name.ljust(first) + "".join(c.rjust(w) for c, w in zip(row[1:], widths, strict=True))
        for name, row in zip(names, (heads, *rows), strict=True)
    ]


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 2] + ".."


def shown(figure: Figure | None, form: str) -> str:
    """A figure in its format, a dash where there is none."""
    return MISSING if figure is None else f"{figure.value:{form}}"


def wrapped(text: str) -> list[str]:
    """A remark on as many lines as it takes."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _choices(evaluation: Evaluation) -> list[str]:
    plain = {"saturation": 1.0, "render": "auto"}
    given = evaluation.settings.given().items()
    chosen = [f"{name.replace('_', ' ')} {v}" for name, v in given if plain.get(name) != v]
    return [", ".join(chosen)] if chosen else []


def _block(evaluation: Evaluation, measures: Sequence[Measure]) -> list[str]:
    """Those of the columns that any row has."""
    figures = [(row, evaluation.figures(row)) for row in evaluation.rows]
    columns = [m for m in measures if any(m.name in own for _, own in figures)]
    rows = [
        [row.name, *(shown(own.get(m.name), m.form) for m in columns)]
        for row, own in figures
        if any(m.name in own for m in columns)
    ]
    key = "; ".join(f"{m.heading}: {m.meaning}" for m in columns)
    return [*aligned(["", *(m.heading for m in columns)], rows), *wrapped(key)]


def _remarks(evaluation: Evaluation) -> list[str]:
    """Figures of fewer pictures than were kept, and what was left out."""
    kept = evaluation.counts.kept
    fewer: dict[tuple[str, int], list[str]] = {}
    for row in evaluation.rows:
        for name, figure in evaluation.figures(row).items():
            measure = next((m for m in (*COLOUR, *OTHER) if m.name == name), None)
            if measure is not None and figure.pictures != kept:
                fewer.setdefault((measure.heading, figure.pictures), []).append(row.name)
    lines = []
    for (heading, pictures), names in fewer.items():
        rows = "" if len(names) >= len(evaluation.rows) - 1 else f" ({', '.join(names)})"
        lines += wrapped(f"{heading} is of {pictures} of the {kept} pictures{rows}")
    for row in evaluation.rows:
        for reason in row.left_out:
            lines += wrapped(f"{row.name}: {reason}")
    for note in evaluation.notes:
        lines += wrapped(note)
    if evaluation.unreadable:
        lines += wrapped(f"unreadable: {', '.join(evaluation.unreadable)}")
    return lines

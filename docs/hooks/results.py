"""`result`: a file of benchmarks/results, and filters that write its figures.

Nothing has a default: a file or a key that is missing ends the build.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@cache
def result(name: str) -> Any:
    """The content of ``benchmarks/results/NAME``: .json, .jsonl (a list), either with .gz.

    Raises:
        FileNotFoundError: where there is none.
    """
    path = RESULTS / name
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    if ".jsonl" in path.suffixes:
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def number(value: float, digits: int = 0) -> str:
    """With that many digits behind the point, thousands apart: 12,000 and 0.881."""
    return f"{value:,.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    """A share as per cent: 0.123 is 12 %."""
    return f"{100 * value:.{digits}f} %"


def milliseconds(seconds: float, digits: int = 1) -> str:
    return f"{1e3 * seconds:,.{digits}f}"


def megabytes(count: float, digits: int = 0) -> str:
    """Bytes as MB of 10^6."""
    return f"{count / 1e6:,.{digits}f}"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; None is an empty cell."""
    lines = [heads, ["---"] * len(heads), *rows]
    cells = (["" if cell is None else str(cell) for cell in line] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "percent": percent,
    "milliseconds": milliseconds,
    "megabytes": megabytes,
    "median": median,
    "mean": fmean,
}

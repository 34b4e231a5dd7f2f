"""What became of every picture of a run, read from the lines that the run wrote.

``OUT/.trtcolor/results.jsonl`` has a JSON object a line. The first names version and settings and
has no ``outcome``; each other one is a picture's. A run that was killed may have cut its last line,
and one that went on tells of a picture again: the last word counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trtcolor.archive.journal import FILE
from trtcolor.archive.place import INNER
from trtcolor.errors import DataError

RESULTS = Path(INNER) / FILE
OUTCOMES = ("coloured", "skipped", "failed")


@dataclass(frozen=True)
class Result:
    """What became of one picture.

    Attributes:
        input, output: paths as they were written, with surrogates where they are no text; an
            output that was never made is None.
        outcome: one of `OUTCOMES`.
        reason: why it was skipped or failed; may be empty.
        height, width: in pixels; bits of a sample; pages of the file. None: not known.
        seconds: of reading, the network, writing, ..., by name.
        pulled_in: share of its pixels whose colour was drawn into gamut, 0..1.
        model: name of the model that coloured it.
    """

    input: str
    output: str | None
    outcome: str
    reason: str = ""
    height: int | None = None
    width: int | None = None
    bits: int | None = None
    pages: int | None = None
    seconds: tuple[tuple[str, float], ...] = ()
    pulled_in: float | None = None
    model: str = ""


@dataclass(frozen=True)
class Results:
    """Every picture of an output folder, once.

    Attributes:
        pictures: in the order in which they were first told of.
        unreadable: lines that say nothing that is understood, a cut last one left out.
    """

    pictures: list[Result]
    unreadable: int


def read_results(folder: Path) -> Results:
    """Read what the runs into a folder wrote about their pictures.

    A picture that was coloured, and skipped by a later run because it had been, is coloured.

    Args:
        folder: the output folder of ``trtcolor colorize``.

    Raises:
        DataError: it has no results that can be read, or they tell of no picture.
    """
    file = folder / RESULTS
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({error.strerror}); the output folder of 'trtcolor colorize "
            "... -o FOLDER' was needed; name that folder"
        ) from None
    found: dict[str, Result] = {}
    inputs: dict[str, str] = {}  # by output
    unreadable = 0
    for result in _results(text):
        if result is None:
            unreadable += 1
            continue
        before = found.get(result.input)
        if result.output is not None:
            earlier = inputs.setdefault(result.output, result.input)
            if earlier != result.input:  # the folder of the inputs was moved
                before = found.pop(earlier, before)
                inputs[result.output] = result.input
        if result.outcome == "skipped" and before and before.outcome == "coloured":
            result = replace(before, input=result.input)
        found[result.input] = result
    if not found:
        raise DataError(
            f"{file} tells of no picture; a run that has come to its first one was needed; run "
            "'trtcolor colorize' again"
        )
    return Results(list(found.values()), unreadable)


def _results(text: str) -> Iterator[Result | None]:
    """Each line's; None: a line that is not understood."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines) - 1:  # a cut last line is what a kill leaves
                yield None
            continue
        if not isinstance(entry, dict):
            yield None
        elif "outcome" in entry or number:
            yield _result(entry)


def _result(entry: dict[str, Any]) -> Result | None:
    source, output, outcome = (entry.get(key) for key in ("input", "output", "outcome"))
    if not isinstance(source, str) or outcome not in OUTCOMES:
        return None
    seconds = entry.get("seconds")
    timed = seconds.items() if isinstance(seconds, dict) else ()
    return Result(
        input=source,
        output=output if isinstance(output, str) else None,
        outcome=outcome,
        reason=_text(entry.get("reason")),
        height=_count(entry.get("height")),
        width=_count(entry.get("width")),
        bits=_count(entry.get("bits")),
        pages=_count(entry.get("pages")),
        seconds=tuple(
            (name, value) for name, given in timed if (value := _number(given)) is not None
        ),
        pulled_in=_number(entry.get("pulled_in")),
        model=_text(entry.get("model")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None

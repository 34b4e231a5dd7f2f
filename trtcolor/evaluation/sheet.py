"""The contact sheet of an evaluation: grey | each bundle | original."""

from __future__ import annotations

from pathlib import Path

from trtcolor.evaluation.result import Evaluation
from trtcolor.evaluation.run import SHEET_CELL
from trtcolor.images import write_picture
from trtcolor.sheet import contact_sheet

COLUMNS = 12
"""Groups of grey, bundles and original stand side by side up to so many columns."""


def write_sheet(path: Path, evaluation: Evaluation, *, overwrite: bool = False) -> None:
    """Write what the evaluation kept to show (`trtcolor.evaluation.run.evaluate`, ``show``).

    Below each coloured picture stands its mean CIEDE2000, below the original its key.

    Raises:
        ValueError: nothing was kept to show.
        PictureError, OutputExistsError: the file cannot be written.
    """
    columns = [row for row in evaluation.rows if row.kind in ("grey", "bundle")]
    captions = [
        (*(f"CIEDE2000 {row.values['ciede2000'][index]:.1f}" for row in columns), key)
        for index, key in enumerate(evaluation.keys[: len(evaluation.shown)])
    ]
    headings = (*(row.name for row in columns), "original")
    groups = min(max(COLUMNS // len(headings), 1), len(evaluation.shown))
    starts = range(0, len(evaluation.shown), max(groups, 1))
    sheet = contact_sheet(
        [sum(evaluation.shown[i : i + groups], ()) for i in starts],
        headings=headings * groups,
        captions=[sum(captions[i : i + groups], ()) for i in starts],
        cell=SHEET_CELL,
    )
    write_picture(path, sheet, overwrite=overwrite)

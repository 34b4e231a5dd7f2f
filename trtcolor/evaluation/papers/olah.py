"""003, Table 1: five methods on Tiny ImageNet and MIT Places, each also on the other's pictures."""

from __future__ import annotations

from trtcolor.evaluation.mean_colour import set_name
from trtcolor.evaluation.papers.comparison import (
    Block,
    Cells,
    Comparison,
    cells,
    credentials,
    marked,
    measured,
    references,
    side_by_side,
)
from trtcolor.evaluation.result import Evaluation, Row
from trtcolor.evaluation.systems import training_data
from trtcolor.evaluation.table import MISSING
from trtcolor.papers import OLAH_COLUMNS, OLAH_CROSS, OLAH_SAME, Printed
from trtcolor.spec import ModelSpec

TINY, PLACES = "Tiny ImageNet", "MIT Places"
FAMILIES = {
    "olah2022-regression": "Baseline Regression",
    "olah2022-cnn": "CNN",
    "olah2022-unet": "Unet",
}
NOTHING: Cells = (MISSING,) * len(OLAH_COLUMNS)
REMARK = (
    "Ours: L2 and L1 of a*b*/128 of the uint8 output; cross entropy and accuracy of the bins on "
    "the network's own grid, with weights the weighted cross entropy, as the paper's. Our bins are "
    "not the paper's 313 unless they were given (003, 3.3)."
)


def compare(tiny: Evaluation, places: Evaluation | None) -> Comparison:
    """Both halves of the paper's table with ours.

    Args:
        tiny: every bundle on Tiny ImageNet.
        places: the same bundles on MIT Places; None: not measured, so that its columns are dashes.
    """
    same, cross, others = [], [], []
    for index, (mark, row) in enumerate(marked(tiny)):
        on_tiny = _cells(tiny, row)
        on_places = _cells(places, places.bundles[index]) if places else NOTHING
        method, trained = method_of(row.spec), trained_on(row.spec)
        if method is None or trained is None:
            others.append((mark, on_tiny + on_places))
        elif trained == TINY:
            same.append((method, mark, on_tiny + NOTHING))
            cross.append((method, mark, on_places + NOTHING))
        else:
            same.append((method, mark, NOTHING + on_places))
            cross.append((method, mark, NOTHING + on_tiny))
    for row in references(tiny):
        twin = next((r for r in places.rows if r.name == row.name), None) if places else None
        found = _cells(places, twin) if places and twin else NOTHING
        others.append((row.name, _cells(tiny, row) + found))
    evaluations = (tiny,) if places is None else (tiny, places)
    remarks = [f"{TINY}: {measured(tiny)}"]
    remarks.append(
        f"{PLACES}: {measured(places)}"
        if places
        else f"{PLACES}: not measured; give its pictures with --places"
    )
    return Comparison(
        paper="003",
        blocks=(
            _half(OLAH_SAME, same, (TINY, TINY), (PLACES, PLACES)),
            _half(OLAH_CROSS, cross, (TINY, PLACES), (PLACES, TINY)),
            Block(
                "Ours that are no row of the paper, or were trained on other data",
                OLAH_COLUMNS * 2,
                tuple(others),
                (REMARK,),
                groups=((f"evaluated on {TINY}", 4), (f"evaluated on {PLACES}", 4)),
            ),
        ),
        credentials=credentials(evaluations, "bin measures"),
        remarks=(*remarks, *tiny.notes),
        evaluations=evaluations,
    )


def method_of(spec: ModelSpec | None) -> str | None:
    """The paper's row that a model is."""
    method = FAMILIES.get(spec.family) if spec else None
    if spec is None or method is None or method == "Baseline Regression":
        return method
    return f"{method} with Weights" if "class_weights" in spec.decoder else method


def trained_on(spec: ModelSpec | None) -> str | None:
    """Which of the paper's data sets a model was trained on, by its own words; None: neither."""
    words = set_name(training_data(spec)).lower() if spec else ""
    letters = "".join(letter for letter in words if letter.isalnum())
    if "tinyimagenet" in letters:
        return TINY
    return PLACES if "places" in letters else None


def _half(
    printed: Printed,
    ours: list[tuple[str, str, Cells]],
    first: tuple[str, str],
    second: tuple[str, str],
) -> Block:
    groups = tuple((f"trained on {on}\nevaluated on {of}", 4) for on, of in (first, second))
    return side_by_side(printed, ours, groups=groups)


def _cells(evaluation: Evaluation, row: Row) -> Cells:
    weighted = row.spec is not None and "class_weights" in row.spec.decoder
    entropy = "weighted_cross_entropy" if weighted else "cross_entropy"
    forms = {"chroma_l2": ".3f", "chroma_l1": ".3f", entropy: ".3f", "bin_accuracy": ".3f"}
    return cells(evaluation, row, forms)

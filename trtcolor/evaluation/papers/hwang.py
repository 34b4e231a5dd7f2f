"""001, Table 2: classification against regression on open country."""

from __future__ import annotations

from trtcolor.evaluation.papers.comparison import (
    Comparison,
    cells,
    credentials,
    marked,
    measured,
    references,
    side_by_side,
)
from trtcolor.evaluation.result import Evaluation
from trtcolor.papers import HWANG_TABLE_2
from trtcolor.spec import ModelSpec

FORMS = {"accuracy_u": ".2%", "accuracy_v": ".2%", "saturation_difference": ".1%"}
SYSTEMS = {
    "hwang2016-classification": "Classification",
    "hwang2016-regression": "Regression",
}
REMARK = (
    "Ours: means over pictures; accuracies of the bins of u* and v* of the uint8 output, so that a "
    "regression, grey and one colour have them too. The paper's encoder has ImageNet weights."
)


def compare(evaluation: Evaluation) -> Comparison:
    """The paper's table with every bundle of an evaluation, grey and mean colour."""
    ours = [
        (_system(row.spec), mark, cells(evaluation, row, FORMS)) for mark, row in marked(evaluation)
    ]
    others = [(None, row.name, cells(evaluation, row, FORMS)) for row in references(evaluation)]
    return Comparison(
        paper="001",
        blocks=(side_by_side(HWANG_TABLE_2, [*ours, *others], remarks=(REMARK,)),),
        credentials=credentials([evaluation]),
        remarks=(measured(evaluation), *evaluation.notes),
        evaluations=(evaluation,),
    )


def _system(spec: ModelSpec | None) -> str | None:
    return None if spec is None else SYSTEMS.get(spec.family)

"""004: Table 2, and the baseline and the colour spaces beside measures of ours."""

from __future__ import annotations

from trtcolor.evaluation.figures import MEASURES
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
from trtcolor.evaluation.result import Evaluation
from trtcolor.evaluation.table import MISSING
from trtcolor.papers import IIZUKA_FIGURE_5, IIZUKA_TABLE_2
from trtcolor.spec import ModelSpec

FAMILY, BASELINE = "iizuka2016", "iizuka2016-baseline"
SPACES = {"lab": "L*a*b*", "yuv": "YUV", "rgb": "RGB"}
VARIANTS = tuple(
    f"{system}, {space}" for system in ("Proposed", "Baseline") for space in SPACES.values()
)
SHOWN = (
    "ciede2000",
    "ciede2000_ratio",
    "colourfulness",
    "colourfulness_error",
    "chroma_cosine",
    "psnr",
    "ssim",
)
OURS = next(iter(IIZUKA_TABLE_2.rows))
SCENES = {"top1": ".1%", "top5": ".1%"}
ASKED = (
    "A figure of another kind than those below: people were asked. Ask some with 'trtcolor study', "
    "which prints this table with ours in it; we have asked nobody."
)


def compare(evaluation: Evaluation) -> Comparison:
    """The paper's tables with every bundle of an evaluation."""
    return Comparison(
        paper="004",
        blocks=(_scenes(evaluation), _naturalness(), _variants(evaluation)),
        credentials=credentials([evaluation], "scene accuracy"),
        remarks=(measured(evaluation), *evaluation.notes),
        evaluations=(evaluation,),
    )


def variant_of(spec: ModelSpec | None) -> str | None:
    """Which network of the paper a model is, and in which colour space; None: neither."""
    if spec is None or spec.family not in (FAMILY, BASELINE):
        return None
    space = SPACES.get(spec.configuration.get("color_space", "lab"))
    return f"{'Proposed' if spec.family == FAMILY else 'Baseline'}, {space}" if space else None


def _scenes(evaluation: Evaluation) -> Block:
    ours: list[tuple[str | None, str, Cells]] = []
    for mark, row in marked(evaluation):
        if row.spec is not None and "top1" in evaluation.figures(row):
            system = OURS if row.spec.family == FAMILY else None
            ours.append((system, mark, cells(evaluation, row, SCENES)))
    return side_by_side(IIZUKA_TABLE_2, ours, systems=(OURS,))


def _naturalness() -> Block:
    printed = IIZUKA_FIGURE_5
    rows = tuple(printed.rows.items())
    remarks = (ASKED, *printed.remarks)
    return Block(f"{printed.source}: {printed.title}", printed.columns, rows, remarks)


def _variants(evaluation: Evaluation) -> Block:
    measures = [MEASURES[name] for name in SHOWN]
    forms = {measure.name: measure.form for measure in measures}
    ours = [
        (variant_of(row.spec), f"  {mark}", cells(evaluation, row, forms))
        for mark, row in marked(evaluation)
    ]
    rows: list[tuple[str, Cells]] = []
    for variant in VARIANTS:
        mine = [(name, found) for system, name, found in ours if system == variant]
        rows += (
            [(variant, ("",) * len(SHOWN)), *mine] if mine else [(variant, (MISSING,) * len(SHOWN))]
        )
    rows += [(name.strip(), found) for system, name, found in ours if system is None]
    rows += [(row.name, cells(evaluation, row, forms)) for row in references(evaluation)]
    return Block(
        "004, sections 4.1, 4.4 and 4.8, Figures 6 and 9: the proposed network, the baseline and "
        "the colour spaces",
        tuple(measure.heading for measure in measures),
        tuple(rows),
        (
            "The paper gives no figure for these; the measures are ours. Pictures side by side: "
            "--sheet.",
            "; ".join(f"{measure.heading}: {measure.meaning}" for measure in measures),
        ),
    )

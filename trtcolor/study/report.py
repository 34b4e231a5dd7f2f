"""`report_study`: the naturalness table in the form of 004, Figure 5, with the paper's beside ours.

For each user the share of pictures called natural, of each approach; then the median over users.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trtcolor import __version__
from trtcolor.errors import StudyError
from trtcolor.evaluation.papers.comparison import Block, Cells
from trtcolor.evaluation.table import MISSING, wrapped
from trtcolor.papers import IIZUKA_FIGURE_5
from trtcolor.study.answers import read_answers
from trtcolor.study.folder import QUESTION, Approach, Study, open_study
from trtcolor.study.intervals import RESAMPLES, SEED
from trtcolor.study.tally import ENOUGH, Naturalness, UserTally, naturalness, tally_users

PAPER_USERS, PAPER_PICTURES = 10, 500
"""004, section 4.3: "10 different users, each shown roughly 500 images of each type"."""

COLUMNS = (*IIZUKA_FIGURE_5.columns, "95 % interval", "users", "answers")


@dataclass(frozen=True)
class Report:
    """What the users of a study said.

    Attributes:
        study: the study.
        at_least: answers of each approach from which a user counts.
        users: those with any answer.
        figures: of each approach, in the study's order.
        notes: what else is to be known of the figures, in sentences.
    """

    study: Study
    at_least: int
    users: tuple[UserTally, ...]
    figures: tuple[Naturalness, ...]
    notes: tuple[str, ...]

    def text(self) -> str:
        """The paper's table with ours in it, then one of the users, then the notes."""
        blocks = [_paper_block(self), _user_block(self)]
        lines = [line for block in blocks for line in (*block.lines(), "")]
        for note in self.notes:
            lines += wrapped(note)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the figures, each user's shares, what was shown, and the paper's table."""
        study = self.study
        return {
            "trtcolor": __version__,
            "question": QUESTION,
            "figures": [asdict(figure) for figure in self.figures],
            "at_least": self.at_least,
            "users": [{**asdict(user), "answers": user.answers} for user in self.users],
            "notes": list(self.notes),
            "study": {
                "data": study.data,
                "pictures": len(study.scenes),
                "seed": study.seed,
                "settings": dict(study.settings),
                "counts": dict(study.counts),
                "prepared": study.prepared,
                "trtcolor": study.trtcolor,
                "approaches": [asdict(approach) for approach in study.approaches],
            },
            "paper": asdict(IIZUKA_FIGURE_5),
        }


def report_study(folder: str | os.PathLike[str], *, at_least: int | None = None) -> Report:
    """Read a study's answers, also while it is served, and make its figures.

    Args:
        folder: of the study.
        at_least: answers of each approach from which a user counts; None: `ENOUGH`, or all where
            the study has fewer pictures.

    Raises:
        ValueError: ``at_least`` is not positive.
        StudyError: there is no study, it is damaged, or nobody has answered yet.
    """
    if at_least is not None and at_least < 1:
        raise ValueError(f"at_least is {at_least}; a positive number was needed")
    study = open_study(folder)
    enough = min(ENOUGH, len(study.scenes)) if at_least is None else at_least
    answers, strange = read_answers(study.folder)
    users, foreign = tally_users(study, answers, enough)
    if not users:
        raise StudyError(
            f"{study.folder} has no answers yet; those of one user at least were needed; serve it "
            "with 'trtcolor study serve FOLDER' and ask somebody"
        )
    figures = tuple(naturalness(approach.name, users) for approach in study.approaches)
    notes = [
        *_about_users(users, enough),
        *_about_intervals(figures),
        *_about_pictures(study, users),
    ]
    if strange:
        notes.append(f"{strange} lines of the answers were not understood and count for nothing.")
    if foreign:
        notes.append(f"{foreign} answers fit no picture of the study and count for nothing.")
    return Report(study, enough, tuple(users), figures, tuple(notes))


def _paper_block(report: Report) -> Block:
    """The paper's rows, with ours below those that they are, then those that it does not have."""
    ours = list(zip(report.study.approaches, report.figures, strict=True))
    rows: list[tuple[str, Cells]] = []
    for name, (cell,) in IIZUKA_FIGURE_5.rows.items():
        rows.append((name, (cell, MISSING, str(PAPER_USERS), MISSING)))
        mine = [_row(approach, figure) for approach, figure in ours if approach.system == name]
        rows += mine or [("  ours", (MISSING,) * len(COLUMNS))]
    others = [_row(approach, figure) for approach, figure in ours if approach.system is None]
    if others:
        rows += [("Not in the paper", ("",) * len(COLUMNS)), *others]
    title = f"{IIZUKA_FIGURE_5.source}: {IIZUKA_FIGURE_5.title}"
    return Block(title, COLUMNS, tuple(rows), IIZUKA_FIGURE_5.remarks)


def _row(approach: Approach, figure: Naturalness) -> tuple[str, Cells]:
    if figure.median is None or figure.low is None or figure.high is None:
        return f"  ours {approach.name}", (MISSING,) * len(COLUMNS)
    interval = f"{100 * figure.low:.1f} to {figure.high:.1%}"
    counts = (str(figure.users), f"{figure.answers:,}")
    return f"  ours {approach.name}", (f"{figure.median:.1%}", interval, *counts)


def _user_block(report: Report) -> Block:
    names = [approach.name for approach in report.study.approaches]
    rows: list[tuple[str, Cells]] = []
    for user in report.users:
        shares = [user.shares[name].value for name in names]
        cells = [MISSING if share is None else f"{share:.1%}" for share in shares]
        seconds = MISSING if user.milliseconds is None else f"{user.milliseconds / 1000:.1f} s"
        state = "whole" if user.whole else "part" if user.counted else "left out"
        rows.append((user.user, (*cells, f"{user.answers:,}", seconds, state)))
    columns = (*names, "answers", "median time", "")
    return Block("Share of pictures that each user called natural", columns, tuple(rows))


def _about_users(users: Sequence[UserTally], enough: int) -> list[str]:
    counted = [user for user in users if user.counted]
    left_out = [user.user for user in users if not user.counted]
    parts = [user.user for user in counted if not user.whole]
    notes = []
    if not counted:
        notes.append(
            f"No figure: nobody has answered {enough} pictures of each approach yet "
            "(here: --at-least)."
        )
    elif len(counted) < PAPER_USERS:
        notes.append(
            f"Of {len(counted)} user{'s' * (len(counted) > 1)} only: the paper asked "
            f"{PAPER_USERS}, about {PAPER_PICTURES} pictures of each type. So few say little of "
            "people in general."
        )
    fewest = min((s.total for user in counted for s in user.shares.values()), default=ENOUGH)
    if fewest < ENOUGH:
        notes.append(
            f"Of as few as {fewest} answers of an approach by a user: one answer moves that share "
            f"by {1 / fewest:.0%}."
        )
    if left_out and counted:
        notes.append(
            f"Left out, with fewer than {enough} answers of an approach: {', '.join(left_out)}."
        )
    if parts:
        notes.append(
            f"Answered a part, which counts like the others: {', '.join(parts)}. A part has about "
            "as many pictures of each approach, drawn at random."
        )
    return notes


def _about_intervals(figures: Sequence[Naturalness]) -> list[str]:
    methods = {figure.method for figure in figures}
    notes = []
    if "bootstrap" in methods:
        notes.append(
            f"Interval: of the median, users drawn again {RESAMPLES:,} times with replacement "
            f"(seed {SEED}), 2.5th to 97.5th percentile (Efron and Tibshirani 1993, chapter 13); "
            "of few users it is too narrow. Pictures are not drawn again."
        )
    if "wilson" in methods:
        notes.append(
            "Interval: of one user's share, as far as chance among pictures goes (Wilson 1927); it "
            "says nothing of other users."
        )
    return notes


def _about_pictures(study: Study, users: Sequence[UserTally]) -> list[str]:
    counts = study.counts
    ratios = sorted({ratio for user in users for ratio in user.pixel_ratios})
    screens = ", ".join(f"{ratio:g}" for ratio in ratios)
    grey, unreadable = counts["colourless"], counts["unreadable"]
    notes = [
        f"{QUESTION} {len(study.scenes):,} pictures of {study.data} in {len(study.approaches)} "
        f"versions each, drawn with seed {study.seed}; {grey:,} grey or low-variance and "
        f"{unreadable:,} unreadable ones were passed over. Middle 224x224 of 256x256 (004, section "
        f"3.4), shown at 224x224 pixels of CSS; pixels of the screen to one of them: {screens}."
    ]
    if counts["enlarged"]:
        notes.append(f"{counts['enlarged']:,} pictures were enlarged: the data has them smaller.")
    return notes

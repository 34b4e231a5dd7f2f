"""What users said: ``answers.csv``, a row an answer, added and never changed.

Of a user's rows for one picture and approach the last one counts; ``undo`` says that there is no
answer any longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from trtcolor.study.rows import Row, Rows, read_rows

FILE = "answers.csv"
HEADING = ("user", "picture", "approach", "answer", "milliseconds", "time", "pixel_ratio")
Word = Literal["yes", "no", "undo"]
WORDS = get_args(Word)
LONGEST = 86_400_000
"""Milliseconds that an answer may have taken: a day."""

WIDEST_RATIO = 100.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One row.

    Attributes:
        user: the name.
        picture: name of the scene.
        approach: name of what its colours are from.
        answer: ``yes``: it looks natural; ``no``; ``undo`` takes the last one back.
        milliseconds: for which the picture had been seen, pauses left out; 0 of ``undo``.
        time: when it was stored, ISO 8601, UTC.
        pixel_ratio: screen pixels to one of CSS, of which the picture has 224x224.

    Raises:
        ValueError: an entry that is none of these.
    """

    user: str
    picture: str
    approach: str
    answer: Word
    milliseconds: int
    time: str
    pixel_ratio: float

    def __post_init__(self) -> None:
        if self.answer not in WORDS:
            raise ValueError(f"answer is {self.answer!r}; one of {', '.join(WORDS)} was needed")
        if not 0 <= self.milliseconds <= LONGEST:
            raise ValueError(f"milliseconds is {self.milliseconds}; 0 to {LONGEST} was needed")
        if not 0 < self.pixel_ratio <= WIDEST_RATIO:
            raise ValueError(f"pixel_ratio is {self.pixel_ratio}; up to {WIDEST_RATIO} was needed")

    def row(self) -> Row:
        ratio = f"{self.pixel_ratio:.4g}"
        own = (self.user, self.picture, self.approach, self.answer)
        return [*own, str(self.milliseconds), self.time, ratio]

    @classmethod
    def from_row(cls, row: Row) -> Answer:
        """Raises ValueError where the row is no answer."""
        user, picture, approach, answer, milliseconds, time, ratio = row
        word = cast(Word, answer)
        return cls(user, picture, approach, word, int(milliseconds), time, float(ratio))


def answer_rows(folder: Path) -> Rows:
    """The file, to add rows to; raises as `trtcolor.study.rows.Rows`."""
    return Rows(folder / FILE, HEADING)


def read_answers(folder: Path) -> tuple[list[Answer], int]:
    """All rows in the order in which they came, and how many lines are none.

    Raises:
        StudyError, OSError: as from `trtcolor.study.rows.read_rows`.
    """
    rows, strange = read_rows(folder / FILE, HEADING)
    answers = []
    for row in rows:
        try:
            answers.append(Answer.from_row(row))
        except ValueError:
            strange += 1
    return answers, strange


def standing(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that count, one for each user, picture and approach at most."""
    last: dict[tuple[str, str, str], Answer] = {}
    for answer in answers:
        key = (answer.user, answer.picture, answer.approach)
        last.pop(key, None)
        if answer.answer != "undo":
            last[key] = answer
    return list(last.values())

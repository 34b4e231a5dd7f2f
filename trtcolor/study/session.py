"""One user's way through a study: what was answered, what is asked next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from trtcolor.study.answers import Answer, Word
from trtcolor.study.folder import Study
from trtcolor.study.order import order_of

AHEAD = 2
"""Pictures that may be fetched before they are asked for."""


@dataclass(frozen=True)
class State:
    """Where a user is.

    Attributes:
        user: the name.
        turn: rows that are stored of this user; whoever answers says which one they saw.
        done: pictures that have an answer.
        total: pictures there are.
        ask: places in the user's order of the picture that is asked for and of the next ones.
        undo: whether the last answer can be taken back.
    """

    user: str
    turn: int
    done: int
    total: int
    ask: tuple[int, ...]
    undo: bool

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class StaleTurnError(Exception):
    """An answer to a picture that is not asked for any longer; nothing was stored."""


class Session:
    """A user's answers, replayed from the rows and kept up with them.

    Rows that fit no picture of the study are passed over, and a picture whose row was lost is asked
    for again.

    Args:
        study: the study.
        user: the name.
        answers: the user's rows in the order in which they came.
    """

    def __init__(self, study: Study, user: str, answers: Iterable[Answer] = ()) -> None:
        self._study, self._user = study, user
        self._order = order_of(study.seed, user, len(study.scenes), len(study.approaches))
        self._places = {self._names(place): place for place in range(len(self._order))}
        self._answered: set[int] = set()
        self._last: Answer | None = None
        self._turn = 0
        for answer in answers:
            self.stored(answer)

    @property
    def state(self) -> State:
        return State(
            self._user,
            self._turn,
            len(self._answered),
            len(self._order),
            tuple(self._asked()),
            self._last is not None and self._last.answer != "undo",
        )

    def row_for(
        self, turn: int, word: Word, milliseconds: int, pixel_ratio: float, time: str
    ) -> Answer | None:
        """The row that an answer makes; None: it was sent before and is stored already.

        Args:
            turn: of the state that the user saw.
            word, milliseconds, pixel_ratio, time: as in `Answer`.

        Raises:
            StaleTurnError: the user has answered elsewhere since, or there is nothing to answer or
                to take back.
            ValueError: as from `Answer`.
        """
        last = self._last
        if turn == self._turn - 1 and last is not None:
            if (last.answer, last.milliseconds) == (word, milliseconds):
                return None
            raise StaleTurnError
        if turn != self._turn:
            raise StaleTurnError
        if word == "undo":
            if last is None or last.answer == "undo":
                raise StaleTurnError
            names = (last.picture, last.approach)
            return Answer(self._user, *names, "undo", milliseconds, time, pixel_ratio)
        asked = self._asked()
        if not asked:
            raise StaleTurnError
        names = self._names(asked[0])
        return Answer(self._user, *names, word, milliseconds, time, pixel_ratio)

    def stored(self, answer: Answer) -> None:
        """Take note of a row that is on the disk."""
        place = self._places.get((answer.picture, answer.approach))
        if place is None:
            return
        self._turn += 1
        self._last = answer
        if answer.answer == "undo":
            self._answered.discard(place)
        else:
            self._answered.add(place)

    def may_see(self, place: int) -> bool:
        """Whether a picture is asked for, comes next, or can be asked for again by ``undo``."""
        if place in self._asked():
            return True
        last = self._last
        return last is not None and self._places[(last.picture, last.approach)] == place

    def picture(self, place: int) -> tuple[int, int]:
        """Scene and approach, by index, of a place in the user's order."""
        return self._order[place]

    def _asked(self) -> list[int]:
        found = []
        for place in range(len(self._order)):
            if place not in self._answered:
                found.append(place)
                if len(found) > AHEAD:
                    break
        return found

    def _names(self, place: int) -> tuple[str, str]:
        scene, approach = self._order[place]
        return self._study.scenes[scene].name, self._study.approaches[approach].name

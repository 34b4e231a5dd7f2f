"""What each user said of each approach, and the medians over users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from trtcolor.study.answers import Answer, standing
from trtcolor.study.folder import Study
from trtcolor.study.intervals import bootstrap_median, wilson

ENOUGH = 30
"""Answers of each approach from which a user counts, where the study has so many pictures."""


@dataclass(frozen=True)
class Share:
    """How many pictures of an approach a user called natural, of how many answered."""

    yes: int
    total: int

    @property
    def value(self) -> float | None:
        """In 0..1; None: of no picture."""
        return self.yes / self.total if self.total else None


@dataclass(frozen=True)
class UserTally:
    """One user's answers.

    Attributes:
        user: the name.
        shares: by the name of the approach, in the study's order.
        counted: whether there are enough of them to go into the medians.
        whole: whether every picture has an answer.
        milliseconds: median time of an answer; None: there is none.
        pixel_ratios: of the screens, those that occur.
    """

    user: str
    shares: Mapping[str, Share]
    counted: bool
    whole: bool
    milliseconds: float | None
    pixel_ratios: tuple[float, ...]

    @property
    def answers(self) -> int:
        return sum(share.total for share in self.shares.values())


@dataclass(frozen=True)
class Naturalness:
    """An approach's figure.

    Attributes:
        approach: the name.
        median: over the users that count, of their shares in 0..1; None: there is no such user.
        low, high: ends of the interval at 95 %; None: likewise.
        method: of the interval: ``bootstrap`` over users, or ``wilson`` of one user's share.
        users, answers: how many it is of.
    """

    approach: str
    median: float | None
    low: float | None
    high: float | None
    method: Literal["bootstrap", "wilson"] | None
    users: int
    answers: int


def tally_users(
    study: Study, answers: Iterable[Answer], at_least: int
) -> tuple[list[UserTally], int]:
    """Each user's shares, in the order of their names, and how many answers fit no picture.

    Args:
        study: the study.
        answers: rows in the order in which they came.
        at_least: answers of each approach from which a user counts.
    """
    scenes = {scene.name for scene in study.scenes}
    names = [approach.name for approach in study.approaches]
    by_user: dict[str, list[Answer]] = {}
    foreign = 0
    for answer in standing(answers):
        if answer.picture in scenes and answer.approach in names:
            by_user.setdefault(answer.user, []).append(answer)
        else:
            foreign += 1
    found = []
    for user in sorted(by_user, key=str.casefold):
        own = by_user[user]
        shares = {name: _share(own, name) for name in names}
        found.append(
            UserTally(
                user,
                shares,
                counted=all(share.total >= at_least for share in shares.values()),
                whole=len(own) == study.answers_of_a_user,
                milliseconds=median(answer.milliseconds for answer in own),
                pixel_ratios=tuple(sorted({answer.pixel_ratio for answer in own})),
            )
        )
    return found, foreign


def naturalness(approach: str, users: Sequence[UserTally]) -> Naturalness:
    """The figure of an approach, of the users that count."""
    shares = [user.shares[approach] for user in users if user.counted]
    values = [share.value for share in shares if share.value is not None]
    answers = sum(share.total for share in shares)
    if not values:
        return Naturalness(approach, None, None, None, None, 0, 0)
    if len(values) == 1:
        low, high = wilson(shares[0].yes, shares[0].total)
        return Naturalness(approach, values[0], low, high, "wilson", 1, answers)
    low, high = bootstrap_median(values)
    return Naturalness(approach, median(values), low, high, "bootstrap", len(values), answers)


def _share(answers: Iterable[Answer], approach: str) -> Share:
    words = [answer.answer for answer in answers if answer.approach == approach]
    return Share(words.count("yes"), len(words))

"""Answers as rows, and which of them count."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.study.answers import FILE, HEADING, Answer, Word, answer_rows, read_answers, standing

TIME = "2026-11-27T04:00:00.000Z"


def answer(word: Word, user: str = "Anna", picture: str = "a", approach: str = "model") -> Answer:
    return Answer(user, picture, approach, word, 0 if word == "undo" else 800, TIME, 1.0)


ANSWERS = st.builds(
    Answer,
    *[st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=9)] * 3,
    st.sampled_from(["yes", "no", "undo"]),
    st.integers(0, 86_400_000),
    st.just(TIME),
    st.sampled_from([1.0, 1.25, 2.0, 2.625]),
)


@given(st.lists(ANSWERS, max_size=5))
def test_answers_are_read_as_they_were_stored(
    tmp_path_factory: pytest.TempPathFactory, answers: list[Answer]
) -> None:
    folder = tmp_path_factory.mktemp("answers")
    with answer_rows(folder) as rows:
        for given_ in answers:
            rows.add(given_.row())
    assert read_answers(folder) == (answers, 0)


def test_rows_with_impossible_entries_are_counted(tmp_path: Path) -> None:
    good = "Anna,a,model,yes,800,t,1\n"
    bad = ("maybe,800,t,1", "yes,-1,t,1", "yes,1e9,t,1", "no,8,t,nan", "no,8,t,0", "no,8,t,inf")
    lines = [",".join(HEADING) + "\n", good, *(f"Anna,a,model,{entry}\n" for entry in bad)]
    (tmp_path / FILE).write_text("".join(lines))
    answers, strange = read_answers(tmp_path)
    assert [a.answer for a in answers] == ["yes"]
    assert strange == len(bad)


def test_the_last_row_for_a_picture_counts() -> None:
    rows = [answer("yes"), answer("no", "Ben"), answer("undo"), answer("no")]
    assert [(a.user, a.answer) for a in standing(rows)] == [("Ben", "no"), ("Anna", "no")]


def test_what_was_taken_back_does_not_count() -> None:
    others = [answer("yes", picture="b"), answer("yes", approach="baseline")]
    assert standing([answer("yes"), *others, answer("undo")]) == others
    assert standing([answer("undo")]) == []

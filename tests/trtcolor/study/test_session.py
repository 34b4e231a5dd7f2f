"""A user's way through a study, turn by turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import make_study

from trtcolor.study.answers import Answer, Word, standing
from trtcolor.study.folder import Study
from trtcolor.study.session import Session, StaleTurnError

TIME = "2026-11-27T04:00:00.000Z"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return make_study(tmp_path_factory.mktemp("session") / "study", scenes=3)


def said(session: Session, word: Word, milliseconds: int = 900) -> Answer:
    """Answer at the turn that the session is at."""
    row = session.row_for(session.state.turn, word, milliseconds, 1.0, TIME)
    assert row is not None
    session.stored(row)
    return row


def test_pictures_are_asked_for_one_after_the_other(study: Study) -> None:
    session = Session(study, "Anna")
    assert session.state.ask == (0, 1, 2)
    for done in range(9):
        state = session.state
        assert (state.done, state.turn, state.ask[0]) == (done, done, done)
        scene, approach = session.picture(done)
        row = said(session, "yes")
        assert row.picture == study.scenes[scene].name
        assert row.approach == study.approaches[approach].name
    assert session.state.ask == ()
    with pytest.raises(StaleTurnError):
        said(session, "yes")


def test_an_answer_that_is_sent_twice_makes_one_row(study: Study) -> None:
    session = Session(study, "Anna")
    said(session, "yes", 700)
    assert session.row_for(0, "yes", 700, 1.0, TIME) is None
    assert session.state.done == 1


def test_another_answer_to_the_same_turn_makes_none(study: Study) -> None:
    session = Session(study, "Anna")
    said(session, "yes", 700)
    for turn, word, milliseconds in (
        (0, "no", 700),
        (0, "yes", 701),
        (2, "yes", 700),
        (-1, "no", 1),
    ):
        with pytest.raises(StaleTurnError):
            session.row_for(turn, word, milliseconds, 1.0, TIME)


def test_one_answer_can_be_taken_back(study: Study) -> None:
    session = Session(study, "Anna")
    assert not session.state.undo
    said(session, "yes")
    said(session, "no")
    row = said(session, "undo", 0)
    assert row.answer == "undo"
    assert (session.state.done, session.state.turn, session.state.ask[0]) == (1, 3, 1)
    assert not session.state.undo
    with pytest.raises(StaleTurnError):
        session.row_for(3, "undo", 1, 1.0, TIME)
    said(session, "yes")
    assert session.state.undo


def test_an_undo_that_is_sent_twice_takes_one_answer_back(study: Study) -> None:
    session = Session(study, "Anna")
    said(session, "yes")
    said(session, "no")
    said(session, "undo", 0)
    assert session.row_for(2, "undo", 0, 1.0, TIME) is None


def test_only_pictures_near_the_asked_one_may_be_seen(study: Study) -> None:
    session = Session(study, "Anna")
    for _ in range(4):
        said(session, "yes")
    assert [place for place in range(-1, 12) if session.may_see(place)] == [3, 4, 5, 6]


def test_a_picture_whose_row_was_lost_is_asked_for_again(study: Study) -> None:
    session = Session(study, "Anna")
    rows = [said(session, "yes") for _ in range(5)]
    again = Session(study, "Anna", [*rows[:2], *rows[3:]])
    assert again.state.ask == (2, 5, 6)
    assert again.state.done == 4


def test_rows_of_other_pictures_are_passed_over(study: Study) -> None:
    foreign = Answer("Anna", "elsewhere.jpg", "model", "yes", 5, TIME, 1.0)
    assert Session(study, "Anna", [foreign]).state == Session(study, "Anna").state


@given(words=st.lists(st.sampled_from(["yes", "no", "undo"]), max_size=30))
def test_a_replayed_session_is_where_it_was(study: Study, words: list[Word]) -> None:
    session, rows = Session(study, "Anna"), []
    for word in words:
        try:
            rows.append(said(session, word))
        except StaleTurnError:
            continue
    assert Session(study, "Anna", rows).state == session.state
    assert len(standing(rows)) == session.state.done

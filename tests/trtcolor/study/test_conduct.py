"""A study that is conducted: held by one process, its answers stored once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from studies import make_study

from trtcolor.errors import StudyError
from trtcolor.study.answers import FILE, read_answers, standing
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import PICTURES, Study
from trtcolor.study.session import StaleTurnError


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study")


def test_a_study_is_conducted_by_one_at_a_time(study: Study) -> None:
    with Conduct(study), pytest.raises(StudyError, match="another process serves"):
        Conduct(study)
    Conduct(study).close()


def test_answers_are_there_when_the_next_one_takes_over(study: Study) -> None:
    with Conduct(study) as conduct:
        key = conduct.join("Anna")
        for turn in range(4):
            conduct.answer(key, turn, "yes", 500, 1.0)
        before = conduct.state(key)
        assert conduct.tally() == (1, 4)
    with Conduct(study) as conduct:
        assert conduct.join("anna") == key
        assert conduct.state(key) == before
        assert conduct.remarks == []


def test_a_torn_last_line_is_cut_and_asked_for_again(study: Study) -> None:
    with Conduct(study) as conduct:
        key = conduct.join("Anna")
        conduct.answer(key, 0, "yes", 500, 1.0)
        conduct.answer(key, 1, "no", 500, 1.0)
    file = study.folder / FILE
    file.write_bytes(file.read_bytes()[:-7])
    with Conduct(study) as conduct:
        assert "broke off" in conduct.remarks[0]
        state = conduct.state(key)
        assert state is not None
        assert (state.done, state.ask[0]) == (1, 1)
        conduct.answer(key, 1, "no", 600, 1.0)
    assert [a.milliseconds for a in read_answers(study.folder)[0]] == [500, 600]


def test_lines_that_are_no_answers_are_told_of(study: Study) -> None:
    Conduct(study).close()
    with (study.folder / FILE).open("a") as stream:
        stream.write("what is this\n")
    with Conduct(study) as conduct:
        assert conduct.remarks == [
            "1 lines of the answers were not understood and count for nothing"
        ]


def test_a_taken_name_is_refused_where_it_must_be_new(study: Study) -> None:
    with Conduct(study) as conduct:
        conduct.join("Anna", new=True)
        with pytest.raises(StudyError, match="'anna' is taken; a name of your own was needed"):
            conduct.join("anna", new=True)


def test_pictures_are_those_of_the_users_order(study: Study) -> None:
    with Conduct(study) as conduct:
        keys = [conduct.join("Anna"), conduct.join("Ben")]
        shown = [conduct.picture(key, 0) for key in keys]
        files = {file.read_bytes() for file in (study.folder / PICTURES).iterdir()}
        assert set(shown) <= files
        assert conduct.picture(keys[0], 3) is None
        assert conduct.picture("0" * 32, 0) is None


def test_a_picture_that_became_a_link_is_not_followed(study: Study, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("a letter")
    for file in (study.folder / PICTURES).iterdir():
        file.unlink()
        file.symlink_to(tmp_path / "private")
    with Conduct(study) as conduct:
        key = conduct.join("Anna")
        with pytest.raises(OSError, match="symbolic links"):
            conduct.picture(key, 0)


def test_a_folder_of_pictures_that_became_a_link_is_refused(study: Study, tmp_path: Path) -> None:
    pictures = study.folder / PICTURES
    pictures.rename(tmp_path / "elsewhere")
    pictures.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudyError, match="is a link"):
        Conduct(study)
    pictures.unlink()
    (tmp_path / "elsewhere").rename(pictures)
    Conduct(study).close()  # the refusal let go of the lock


def test_the_same_turn_answered_by_many_at_once_is_one_answer(study: Study) -> None:
    with Conduct(study) as conduct:
        key = conduct.join("Anna")
        stale: list[int] = []

        def press(milliseconds: int) -> None:
            try:
                conduct.answer(key, 0, "yes", milliseconds, 1.0)
            except StaleTurnError:
                stale.append(milliseconds)

        threads = [threading.Thread(target=press, args=(500 + n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stale) == 7
    assert len(read_answers(study.folder)[0]) == 1


def test_an_answer_that_cannot_be_stored_does_not_count(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Conduct(study) as conduct:
        key = conduct.join("Anna")

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", fail)
            with pytest.raises(OSError, match="No space left"):
                conduct.answer(key, 0, "yes", 500, 1.0)
        assert read_answers(study.folder) == ([], 0)
        state = conduct.answer(key, 0, "no", 700, 1.0)
        assert state is not None
        assert state.done == 1
    assert [a.answer for a in standing(read_answers(study.folder)[0])] == ["no"]

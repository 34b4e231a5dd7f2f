"""The naturalness table, from answers that are known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from studies import APPROACHES, make_study, store

from trtcolor.errors import StudyError
from trtcolor.study.answers import FILE, Answer, Word
from trtcolor.study.folder import Study
from trtcolor.study.intervals import bootstrap_median, wilson
from trtcolor.study.report import report_study

TIME = "2026-11-27T04:00:00.000Z"


def say(study: Study, user: str, **yes: int) -> None:
    """Answers of a user to all scenes: yes to the first so many of each approach."""
    answers = []
    for approach in APPROACHES:
        for number, scene in enumerate(study.scenes):
            word: Word = "yes" if number < yes[approach.split()[0]] else "no"
            answers.append(Answer(user, scene.name, approach, word, 1500, TIME, 1.0))
    store(study, answers)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", scenes=40)


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(name))
    return re.split(r"\s{2,}", line.removeprefix(name).strip())


def test_the_median_over_users_stands_below_the_papers_row(study: Study) -> None:
    for user, model in (("Anna", 36), ("Ben", 30), ("Carl", 20)):
        say(study, user, ground=40, model=model, baseline=10)
    text = report_study(study.folder).text()
    assert "Naturalness (median)" in text.splitlines()[2]
    assert row(text, "Ground Truth") == ["97.7%", "-", "10", "-"]
    assert row(text, "  ours ground truth") == ["100.0%", "100.0 to 100.0%", "3", "120"]
    low, high = bootstrap_median([36 / 40, 30 / 40, 20 / 40])
    interval = f"{100 * low:.1f} to {100 * high:.1f}%"
    assert row(text, "  ours model") == ["75.0%", interval, "3", "120"]
    assert row(text, "Baseline") == ["69.8%", "-", "10", "-"]
    assert row(text, "  ours baseline")[0] == "25.0%"
    assert row(text, "Ben") == ["100.0%", "75.0%", "25.0%", "120", "1.5 s", "whole"]
    assert "Of 3 users only: the paper asked 10" in text
    assert "Efron and Tibshirani 1993" in " ".join(text.split())
    assert "Wilson" not in text


def test_one_users_interval_is_wilsons(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    report = report_study(study.folder)
    figure = report.figures[1]
    assert (figure.median, figure.method, figure.users, figure.answers) == (0.75, "wilson", 1, 40)
    assert (figure.low, figure.high) == wilson(30, 40)
    text = " ".join(report.text().split())
    assert "of one user's share" in text
    assert "it says nothing of other users" in text
    assert "Of 1 user only" in text


def test_ten_users_are_as_many_as_the_paper_asked(study: Study) -> None:
    for number in range(10):
        say(study, f"user {number}", ground=39, model=30 + number, baseline=10)
    report = report_study(study.folder)
    assert "as few as" not in report.text()
    assert report.figures[1].median == pytest.approx(34.5 / 40)
    assert "only: the paper asked" not in report.text()


def test_users_with_too_few_answers_are_left_out_by_name(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    few = study.scenes[:5]
    store(study, [Answer("Zoe", scene.name, "model", "no", 900, TIME, 1.0) for scene in few])
    report = report_study(study.folder)
    assert report.figures[1].users == 1
    assert "Left out, with fewer than 30 answers of an approach: Zoe." in report.text()
    assert row(report.text(), "Zoe") == ["-", "0.0%", "-", "5", "0.9 s", "left out"]


def test_users_who_saw_a_part_count_and_are_named(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    store(
        study,
        [
            Answer("Ben", scene.name, approach, "yes", 900, TIME, 2.0)
            for approach in APPROACHES
            for scene in study.scenes[:32]
        ],
    )
    report = report_study(study.folder)
    text = " ".join(report.text().split())
    assert report.figures[0].users == 2
    assert report.figures[0].answers == 72
    assert "Answered a part, which counts like the others: Ben." in text
    assert "pixels of the screen to one of them: 1, 2" in text


def test_nobody_with_enough_answers_is_no_figure(study: Study) -> None:
    store(study, [Answer("Ben", study.scenes[0].name, "model", "yes", 900, TIME, 1.0)])
    report = report_study(study.folder)
    assert [figure.median for figure in report.figures] == [None] * 3
    text = report.text()
    assert "No figure: nobody has answered 30 pictures of each approach yet" in text
    assert row(text, "  ours model") == ["-", "-", "-", "-"]
    assert [f.median for f in report_study(study.folder, at_least=1).figures] == [None] * 3


def test_how_many_answers_are_enough_can_be_said(study: Study) -> None:
    scene = study.scenes[0].name
    store(study, [Answer("Ben", scene, name, "yes", 9, TIME, 1.0) for name in APPROACHES])
    figures = report_study(study.folder, at_least=1).figures
    assert [figure.median for figure in figures] == [1.0] * 3
    assert figures[0].low == pytest.approx(wilson(1, 1)[0])
    with pytest.raises(ValueError, match="at_least is 0"):
        report_study(study.folder, at_least=0)


def test_a_small_study_needs_all_of_its_answers(tmp_path: Path) -> None:
    study = make_study(tmp_path / "small", scenes=4)
    say(study, "Anna", ground=4, model=2, baseline=0)
    report = report_study(study.folder)
    assert report.at_least == 4
    text = " ".join(report.text().split())
    assert (
        "Of as few as 4 answers of an approach by a user: one answer moves that share by 25%"
        in text
    )
    assert [figure.median for figure in report.figures] == [1.0, 0.5, 0.0]


def test_what_was_taken_back_does_not_count(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    name = study.scenes[0].name
    words: tuple[Word, ...] = ("undo", "no")
    store(study, [Answer("Anna", name, "model", word, 0, TIME, 1.0) for word in words])
    assert report_study(study.folder).figures[1].median == 29 / 40


def test_foreign_and_unreadable_lines_are_told_of(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    store(study, [Answer("Anna", "elsewhere.jpg", "model", "no", 800, TIME, 1.0)])
    with (study.folder / FILE).open("a") as stream:
        stream.write("what is this\n")
    text = report_study(study.folder).text()
    assert "1 lines of the answers were not understood" in text
    assert "1 answers fit no picture of the study" in text


def test_a_model_that_is_not_in_the_paper_stands_below(tmp_path: Path) -> None:
    study = make_study(tmp_path / "own", scenes=3, approaches=("ground truth", "mine"))
    store(
        study,
        [
            Answer("Anna", scene.name, approach, "yes", 9, TIME, 1.0)
            for approach in ("ground truth", "mine")
            for scene in study.scenes
        ],
    )
    lines = report_study(study.folder).text().splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("Not in the paper"))
    assert lines[place + 1].startswith("  ours mine")
    assert row("\n".join(lines), "  ours  ") == ["-", "-", "-", "-"]


def test_a_study_without_answers_is_refused(study: Study) -> None:
    with pytest.raises(StudyError, match="has no answers yet"):
        report_study(study.folder)


def test_the_report_as_data_has_all_of_it(study: Study) -> None:
    say(study, "Anna", ground=40, model=30, baseline=10)
    entries = json.loads(json.dumps(report_study(study.folder).to_dict(), allow_nan=False))
    assert [figure["approach"] for figure in entries["figures"]] == list(APPROACHES)
    assert entries["users"][0]["shares"]["model"] == {"yes": 30, "total": 40}
    assert entries["users"][0]["answers"] == 120
    assert entries["study"]["seed"] == 7
    assert entries["paper"]["rows"]["Proposed"] == ["92.6%"]
    assert "secret" not in json.dumps(entries)

"""The file that says what was prepared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studies import make_study

from trtcolor.errors import StudyError
from trtcolor.study.folder import SPEC_FILE, open_study


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = make_study(tmp_path / "study")
    assert open_study(tmp_path / "study") == made
    assert replace(made, folder=Path()).answers_of_a_user == 18
    assert len(made.secret()) == 32


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"has no study\.json"):
        open_study(tmp_path)
    (tmp_path / SPEC_FILE).write_bytes(b"\xff{")
    with pytest.raises(StudyError, match="cannot be read"):
        open_study(tmp_path)
    (tmp_path / SPEC_FILE).write_text('{"study": 99}')
    with pytest.raises(StudyError, match="is of version 99; version 1 was needed"):
        open_study(tmp_path)
    (tmp_path / SPEC_FILE).write_text("[]")
    with pytest.raises(StudyError, match="is of version None"):
        open_study(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e.pop("scenes"),
        lambda e: e["scenes"][0]["pictures"].pop(),
        lambda e: e["scenes"][0]["pictures"].__setitem__(0, "../../etc/passwd"),
        lambda e: e["scenes"][1].update(name=e["scenes"][0]["name"]),
        lambda e: e["approaches"][0].update(name="model"),
        lambda e: e["approaches"][0].update(colour="blue"),
        lambda e: e.update(scenes=[]),
        lambda e: e.update(seed="x"),
        lambda e: e["counts"].pop("kept"),
    ],
)
def test_a_damaged_study_is_refused(tmp_path: Path, spoil: Callable[[Any], Any]) -> None:
    make_study(tmp_path / "study")
    file = tmp_path / "study" / SPEC_FILE
    entries = json.loads(file.read_text())
    spoil(entries)
    file.write_text(json.dumps(entries))
    with pytest.raises(StudyError, match="is damaged"):
        open_study(tmp_path / "study")


def test_a_lost_secret_is_named(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    (tmp_path / "study" / "secret").write_text("no hexadecimal")
    with pytest.raises(StudyError, match="copy it back"):
        study.secret()

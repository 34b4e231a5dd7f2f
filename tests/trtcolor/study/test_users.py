"""Names of users and the keys of their links."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.errors import StudyError
from trtcolor.study import users as module
from trtcolor.study.users import Users, checked_name, link_key

SECRET = b"\1" * 32


def test_users_are_remembered_with_their_keys(tmp_path: Path) -> None:
    with Users(tmp_path, SECRET) as users:
        assert users.add("  Anna   M. ") == "Anna M."
        key = users.key("Anna M.")
        assert users.of_key(key) == "Anna M."
    with Users(tmp_path, SECRET) as users:
        assert (len(users), users.of_key(key)) == (1, "Anna M.")
        assert "anna m." in users
        assert "Ben" not in users


def test_spellings_of_a_name_are_one_user(tmp_path: Path) -> None:
    with Users(tmp_path, SECRET) as users:
        assert users.add("Zo\u00eb") == "Zo\u00eb"
        assert users.add("zoe\u0308") == "Zo\u00eb"
        assert users.key("ZO\u00cb") == users.key("zoe\u0308")
        assert len(users) == 1
    assert (tmp_path / "users.csv").read_text().count("\n") == 2


def test_a_key_needs_the_secret() -> None:
    assert link_key(SECRET, "user anna") != link_key(b"\2" * 32, "user anna")
    assert link_key(SECRET, "user anna") != link_key(SECRET, "join")
    assert len(link_key(SECRET, "join")) == 32


def test_an_invented_key_is_nobodys(tmp_path: Path) -> None:
    with Users(tmp_path, SECRET) as users:
        assert users.of_key(users.key("Anna")) is None
        assert users.of_key("") is None


@pytest.mark.parametrize(
    "name", ["", " ", "=1+1", "-a", "a/b", "a\nb\0", "x" * 41, "<b>", "@SUM(A1)", "a,b", '"a"']
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match="a letter or digit first; choose another"):
        checked_name(name)


@pytest.mark.parametrize("name", ["a", "7", "O'Neill", "\u5c71\u7530", "\u0928\u092e\u0938\u094d"])
def test_names_of_all_scripts_are_names(name: str) -> None:
    assert checked_name(name) == name


@given(st.text(max_size=60))
def test_a_checked_name_is_one_line_and_stays_the_same(text: str) -> None:
    try:
        name = checked_name(text)
    except StudyError:
        return
    assert checked_name(name) == name
    assert name.isprintable()
    assert name[0] not in "=+-@"


def test_joining_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_USERS", 2)
    with Users(tmp_path, SECRET) as users:
        users.add("a")
        users.add("b")
        assert users.add("A") == "a"
        with pytest.raises(StudyError, match="2 users have joined"):
            users.add("c")

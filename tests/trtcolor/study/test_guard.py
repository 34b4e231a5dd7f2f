"""Names by which a server may be called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.study.guard import Hosts

OWN = Hosts()
OPEN = Hosts(frozenset({"lab.example"}), addresses=True)


@pytest.mark.parametrize(
    "header",
    ["localhost", "LOCALHOST:8321", "127.0.0.1:1", "[::1]:8321", "127.9.9.9", "localhost."],
)
def test_this_machine_is_called_by_its_own_names(header: str) -> None:
    assert OWN.allow(header)
    assert OPEN.allow(header)


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "evil.example:8321", "localhost.evil.example", "127.0.0.1.evil.example"),
        *(
            "",
            ":8321",
            "localhost:",
            "localhost:x",
            "local host",
            "[::1",
            "::1",
            "127.0.0.1:8321:1",
        ),
        *("a@localhost", "localhost/", "localhost\r\nx: y", "[localhost]", "localhost,localhost"),
    ],
)
def test_other_names_are_refused(header: str) -> None:
    assert not OWN.allow(header)
    assert not OPEN.allow(header)


def test_an_address_on_the_network_is_taken_where_others_may_come() -> None:
    for header in ("192.168.1.5:8321", "[fe80::1]:8321", "lab.example", "Lab.Example:80"):
        assert OPEN.allow(header)
        assert not OWN.allow(header)


@given(st.text(max_size=30))
def test_whatever_is_sent_gets_an_answer(header: str) -> None:
    assert OWN.allow(header) in (True, False)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z][a-z0-9-]{0,10}){1,3}", fullmatch=True))
def test_no_name_that_others_can_have_is_this_machines(name: str) -> None:
    assert not OWN.allow(name)

"""A journal remembers what was made, whatever a kill or a full disk did to its lines."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.archive.journal import Journal
from trtcolor.archive.record import Identity, Record

MADE = Record(
    input="/in/a.png",
    output="a.png",
    outcome="coloured",
    seconds={"read": 0.1, "network": 0.2, "write": 0.3},
    source=Identity(1, 2, "33"),
    made=Identity(4, 5, "66"),
    settings="key",
)


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_bytes().splitlines()]


@given(st.text(st.characters()), st.text())
def test_any_name_is_a_line_of_json_in_ascii_and_comes_back(name: str, reason: str) -> None:
    record = replace(MADE, input=name, output=name + "\udcff", reason=reason)
    line = record.line()
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line)["input"] == name
    assert Record.from_line(line) == record


def test_what_was_made_is_known_to_the_next_run_and_no_other(tmp_path: Path) -> None:
    with Journal(tmp_path, {"run": 1}) as journal:
        journal.add(MADE, durable=True)
        assert journal.made("a.png") is None
    with Journal(tmp_path, {"run": 2}) as journal:
        assert journal.made("a.png") == MADE
        assert journal.made("b.png") is None
        assert [json.loads(line) for line in journal.lines()] == [{"run": 2}]
    assert lines(tmp_path)[0] == {"run": 2}


def test_a_failure_and_a_skip_do_not_make_an_output_unknown(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        for record in (MADE, replace(MADE, outcome="skipped"), MADE.failed("broken since")):
            journal.add(record)
    with Journal(tmp_path, {}) as journal:
        assert journal.made("a.png") == MADE
    assert [line["outcome"] for line in lines(tmp_path)[1:]] == ["coloured", "failed"]


def test_what_was_no_picture_once_and_is_one_now_has_one_line(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        journal.add(replace(MADE, output=None, outcome="failed", reason="is a pipe"))
        journal.add(MADE)
    with Journal(tmp_path, {}):
        assert [line["outcome"] for line in lines(tmp_path)[1:]] == ["coloured"]


def test_a_journal_does_not_grow_from_run_to_run(tmp_path: Path) -> None:
    sizes = []
    for _ in range(3):
        with Journal(tmp_path, {"run": 1}) as journal:
            journal.add(MADE)
            journal.add(replace(MADE, outcome="skipped"))
        sizes.append((tmp_path / "results.jsonl").stat().st_size)
    with Journal(tmp_path, {"run": 1}):
        assert len(lines(tmp_path)) == 2
    assert sizes[1] == sizes[2]


@pytest.mark.parametrize(
    "torn", [b"", b'{"input": "/in/b', b"\0" * 50, b"\xff\xfe{}\n", b"[]\n", b'{"input": 3}\n']
)
def test_a_line_that_is_torn_is_passed_over(torn: bytes, tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        journal.add(MADE)
    with (tmp_path / "results.jsonl").open("ab") as stream:
        stream.write(torn)
    other = replace(MADE, output="b.png")
    with Journal(tmp_path, {}) as journal:
        assert journal.made("a.png") == MADE
        journal.add(other)
    with Journal(tmp_path, {}) as journal:
        assert journal.made("b.png") == other
    assert len(lines(tmp_path)) == 3


def test_a_line_that_the_disk_does_not_take_leaves_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = os.pwrite
    calls = []

    def full(file: int, data: bytes, place: int) -> int:
        calls.append(data)
        if len(calls) == 1:
            return written(file, data[:20], place)
        raise OSError(28, "No space left on device")

    with Journal(tmp_path, {}) as journal:
        journal.add(MADE)
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(OSError, match="No space"):
                journal.add(replace(MADE, output="b.png"))
        journal.add(replace(MADE, output="c.png"))
    assert [line["output"] for line in lines(tmp_path)[1:]] == ["a.png", "c.png"]


def test_an_identity_is_that_of_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    identity = Identity.of(file)
    os.utime(file, ns=(1, 1))
    assert identity.holds_for(file, trust_time=True)
    file.write_bytes(b"two")
    assert not identity.holds_for(file, trust_time=True)
    os.utime(file, ns=(identity.mtime_ns, identity.mtime_ns))
    assert identity.holds_for(file, trust_time=True)
    assert not identity.holds_for(file, trust_time=False)
    assert not identity.holds_for(tmp_path / "none", trust_time=True)

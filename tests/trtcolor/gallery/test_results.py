"""Results are read as far as they can be understood, whatever a kill or a hand did to them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from coloured_folders import HEADER, coloured_entry, other_entry, write_results
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.errors import DataError
from trtcolor.gallery.results import OUTCOMES, RESULTS, Result, read_results


def test_a_line_is_a_picture_and_the_first_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    entries = [coloured_entry(folder, "a.png"), other_entry(folder, "b.png", "failed", "empty")]
    write_results(folder, *entries)
    found = read_results(folder)
    assert found.unreadable == 0
    assert found.pictures == [
        Result(
            input=str(tmp_path / "in" / "a.png"),
            output="a.png",
            outcome="coloured",
            width=120,
            height=80,
            bits=8,
            pages=1,
            seconds=(("read", 0.01), ("network", 0.25), ("write", 0.02)),
            pulled_in=0.125,
            model="tiny",
        ),
        Result(str(tmp_path / "in" / "b.png"), None, "failed", "empty"),
    ]


def test_the_first_line_may_be_a_picture_already(tmp_path: Path) -> None:
    file = write_results(tmp_path, other_entry(tmp_path, "a.png", "failed", "x"))
    file.write_text(file.read_text().split("\n", 1)[1])
    assert len(read_results(tmp_path).pictures) == 1


def test_a_cut_last_line_is_no_fault(tmp_path: Path) -> None:
    write_results(tmp_path, other_entry(tmp_path, "a.png", "failed", "x"), after='{"input": "/b')
    found = read_results(tmp_path)
    assert (len(found.pictures), found.unreadable) == (1, 0)


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", '{"input": 3, "outcome": "failed"}', '{"input": "x", "outcome": "no"}']
)
def test_a_line_that_says_nothing_is_counted(tmp_path: Path, line: str) -> None:
    entry = other_entry(tmp_path, "a.png", "failed", "x")
    file = write_results(tmp_path, entry, after=f"{line}\n")
    with file.open("a") as stream:
        stream.write(json.dumps(entry | {"input": "later"}) + "\n")
    found = read_results(tmp_path)
    assert (len(found.pictures), found.unreadable) == (2, 1)


def test_the_last_word_on_a_picture_counts(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    failed = other_entry(folder, "a.png", "failed", "the disk was full")
    write_results(folder, failed, coloured_entry(folder, "a.png"))
    (picture,) = read_results(folder).pictures
    assert picture.outcome == "coloured"
    write_results(folder, coloured_entry(folder, "a.png"), failed)
    (picture,) = read_results(folder).pictures
    assert picture.outcome == "failed"


def test_what_a_later_run_skipped_because_it_was_coloured_is_coloured(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    coloured = coloured_entry(folder, "a.png")
    write_results(folder, coloured, coloured | {"outcome": "skipped", "reason": "done"})
    (picture,) = read_results(folder).pictures
    assert picture.outcome == "coloured"
    assert picture.reason == ""


def test_a_picture_that_lies_elsewhere_now_is_one_picture(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    coloured = coloured_entry(folder, "a.png")
    for outcome in ("skipped", "coloured"):
        write_results(folder, coloured, coloured | {"input": "/moved/a.png", "outcome": outcome})
        (picture,) = read_results(folder).pictures
        assert (picture.input, picture.outcome) == ("/moved/a.png", "coloured")


def test_a_name_that_is_no_text_comes_through(tmp_path: Path) -> None:
    write_results(tmp_path, {"input": "/caf\udce9.png", "output": None, "outcome": "failed"})
    (picture,) = read_results(tmp_path).pictures
    assert picture.input == "/caf\udce9.png"


def test_no_results_and_no_pictures_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"results\.jsonl cannot be read"):
        read_results(tmp_path)
    write_results(tmp_path)
    with pytest.raises(DataError, match="tells of no picture"):
        read_results(tmp_path)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENTRY = st.fixed_dictionaries(
    {"input": JSON | st.just("/a.png"), "outcome": JSON | st.sampled_from(OUTCOMES)},
    optional=dict.fromkeys(
        ("output", "reason", "seconds", "height", "width", "bits", "pages", "pulled_in", "model"),
        JSON,
    ),
)


@given(st.lists(ENTRY | JSON, max_size=5), st.binary(max_size=20))
def test_whatever_lines_say_every_picture_is_of_the_types_promised(
    entries: list[Any], cut: bytes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / RESULTS
        file.parent.mkdir()
        sure = {"input": "sure", "outcome": "failed"}
        lines = [json.dumps(entry) for entry in (HEADER, sure, *entries)]
        file.write_bytes("\n".join(lines).encode() + b"\n" + cut)
        for picture in read_results(Path(name)).pictures:
            assert picture.outcome in OUTCOMES
            assert all(isinstance(t, str) for t in (picture.input, picture.reason, picture.model))
            counts = (picture.height, picture.width, picture.bits, picture.pages)
            assert all(count is None or count > 0 for count in counts)
            assert all(seconds >= 0 for _, seconds in picture.seconds)

"""An engine on disk: whatever was altered, cut, exchanged or put beside it is noticed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_folders import IDENTITY, keep, named
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.engines.entry import Damaged, Entry, open_entry, opened
from trtcolor.engines.sidecar import LARGEST_SIDECAR, SIDECAR_FILE
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError

PLAN = IDENTITY.file_name("local")
OTHER_PLAN = IDENTITY.file_name("global")


@pytest.fixture
def entry(store: Store) -> Entry:
    return keep(store)


def damage(entry: Entry) -> str:
    """The one thing that is wrong, and that `check` says it too."""
    (problem,) = open_entry(entry.path).problems()
    with pytest.raises(EngineError, match="is damaged") as refused:
        open_entry(entry.path).check()
    assert problem in str(refused.value)
    return problem


def test_a_kept_engine_is_whole_and_reads_as_it_was_written(entry: Entry) -> None:
    entry.check()
    assert open_entry(entry.path) == entry
    assert entry.read("local") == b"a planlocal"
    assert entry.size == len(b"a planlocal" + b"a planglobal")
    with pytest.raises(KeyError):
        entry.read("joint")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    store = Store(tmp_path_factory.mktemp("large") / "engines")
    return keep(store, contents=os.urandom(100_000))


@given(st.integers(0, 100_004), st.integers(0, 7))
def test_one_flipped_bit_is_noticed(large: Entry, position: int, bit: int) -> None:
    file = large.path / PLAN
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[position] ^= 1 << bit
    file.write_bytes(flipped)
    try:
        assert large.problems()
        with pytest.raises(EngineError, match="another SHA-256"):
            large.read("local", trust=True)
    finally:
        file.write_bytes(whole)
    assert large.problems() == []


@given(st.integers(0, 100_004))
def test_a_cut_file_is_noticed(large: Entry, length: int) -> None:
    file = large.path / PLAN
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    try:
        assert f"has {length} bytes instead of" in damage(large)
    finally:
        file.write_bytes(whole)


@given(st.data())
def test_one_flipped_bit_of_a_sidecar_is_noticed(large: Entry, data: st.DataObject) -> None:
    file = large.path / SIDECAR_FILE
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(flipped)
    try:
        assert isinstance(opened(large.path), Damaged)
    finally:
        file.write_bytes(whole)


def remove(file: Path) -> None:
    file.unlink()


def make_link(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def make_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("replace_file", [remove, make_link, make_pipe, make_folder])
def test_a_file_that_is_missing_or_no_file_is_noticed(
    entry: Entry, replace_file: Callable[[Path], None]
) -> None:
    replace_file(entry.path / PLAN)
    assert "cannot be read" in damage(entry)
    with pytest.raises(EngineError, match="has no readable"):
        entry.read("local", trust=True)


@pytest.mark.parametrize("replace_file", [remove, make_link, make_pipe, make_folder])
def test_a_sidecar_that_is_missing_or_no_file_is_noticed(
    entry: Entry, replace_file: Callable[[Path], None]
) -> None:
    replace_file(entry.path / SIDECAR_FILE)
    found = opened(entry.path)
    assert isinstance(found, Damaged)
    assert "has no readable engine.json" in found.problem
    assert found.problems() == [found.problem]


def test_a_sidecar_without_end_is_not_read(entry: Entry) -> None:
    with (entry.path / SIDECAR_FILE).open("r+b") as stream:
        stream.truncate(LARGEST_SIDECAR + 1)
    with pytest.raises(EngineError, match="has over"):
        open_entry(entry.path)


def test_a_sidecar_of_other_bytes_than_text_is_refused(entry: Entry) -> None:
    (entry.path / SIDECAR_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(EngineError, match="is no text"):
        open_entry(entry.path)


def test_a_file_that_is_one_too_many_is_noticed(entry: Entry) -> None:
    (entry.path / ".DS_Store").touch()
    entry.check()
    (entry.path / "more.plan").touch()
    assert damage(entry) == "'more.plan' does not belong to it"


def test_exchanged_plans_of_one_engine_are_noticed(entry: Entry) -> None:
    one, other = entry.path / PLAN, entry.path / OTHER_PLAN
    one.rename(entry.path / "aside")
    other.rename(one)
    (entry.path / "aside").rename(other)
    assert len(entry.problems()) == 2


def test_a_plan_of_another_engine_is_noticed(entry: Entry, store: Store) -> None:
    other = keep(store, named("other"), b"b plan")
    shutil.copy(other.path / other.sidecar.identity.file_name("local"), entry.path / PLAN)
    assert "has SHA-256" in damage(entry)


def test_a_sidecar_of_another_engine_is_noticed(entry: Entry, store: Store) -> None:
    other = keep(store, named("other"))
    shutil.copy(other.path / SIDECAR_FILE, entry.path)
    found = open_entry(entry.path)
    assert f"its sidecar is that of {other.path.name}" in found.problems()
    with pytest.raises(EngineError, match="holds another engine than its name says"):
        store.find(IDENTITY)


def test_a_sidecar_of_another_engine_with_the_same_file_names_is_noticed(
    entry: Entry, store: Store
) -> None:
    """Models by these names differ in the key alone."""
    other = keep(store, named("Tiny"))
    shutil.copy(other.path / SIDECAR_FILE, entry.path)
    assert damage(entry) == f"its sidecar is that of {other.path.name}"


def test_exchanged_folders_are_noticed(entry: Entry, store: Store) -> None:
    other = keep(store, named("other"))
    entry.path.rename(store.folder / "aside")
    other.path.rename(entry.path)
    (store.folder / "aside").rename(other.path)
    for path in (entry.path, other.path):
        assert "its sidecar is that of" in open_entry(path).problems()[0]

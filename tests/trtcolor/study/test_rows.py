"""CSV files that grow by whole rows, whatever breaks off."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_disk import on_disk

from trtcolor.errors import StudyError
from trtcolor.study.rows import Rows, read_rows

HEADING = ("user", "answer")
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def test_rows_are_read_as_they_were_added(file: Path) -> None:
    with Rows(file, HEADING) as rows:
        rows.add(("Anna, B.", 'he said "yes"'))
        rows.add(("\u00c9va", ""))
        assert read_rows(file, HEADING) == ([["Anna, B.", 'he said "yes"'], ["\u00c9va", ""]], 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4), st.data())
def test_a_file_that_breaks_off_anywhere_keeps_its_whole_rows(
    tmp_path_factory: pytest.TempPathFactory, added: list[tuple[str, str]], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("rows") / "answers.csv"
    with Rows(file, HEADING) as rows:
        for row in added:
            rows.add(row)
    content = file.read_bytes()
    end = data.draw(st.integers(0, len(content)))
    file.write_bytes(content[:end])
    whole = max(content[:end].count(b"\n") - 1, 0)
    with Rows(file, HEADING) as rows:
        assert rows.torn == end - (content[:end].rfind(b"\n") + 1)
        rows.add(("after", "it"))
    expected = [list(row) for row in added[:whole]]
    assert read_rows(file, HEADING) == ([*expected, ["after", "it"]], 0)


def test_a_long_torn_line_is_cut_whole(file: Path) -> None:
    Rows(file, HEADING).close()
    with file.open("ab") as stream:
        stream.write(b"Anna,yes\n" + b"x" * 20_000)
    with Rows(file, HEADING) as rows:
        assert rows.torn == 20_000
    assert file.read_bytes() == b"user,answer\nAnna,yes\n"


def test_lines_that_are_no_rows_are_counted_and_passed_over(file: Path) -> None:
    file.write_bytes(b'user,answer\nAnna,yes\n\xff\xfe\n\0\0\0\nBen\n"open,no\nBen,no\n')
    rows, strange = read_rows(file, HEADING)
    assert rows == [["Anna", "yes"], ["Ben", "no"]]
    assert strange == 4


def test_a_torn_line_is_not_read_while_it_is_written(file: Path) -> None:
    file.write_bytes(b"user,answer\nAnna,yes\nBen,n")
    assert read_rows(file, HEADING) == ([["Anna", "yes"]], 0)
    assert read_rows(file.with_name("none.csv"), HEADING) == ([], 0)


def test_another_file_is_neither_read_nor_written_to(file: Path) -> None:
    file.write_text("letters,to,a,friend\n")
    with pytest.raises(StudyError, match="does not begin with the columns user, answer"):
        Rows(file, HEADING)
    with pytest.raises(StudyError, match="move it away"):
        read_rows(file, HEADING)
    assert file.read_text() == "letters,to,a,friend\n"


def test_a_link_is_not_written_through(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    file.symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        Rows(file, HEADING)
    assert other.read_text() == ""


@pytest.mark.parametrize("text", ["two\nlines", "a\rb"])
def test_the_end_of_a_line_is_no_part_of_a_row(file: Path, text: str) -> None:
    with Rows(file, HEADING) as rows, pytest.raises(ValueError, match="the end of a line"):
        rows.add(("Anna", text))
    assert read_rows(file, HEADING) == ([], 0)


def test_threads_do_not_mix_their_rows(file: Path) -> None:
    with Rows(file, HEADING) as rows:
        threads = [
            threading.Thread(target=lambda n=n: [rows.add((str(n), str(i))) for i in range(25)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found, strange = read_rows(file, HEADING)
    assert strange == 0
    assert sorted(found) == sorted([str(n), str(i)] for n in range(4) for i in range(25))


def test_a_row_is_on_the_disk_when_it_counts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append(file.read_bytes())

    with Rows(file, HEADING) as rows:
        monkeypatch.setattr(os, "fsync", fsync)
        rows.add(("Anna", "yes"))
        assert synced[-1].endswith(b"\nAnna,yes\n")


def test_a_full_disk_leaves_no_part_of_a_row(tmp_path: Path) -> None:
    done = on_disk(
        tmp_path / "disk",
        "size=64k",
        """
from trtcolor.study.rows import Rows, read_rows
rows = Rows(folder / "answers.csv", ("user", "answer"))
added = 0
try:
    while True:
        rows.add(("Anna", "x" * 1000))
        added += 1
except OSError as error:
    print(error.strerror)
(folder / "other").unlink(missing_ok=True)
found, strange = read_rows(folder / "answers.csv", ("user", "answer"))
print(len(found) == added > 10, strange, (folder / "answers.csv").read_bytes()[-1:])
""",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["No space left on device", "True 0 b'\\n'"]

"""A report takes the place of an earlier report and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtcolor.archive.journal import Journal
from trtcolor.archive.record import Record
from trtcolor.archive.report import check_report, reported
from trtcolor.errors import OutputExistsError, PictureError

HEAD = {"trtcolor": "1", "settings": "key"}


def test_an_earlier_report_may_be_replaced(tmp_path: Path) -> None:
    report, output = tmp_path / "r.jsonl", tmp_path / "out"
    check_report(None, output, overwrite=False)
    check_report(report, output, overwrite=False)
    with Journal(tmp_path, HEAD) as journal, reported(journal, report):
        journal.add(Record(input="/a.png", output="a.png", outcome="failed"))
    assert len(report.read_bytes().splitlines()) == 2
    check_report(report, output, overwrite=False)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"{}\n", b"[\n", b"3\n", b"\xff\n"])
def test_any_other_file_is_kept_unless_told(content: bytes, tmp_path: Path) -> None:
    report = tmp_path / "a.png"
    report.write_bytes(content)
    with pytest.raises(OutputExistsError, match="is there and is no report"):
        check_report(report, tmp_path / "out", overwrite=False)
    check_report(report, tmp_path / "out", overwrite=True)


def test_what_is_remembered_of_the_folder_is_no_report(tmp_path: Path) -> None:
    inner = tmp_path / "out" / ".trtcolor"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for report in (inner / "results.jsonl", tmp_path / "link" / ".trtcolor" / "new.jsonl"):
        with pytest.raises(PictureError, match="where trtcolor keeps what it remembers"):
            check_report(report, tmp_path / "out", overwrite=True)
    check_report(tmp_path / "out" / "report.jsonl", tmp_path / "out", overwrite=False)


def test_a_report_is_written_also_where_the_run_ends_early(tmp_path: Path) -> None:
    report = tmp_path / "r.jsonl"
    with Journal(tmp_path, HEAD) as journal:
        journal.add(Record(input="/a.png", output="a.png", outcome="failed"))
        with pytest.raises(KeyboardInterrupt), reported(journal, report):
            raise KeyboardInterrupt
    assert len(report.read_bytes().splitlines()) == 2

"""An output folder is one run's, and nothing leaves it by a link."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePath

import pytest

from trtcolor.archive.desk import FolderDesk
from trtcolor.archive.place import Place
from trtcolor.errors import OutputExistsError, PictureError


def test_a_second_run_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with Place(tmp_path / "out"), pytest.raises(PictureError) as refused:
        Place(tmp_path / "out")
    assert f"process {os.getpid()} on " in str(refused.value)
    assert "one run at a time was needed" in str(refused.value)
    with Place(tmp_path / "out"):
        pass


def test_what_was_half_made_is_removed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.desk.part(PurePath("b/a.png")) as part:
        part.file.write_bytes(b"whole, without a name")
        part.keep()
    (tmp_path / ".trtcolor" / ".0123456789abcdef.part").write_bytes(b"half a journal")
    place._lock.close()  # as a kill does
    with Place(tmp_path) as again:
        assert not part.file.exists()
        with again.desk.part(PurePath("a.png")) as another:
            assert another.file.parent.is_dir()
    assert [path.name for path in (tmp_path / ".trtcolor").iterdir()] == ["lock"]


def test_a_folder_is_left_clean_while_others_are_still_at_work(tmp_path: Path) -> None:
    closing = threading.Event()

    def work(desk: FolderDesk) -> None:  # as an actor of a cluster, which hears of the end later
        while not closing.is_set():
            with suppress(FileNotFoundError), desk.part(PurePath("a.png")) as part:
                part.file.write_bytes(b"whole")
                part.keep()

    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            place = Place(tmp_path)
            workers = [pool.submit(work, place.desk) for _ in range(4)]
            try:
                while not any(place.desk.parts.iterdir()):
                    pass
                place.close()
            finally:
                closing.set()
            for worker in workers:
                worker.result()
            closing.clear()
            assert [path.name for path in (tmp_path / ".trtcolor").iterdir()] == ["lock"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_part_takes_its_name_where_that_is_free_or_may_be_taken(
    overwrite: bool, tmp_path: Path
) -> None:
    with Place(tmp_path) as place:
        for content in (b"first", b"second"):
            with place.desk.part(PurePath("a.png")) as part:
                part.file.write_bytes(content)
                kept = part.keep()
            if content == b"second" and not overwrite:
                with pytest.raises(OutputExistsError):
                    place.put(kept, PurePath("a.png"), overwrite=False)
            else:
                place.put(kept, PurePath("a.png"), overwrite=overwrite)
            assert not part.file.parent.exists()
    assert (tmp_path / "a.png").read_bytes() == (b"second" if overwrite else b"first")


def test_a_file_is_no_output_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"dear")
    with pytest.raises(PictureError, match="is a file; a folder was needed"):
        Place(tmp_path / "out")


def test_what_is_remembered_lies_in_the_folder_itself(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("link", "file"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / ".trtcolor").symlink_to(elsewhere)
    (tmp_path / "file" / ".trtcolor").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(PictureError, match=r"\.trtcolor is a link or a file; a folder was"):
            Place(tmp_path / name)
    assert not list(elsewhere.iterdir())

"""An engine is code: it is loaded only from where nobody but its user could have put it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from engine_folders import IDENTITY, keep

from trtcolor.engines.entry import Entry
from trtcolor.engines.sidecar import SIDECAR_FILE
from trtcolor.engines.store import Store
from trtcolor.engines.trust import engines_folder, trusted
from trtcolor.errors import EngineError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.fixture
def entry(store: Store) -> Entry:
    return keep(store)


def test_the_cache_is_in_the_platforms_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRTCOLOR_ENGINES", raising=False)
    assert engines_folder() == platformdirs.user_cache_path("trtcolor") / "engines"


def test_an_engine_that_was_built_here_is_trusted_and_private(entry: Entry) -> None:
    assert trusted(entry.path) is None
    assert trusted(entry.path / SIDECAR_FILE) is None
    for folder in (entry.path, entry.path.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    for file in entry.path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_an_engine_is_private_whatever_the_mask_of_new_files(store: Store, mask: int) -> None:
    before = os.umask(mask)
    try:
        entry = keep(store)
        assert trusted(store.record(entry, entry.sidecar.verification).path) is None
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("place", [".", "..", SIDECAR_FILE, IDENTITY.file_name("local")])
def test_what_others_can_write_to_is_not_loaded(entry: Entry, place: str, mode: int) -> None:
    (entry.path / place).chmod(mode)
    reason = trusted(entry.path)
    assert reason is not None
    assert "can be written by others" in reason
    with pytest.raises(EngineError, match="can be written by others") as refused:
        entry.read("local")
    assert "(here: --trust)" in str(refused.value)
    assert entry.read("local", trust=True) == b"a planlocal"


@needs_root
@pytest.mark.parametrize("place", [".", "..", SIDECAR_FILE])
def test_what_belongs_to_another_is_not_loaded(entry: Entry, place: str) -> None:
    os.chown(entry.path / place, NOBODY, NOBODY)
    assert "belongs to another user" in str(trusted(entry.path))


def test_an_engine_from_elsewhere_is_not_loaded_unless_trusted(
    tmp_path: Path, store: Store
) -> None:
    entry = keep(Store(tmp_path / "elsewhere"))
    with pytest.raises(EngineError, match="your own cache of engines"):
        entry.read("local")
    assert entry.read("local", trust=True) == b"a planlocal"


def test_a_link_out_of_the_cache_is_not_trusted(tmp_path: Path, entry: Entry, store: Store) -> None:
    foreign = keep(Store(tmp_path / "elsewhere"))
    (store.folder / "linked").symlink_to(foreign.path)
    assert "is not in" in str(trusted(store.folder / "linked"))
    assert "is not in" in str(trusted(store.folder / ".." / ".." / "elsewhere"))


def test_a_cache_that_is_a_link_to_another_disk_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "link"))
    assert trusted(keep(Store()).path) is None


def test_what_cannot_be_looked_at_is_not_trusted(store: Store, entry: Entry) -> None:
    assert "cannot be looked at" in str(trusted(store.folder / "gone"))
    (store.folder / "circle").symlink_to(store.folder / "circle")
    assert "cannot be looked at" in str(trusted(store.folder / "circle"))


def test_no_engine_is_put_where_others_can_write_unless_told(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(EngineError, match="chmod go-w"):
        keep(Store(folder))
    assert list(folder.iterdir()) == []
    keep(Store(folder, trust=True)).check()


@needs_root
def test_no_engine_is_put_into_the_folder_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(EngineError, match="belongs to another user"):
        keep(Store(folder))

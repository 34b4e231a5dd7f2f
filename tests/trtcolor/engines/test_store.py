"""The store: engines are found by identity, exactly or as near as there is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_folders import IDENTITY, VERIFIED, changed, keep, named

from trtcolor.engines.entry import Damaged
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError


def test_nothing_is_found_and_nothing_made_where_nothing_was_built(store: Store) -> None:
    assert store.find(IDENTITY) is None
    assert store.entries() == []
    assert store.candidates(IDENTITY) == []
    assert store.caches() == []
    assert not store.folder.exists()


def test_an_engine_is_found_by_its_exact_identity(store: Store) -> None:
    entry = keep(store)
    assert store.find(IDENTITY) == entry
    assert store.entries() == [entry]
    for other in (named("other"), changed(precision="fp32"), changed(workspace=1)):
        assert store.find(other) is None


def test_the_nearest_engine_comes_first_with_what_it_differs_in(store: Store) -> None:
    far = keep(store, changed(precision="fp32", workspace=5))
    old = keep(store, changed(workspace=7))
    new = keep(store, changed(workspace=6), created="2026-11-27T17:00:00+00:00")
    keep(store, named("other"))
    assert store.candidates(IDENTITY) == [
        (new, ["workspace 6 bytes, wanted unlimited"]),
        (old, ["workspace 7 bytes, wanted unlimited"]),
        (far, ["precision fp32, wanted fp16", "workspace 5 bytes, wanted unlimited"]),
    ]
    assert store.candidates(IDENTITY, ignoring=["workspace"])[0] == (new, [])


def test_a_damaged_engine_is_listed_as_such(store: Store) -> None:
    entry = keep(store)
    (entry.path / "engine.json").unlink()
    (found,) = store.entries()
    assert isinstance(found, Damaged)
    with pytest.raises(EngineError, match=r"no readable engine\.json"):
        store.find(IDENTITY)


@pytest.mark.parametrize("name", [IDENTITY.folder_name, IDENTITY.key[:12], IDENTITY.key[:3], "ti"])
def test_an_engine_is_located_by_name_or_the_start_of_name_or_key(store: Store, name: str) -> None:
    entry = keep(store)
    assert store.locate(name) == entry.path


@pytest.mark.parametrize("name", ["t", "", "nothing", "\0"])
def test_a_name_of_none_or_of_several_is_refused(store: Store, name: str) -> None:
    keep(store)
    keep(store, named("tall"))
    with pytest.raises(EngineError, match=r"engines in .* are called"):
        store.locate(name)


def test_timing_and_runtime_caches_are_apart_by_version_and_gpu(store: Store) -> None:
    identities = (IDENTITY, changed(builder_version="1.7.0"), changed(targets=("sm120",)))
    files = [store.timing_cache(i) for i in identities]
    files += [store.runtime_cache(i, "a GPU") for i in identities]
    assert len(set(files)) == 6
    assert store.timing_cache(named("other")) == store.timing_cache(IDENTITY)
    assert {file.parent for file in files} == {store.folder / ".caches"}


def test_a_verification_is_recorded(store: Store) -> None:
    entry = store.record(keep(store), VERIFIED)
    assert store.find(IDENTITY) == entry
    assert entry.sidecar.verification == VERIFIED
    entry.check()


def test_a_verification_of_an_engine_that_is_gone_is_refused(store: Store) -> None:
    entry = keep(store)
    shutil.rmtree(entry.path)
    with pytest.raises(EngineError, match="no readable"):
        store.record(entry, VERIFIED)


def test_a_verification_of_files_that_were_built_again_is_not_written_beside_others(
    store: Store,
) -> None:
    entry = keep(store)
    shutil.rmtree(entry.path)
    again = keep(store, contents=b"other")
    assert store.record(entry, VERIFIED) == again
    again.check()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "engines").write_text("")
    store = Store(tmp_path / "engines")
    with pytest.raises(EngineError, match="cannot be read"):
        store.entries()
    with pytest.raises(EngineError, match="was not kept"):
        keep(store)


def test_without_filelock_engines_are_found_and_none_is_built(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = keep(store)
    absent: Any = None
    monkeypatch.setitem(sys.modules, "filelock", absent)
    assert store.find(IDENTITY) == entry
    assert entry.read("local") == b"a planlocal"
    with pytest.raises(EngineError, match=r'pip install "trtcolor\[engines\]"'):
        keep(store, named("other"))

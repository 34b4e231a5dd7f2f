"""Timing and runtime caches come back as they were written, and never from somebody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine_folders import IDENTITY, keep

from trtcolor.engines import caches
from trtcolor.engines.caches import RuntimeCacheFile, read_cache, write_cache
from trtcolor.engines.store import Store


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_a_cache_comes_back_whatever_the_mask_of_new_files(store: Store, mask: int) -> None:
    cache = store.timing_cache(IDENTITY)
    assert read_cache(cache) == b""
    before = os.umask(mask)
    try:
        for data in (b"timings", b"more timings"):
            write_cache(cache, data)
            assert read_cache(cache) == data
    finally:
        os.umask(before)
    assert store.caches() == [cache]
    assert store.entries() == []
    keep(store).check()


@pytest.mark.parametrize("place", [".", ".."])
def test_a_cache_that_others_could_have_written_is_not_read(store: Store, place: str) -> None:
    cache = store.runtime_cache(IDENTITY, "a GPU")
    RuntimeCacheFile(cache).write(b"compiled")
    assert RuntimeCacheFile(cache).read() == b"compiled"
    (cache if place == "." else cache.parent).chmod(0o777)
    assert read_cache(cache) == b""
    assert RuntimeCacheFile(cache).read() == b""


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    write_cache(tmp_path / "file" / "cache.timing", b"timings")
    assert read_cache(tmp_path / "file" / "cache.timing") == b""


def test_every_gpu_and_driver_has_a_runtime_cache_of_its_own(store: Store) -> None:
    paths = [store.runtime_cache(IDENTITY, gpu) for gpu in ("one, driver 1", "one, driver 2")]
    assert paths[0].parent == paths[1].parent == store.timing_cache(IDENTITY).parent
    assert paths[0] != paths[1]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "longer"])
def test_a_damaged_runtime_cache_is_none_and_is_replaced(store: Store, damage: str) -> None:
    path = store.runtime_cache(IDENTITY, "a GPU")
    file = RuntimeCacheFile(path)
    file.write(b"kernels" * 100)
    data = path.read_bytes()
    flipped = data[:300] + bytes([data[300] ^ 1]) + data[301:]
    path.write_bytes(
        {"cut": data[:-1], "flipped": flipped, "emptied": b"", "longer": data + b"x"}[damage]
    )
    assert file.read() == b""
    file.write(b"new kernels")
    assert file.read() == b"new kernels"


def test_a_runtime_cache_that_grows_too_large_begins_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "LARGEST_RUNTIME_CACHE", 1000)
    file = RuntimeCacheFile(store.runtime_cache(IDENTITY, "a GPU"))
    file.write(b"k" * 1000)
    assert len(file.read()) == 1000
    monkeypatch.setattr(caches, "LARGEST_RUNTIME_CACHE", 999)
    assert file.read() == b""
    file.write(b"k" * 1000)
    assert not file.path.exists()

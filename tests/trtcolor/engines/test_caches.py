"""Timing and runtime caches come back as they were written, and never from somebody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine_folders import IDENTITY, keep

from trtcolor.engines.caches import read_cache, write_cache
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
    cache = store.runtime_cache(IDENTITY)
    write_cache(cache, b"compiled")
    (cache if place == "." else cache.parent).chmod(0o777)
    assert read_cache(cache) == b""


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    write_cache(tmp_path / "file" / "cache.timing", b"timings")
    assert read_cache(tmp_path / "file" / "cache.timing") == b""

"""Building: once, however many want it, and there whole or not at all, whoever is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import engine_folders
import pytest
from engine_folders import IDENTITY, keep, named, sidecar
from small_disk import on_disk

from trtcolor.engines.entry import Entry
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError

SCRIPT = Path(engine_folders.__file__)


@contextmanager
def builder(store: Store, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that builds the engine ``tiny`` and publishes it once ``gate`` is beside `log`."""
    command = [sys.executable, "-P", SCRIPT, store.folder, "tiny", log, log.with_name("gate")]
    variables = os.environ | {"PYTHONPATH": str(SCRIPT.parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def until(reached: Callable[[], object]) -> None:
    for _ in range(6000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def parts(store: Store) -> list[Path]:
    """Files that are on their way, or were."""
    return [file for file in store.folder.rglob("*") if file.parent.suffix == ".part"]


# ---- publishing --------------------------------------------------------------------------------


def test_a_build_that_fails_leaves_nothing(store: Store) -> None:
    def interrupted() -> None:
        with store.building(IDENTITY) as build:
            sidecar(build, {"local": b"1", "global": b"2"})
            assert len(parts(store)) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.entries() == []
    assert parts(store) == []
    keep(store).check()


def test_an_engine_that_is_there_is_not_built_again(store: Store) -> None:
    entry = keep(store)
    with store.building(IDENTITY) as build:
        assert build.found == entry
        assert build.replaces == ()


@pytest.mark.parametrize("file", ["engine.json", IDENTITY.file_name("local")])
def test_a_damaged_engine_is_built_again_and_replaced(store: Store, file: str) -> None:
    (keep(store).path / file).write_bytes(b"altered")
    with store.building(IDENTITY) as build:
        assert build.found is None
        assert file in build.replaces[0]
        written = sidecar(build, {"local": b"3", "global": b"4"})
        assert len(store.entries()) == 1  # until then the old one stays
        entry = build.publish(written)
    entry.check()
    assert entry.read("local") == b"3"
    assert store.entries() == [entry]
    assert parts(store) == []


def test_a_file_that_is_not_as_its_sidecar_says_is_not_published(store: Store) -> None:
    with store.building(IDENTITY) as build:
        written = sidecar(build, {"local": b"1", "global": b"2"})
        (build.folder / IDENTITY.file_name("local")).write_bytes(b"3")
        with pytest.raises(EngineError, match=r"was not kept .*has SHA-256"):
            build.publish(written)
    assert store.entries() == []


def test_a_sidecar_of_another_engine_is_not_published(store: Store) -> None:
    with store.building(named("tinY")) as build:
        written = sidecar(build, {"local": b"1", "global": b"2"})
    with store.building(IDENTITY) as build, pytest.raises(ValueError, match="that of tiny"):
        build.publish(written)


# ---- processes ---------------------------------------------------------------------------------


def test_two_processes_at_once_build_once(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "gate").touch()
    with builder(store, log) as one, builder(store, log) as other:
        said = [process.communicate(timeout=60)[0].split()[-1] for process in (one, other)]
        assert one.returncode == other.returncode == 0
    assert sorted(said) == ["built", "found"]
    assert log.read_text() == "built\n"
    (entry,) = store.entries()
    assert isinstance(entry, Entry)
    entry.check()


def test_who_comes_second_is_told_waits_and_finds(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with builder(store, log) as first:
        until(log.exists)
        with builder(store, log) as second:
            assert first_line(second) == (
                f"another process is at work on {IDENTITY.folder_name}; waiting for it\n"
            )
            assert second.poll() is None
            (tmp_path / "gate").touch()
            assert second.communicate(timeout=60)[0] == "found\n"
        assert first.communicate(timeout=60)[0] == "built\n"
    assert log.read_text() == "built\n"


def test_threads_of_one_process_build_once(store: Store) -> None:
    built, waited = [], []

    def build_once() -> None:
        with store.building(IDENTITY, waiting=waited.append) as build:
            if build.found is None:
                built.append(1)
                until(lambda: len(waited) == 3)
                build.publish(sidecar(build, {"local": b"1", "global": b"2"}))

    threads = [threading.Thread(target=build_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == [1]
    assert len(waited) == 3


def test_other_engines_are_built_meanwhile(store: Store) -> None:
    with store.building(IDENTITY) as build:
        keep(store, named("other")).check()
        assert build.folder.is_dir()


def test_a_killed_builder_leaves_a_free_lock_and_its_leftovers_go(
    store: Store, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with builder(store, log) as process:
        until(log.exists)
        keep(store, named("other"))
        assert len(parts(store)) == 2  # what is being built stays
        process.kill()
        process.wait()
    assert len(store.entries()) == 1
    assert len(parts(store)) == 2
    waited: list[str] = []
    with store.building(named("third"), waiting=waited.append):
        assert parts(store) == []
    with store.building(IDENTITY, waiting=waited.append) as build:
        assert build.found is None
    assert waited == []


def test_who_waits_for_a_builder_that_is_killed_builds(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with builder(store, log) as first:
        until(log.exists)
        with builder(store, log) as second:
            assert "waiting for it" in first_line(second)
            first.kill()
            (tmp_path / "gate").touch()
            assert second.communicate(timeout=60)[0] == "built\n"
    assert log.read_text() == "built\nbuilt\n"
    assert parts(store) == []


# ---- folders that cannot be written --------------------------------------------------------------


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    done = on_disk(
        tmp_path / "disk",
        "size=256k,mode=700",
        """
import os
from engine_folders import keep, named
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError
store = Store(folder / "engines")
keep(store, contents=os.urandom(20_000)).check()
try:
    keep(store, named("large"), contents=os.urandom(200_000))
except EngineError as error:
    print(error)
print(len(store.entries()), len(list(folder.rglob("*.part"))))
keep(store, named("small"), contents=os.urandom(20_000)).check()
""",
    )
    assert done.returncode == 0, done.stderr
    words, left = done.stdout.splitlines()
    assert "No space left on device" in words
    assert "make room, or name another (-o, or TRTCOLOR_ENGINES)" in words
    assert left == "1 0"


def test_engines_in_a_folder_that_is_read_only_are_used(tmp_path: Path) -> None:
    done = on_disk(
        tmp_path / "disk",
        "size=1m,mode=700",
        """
import subprocess
from engine_folders import IDENTITY, VERIFIED, keep, named
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError
store = Store(folder)
keep(store)
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
entry = store.find(IDENTITY)
entry.check()
print(entry.read("local", trust=True), len(store.entries()))
for attempt in (lambda: keep(store, named("other")), lambda: store.record(entry, VERIFIED)):
    try:
        attempt()
    except EngineError as error:
        print(error)
""",
    )
    assert done.returncode == 0, done.stderr
    used, *refused = done.stdout.splitlines()
    assert used == "b'a planlocal' 1"
    assert len(refused) == 2
    assert all("Read-only file system" in words for words in refused)

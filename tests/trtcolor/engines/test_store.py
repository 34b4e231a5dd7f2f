"""The store: engines are found by identity, built once, and there whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import engine_folders
import pytest
from engine_folders import IDENTITY, VERIFIED, changed, keep, named, sidecar

from trtcolor.engines.entry import Damaged, Entry
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


# ---- finding -----------------------------------------------------------------------------------


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
    files = [cache(i) for i in identities for cache in (store.timing_cache, store.runtime_cache)]
    assert len(set(files)) == 6
    assert store.timing_cache(named("other")) == store.timing_cache(IDENTITY)
    assert {file.parent for file in files} == {store.folder / ".caches"}


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


def test_a_verification_is_recorded(store: Store) -> None:
    entry = store.record(keep(store), VERIFIED)
    assert store.find(IDENTITY) == entry
    assert entry.sidecar.verification == VERIFIED
    entry.check()


def test_a_verification_of_an_engine_that_is_gone_is_refused(store: Store) -> None:
    entry = keep(store)
    shutil.rmtree(entry.path)
    with pytest.raises(EngineError, match="was not kept"):
        store.record(entry, VERIFIED)


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
                time.sleep(0.1)
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


def on_disk(folder: Path, options: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program with a small disk of its own at `folder`; skips where none can be made."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} none {folder}"
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to make a small disk with")
    trial = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True)
    if trial.returncode != 0:
        pytest.skip(f"this system makes no small disk: {trial.stderr.strip()}")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-P", "-c",
         f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{program}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(SCRIPT.parent)},
    )  # fmt: skip


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
    assert "make room, or name another in TRTCOLOR_ENGINES" in words
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

"""``trtcolor engines``: real processes over a cache of small engines."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import command_line
import pytest
from engine_folders import IDENTITY, VERIFIED, changed, keep, named

from trtcolor.engines.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "engines"))
    return Store()


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return command_line.run("engines", *arguments)


def told(*arguments: object) -> list[str]:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_empty_cache_says_how_to_fill_it(store: Store) -> None:
    assert told() == [f"no engines in {store.folder}; 'trtcolor build-engine' makes one"]
    assert told("verify") == told()
    assert json.loads(run("list", "--json").stdout) == []


def test_engines_are_listed_in_a_table_damaged_ones_too(store: Store) -> None:
    keep(store, verification=VERIFIED)
    int8 = keep(store, changed(model="big", precision="int8", calibration="6" * 64))
    broken = keep(store, named("broken"))
    (broken.path / "engine.json").unlink()
    lines = told()
    assert lines == told("list")
    assert [" ".join(line.split()) for line in lines] == [
        "key model precision builder device size built speed state",
        f"{int8.sidecar.identity.key[:12]} big int8 tensorrt-rtx 1.7.1.116 sm89 0.0 MB 2026-11-26 "
        "unverified",
        f"{named('broken').key[:12]} broken 0.0 MB damaged",
        f"{IDENTITY.key[:12]} tiny fp16 tensorrt-rtx 1.7.1.116 sm89 0.0 MB 2026-11-26 verified",
    ]


def test_engines_are_listed_as_json(store: Store) -> None:
    entry = keep(store)
    broken = keep(store, named("broken"))
    (broken.path / "engine.json").write_text("{}")
    first, second = json.loads(run("--json").stdout)
    assert first["folder"] == str(broken.path)
    assert "format version None" in first["problem"]
    assert second["problem"] is None
    assert second["engine"] == json.loads(entry.sidecar.to_json())


@pytest.mark.parametrize("by", ["name", "key", "path"])
def test_an_engine_is_inspected_by_name_key_or_path(store: Store, by: str) -> None:
    entry = keep(store, verification=VERIFIED, flags=("STRONGLY_TYPED",), gate={"mean": 0.125})
    how = {"name": entry.path.name, "key": IDENTITY.key[:8], "path": entry.path}
    text = "\n".join(told("inspect", how[by]))
    for words in (
        IDENTITY.key,
        "model         'tiny'",
        "built by      tensorrt_rtx 1.7.1.116, trtcolor 0.1.0",
        "runs on       sm89",
        "precision     fp16",
        "flags         STRONGLY_TYPED",
        IDENTITY.file_name("local"),
        "lightness -> chroma; 0.0 MB, built in 1.5 s",
        "profile 64x64:512x512:2x2048x2048",
        'gate          {"mean": 0.125}',
        "state         verified",
        'figures       {"ciede2000": 0.25}',
    ):
        assert words in text
    entries = json.loads(run("inspect", how[by], "--json").stdout)
    assert entries["engine"]["key"] == IDENTITY.key


def test_a_name_that_moves_the_cursor_is_shown_harmless(store: Store) -> None:
    entry = keep(store, changed(model="\x1b[2Jname", processor="\x1b[31m"))
    for line in (*told(), *told("inspect", entry.path.name), *told("verify")):
        assert line.isprintable()


def test_an_engine_that_is_not_there_is_refused(store: Store, tmp_path: Path) -> None:
    for name in ("nothing", tmp_path / "gone"):
        done = run("inspect", name)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


def test_verify_says_that_whole_engines_are_whole_and_whether_they_have_run(store: Store) -> None:
    keep(store)
    keep(store, named("other"), verification=VERIFIED)
    name, other = IDENTITY.folder_name, named("other").folder_name
    unverified = f"{name}: every file is as it was built; unverified (no GPU has run it)"
    assert told("verify") == [f"{other}: every file is as it was built; verified", unverified]
    assert told("verify", "tiny") == [unverified]


@pytest.mark.parametrize("file", [IDENTITY.file_name("global"), "engine.json"])
def test_verify_notices_one_flipped_byte(store: Store, file: str) -> None:
    entry = keep(store)
    keep(store, named("other"))
    data = bytearray((entry.path / file).read_bytes())
    data[len(data) // 2] ^= 1
    (entry.path / file).write_bytes(data)
    for names in ((), ("tiny",), (entry.path,)):
        done = run("verify", *names)
        assert done.returncode == 1
        damage = [line for line in done.stdout.splitlines() if ": damaged: " in line]
        assert len(damage) == 1
        assert damage[0].startswith(f"{entry.path.name}: damaged: ")
        assert file in damage[0]
        assert done.stderr.startswith("error: 1 of ")
    assert run("verify", "other").returncode == 0


def test_one_that_cannot_be_verified_does_not_keep_verify_from_the_others(store: Store) -> None:
    on_cpu = changed(backend="onnxruntime", precision="fp32", targets=(), builder_version="1.0")
    gone = keep(store, on_cpu, bundle=str(store.folder / "gone"))
    keep(store, named("zebra"))
    done = run("verify")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{gone.path.name}: every file is as it was built; not verified: ")
    assert second.endswith("unverified (no GPU has run it)")
    assert done.stderr.startswith("error: 1 of 2 engines are damaged or could not be verified")


def test_prune_says_what_goes_and_how_much_is_free(store: Store) -> None:
    entry = keep(store, contents=bytes(1_000_000))
    assert told("prune", "--all", "--dry-run") == [
        f"{entry.path.name}: would go: all were to go",
        "2.0 MB would be free again",
    ]
    assert entry.path.is_dir()
    assert told("prune", "--older-than", 10000) == ["0.0 MB are free again"]
    with store.building(IDENTITY):
        assert told("prune", "--all") == [
            f"{entry.path.name}: kept: somebody is building it",
            "0.0 MB are free again",
        ]
    assert told("prune", "--stale")[1] == "2.0 MB are free again"
    assert store.entries() == []


def test_prune_wants_to_be_told_what(store: Store) -> None:
    keep(store)
    done = run("prune")
    assert done.returncode == 2
    assert "--older-than, --stale or --all was needed" in done.stderr
    assert len(store.entries()) == 1

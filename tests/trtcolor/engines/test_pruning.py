"""Pruning: what nobody needs goes, what is being built and what is no engine stays."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import onnxruntime
import pytest
from engine_folders import changed, keep, named
from small_disk import on_disk

from trtcolor.bundle import open_bundle
from trtcolor.engines.config import BUILDERS
from trtcolor.engines.identity import RECIPE, Identity
from trtcolor.engines.pruning import installed_version, prune, why_stale
from trtcolor.engines.store import Store

MakeBundle = Callable[..., Path]


def identity_of(bundle: Path) -> Identity:
    """Of an engine of a bundle that this machine could have built."""
    spec = open_bundle(bundle).spec
    return changed(
        model=spec.name,
        graphs={name: graph.file for name, graph in spec.graphs.items()},
        files=spec.files,
        backend="onnxruntime",
        targets=(),
        builder_version=onnxruntime.__version__,
    )


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def fresh(make_bundle: MakeBundle, models: Path) -> Identity:
    """Of an engine that is of use: its bundle is installed, and so is its builder."""
    return identity_of(make_bundle("mine", models=models))


def left(store: Store) -> list[str]:
    return [entry.path.name for entry in store.entries()]


def test_an_engine_of_what_is_installed_is_not_stale(store: Store, fresh: Identity) -> None:
    keep(store, fresh)
    assert why_stale(fresh) is None
    assert prune(store, stale=True) == []
    assert left(store) == [fresh.folder_name]


def test_an_engine_of_a_bundle_by_its_path_is_not_stale(
    store: Store, make_bundle: MakeBundle, models: Path
) -> None:
    bundle = make_bundle("elsewhere")
    identity = identity_of(bundle)
    keep(store, identity, bundle=str(bundle))
    assert "no installed model is 'elsewhere'" in str(why_stale(identity))
    assert prune(store, stale=True) == []


def test_an_engine_whose_model_changed_is_stale(
    store: Store, fresh: Identity, make_bundle: MakeBundle, models: Path
) -> None:
    keep(store, fresh)
    (models / "mine").rename(models.parent / "old")
    make_bundle("mine", models=models, seed=1)
    (pruned,) = prune(store, stale=True)
    assert pruned.reason == "no installed model is 'mine' with the same files"
    assert left(store) == []


def test_engines_of_other_versions_are_stale(fresh: Identity) -> None:
    older = replace(fresh, builder_version="1.0.0")
    assert why_stale(older) == (
        f"built by onnxruntime 1.0.0, {onnxruntime.__version__} is installed"
    )
    assert "recipe" in str(why_stale(replace(fresh, recipe=RECIPE + 1)))


def test_an_engine_whose_builder_is_gone_is_stale(
    fresh: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILDERS, "onnxruntime", "no_such_module")
    monkeypatch.setattr("trtcolor.engines.here.import_onnxruntime", lambda: 1 / 0)
    assert installed_version("onnxruntime") is None
    assert why_stale(fresh) == "no_such_module is not installed"


def test_openvino_is_asked_for_its_version_without_reporting_to_its_makers() -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    program = (
        "import sys\n"
        "from trtcolor.engines.pruning import installed_version\n"
        "print(installed_version('openvino'), 'openvino_telemetry' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith(" False\n")
    assert not done.stdout.startswith("None")


@pytest.mark.parametrize("file", ["engine.json", "plan"])
def test_damaged_engines_are_stale(store: Store, fresh: Identity, file: str) -> None:
    entry = keep(store, fresh)
    name = fresh.file_name("local") if file == "plan" else file
    (entry.path / name).write_bytes(b"altered")
    assert prune(store, older_than=timedelta(days=36500)) == []
    (pruned,) = prune(store, stale=True)
    assert pruned.reason == "damaged"
    assert left(store) == []


def test_old_engines_go_by_age(store: Store) -> None:
    now = datetime.now(UTC)
    keep(store, named("old"), created=(now - timedelta(days=40)).isoformat())
    young = keep(store, named("young"), created=(now - timedelta(days=20)).isoformat())
    (pruned,) = prune(store, older_than=timedelta(days=30))
    assert pruned.reason == "built 40 days ago"
    assert left(store) == [young.path.name]


def test_a_dry_run_deletes_nothing_and_says_the_same(store: Store) -> None:
    entry = keep(store)
    cache = store.timing_cache(named("tiny"))
    cache.parent.mkdir()
    cache.write_bytes(b"timings")
    size = sum(file.stat().st_size for file in entry.path.iterdir())
    would = prune(store, everything=True, dry_run=True)
    assert entry.problems() == []
    assert cache.exists()
    assert [one.bytes for one in would] == [size, len(b"timings")]
    assert prune(store, everything=True) == would
    assert left(store) == []
    assert not cache.exists()


def test_what_is_being_built_stays(store: Store) -> None:
    entry = keep(store)
    (entry.path / "engine.json").write_text("altered")
    with store.building(named("tiny")) as build:
        (build.folder / "half").write_bytes(b"half")
        (pruned,) = prune(store, everything=True)
        assert pruned.busy
        assert (build.folder / "half").exists()
    assert entry.path.is_dir()


def test_leftovers_of_killed_builds_go(store: Store) -> None:
    half = store.work.folder(named("tiny").folder_name) / ".abc.part" / "half"
    half.parent.mkdir(parents=True)
    half.write_bytes(bytes(1000))
    (pruned,) = prune(store)
    assert pruned.bytes == 1000
    assert pruned.reason == "left by a build that was killed"
    assert not half.exists()


def test_what_is_no_engine_stays(store: Store) -> None:
    keep(store)
    precious = store.folder / "pictures"
    precious.mkdir()
    (store.folder / "films").mkdir()
    (precious / "engine.json").write_text("{}")
    (store.folder / "notes.txt").write_text("mine")
    prune(store, everything=True)
    assert left(store) == ["pictures"]
    assert (store.folder / "notes.txt").exists()


def test_nothing_is_made_where_there_is_nothing_to_prune(store: Store) -> None:
    assert prune(store, stale=True, everything=True) == []
    assert not store.folder.exists()


def test_a_folder_that_is_read_only_is_told_and_a_dry_run_works(tmp_path: Path) -> None:
    done = on_disk(
        tmp_path / "disk",
        "size=1m,mode=700",
        """
import subprocess
from engine_folders import keep
from trtcolor.engines.pruning import prune
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError
store = Store(folder)
keep(store)
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
print(len(prune(store, everything=True, dry_run=True)))
try:
    prune(store, everything=True)
except EngineError as error:
    print(error)
store.entries()[0].check()
""",
    )
    assert done.returncode == 0, done.stderr
    would, refused = done.stdout.splitlines()
    assert would == "1"
    assert "was not deleted (Read-only file system)" in refused

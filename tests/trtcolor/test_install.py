"""A model is installed whole and verified, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trtcolor.bundle import (
    DEFAULT_MODEL,
    file_sha256,
    find_bundle,
    installed_bundles,
    open_bundle,
)
from trtcolor.colorizer import Colorizer
from trtcolor.errors import (
    BackendError,
    BundleError,
    OutputExistsError,
    TrtcolorError,
    UnknownModelError,
)
from trtcolor.install import install_bundle, remove_bundle

MakeBundle = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of models, which does not exist yet."""
    folder = tmp_path / "user" / "models"
    monkeypatch.setenv("TRTCOLOR_MODELS", str(folder))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("form", ["folder", "zip", "tar", "gztar"])
def test_an_installed_model_colours_by_its_name_as_its_source_does(
    form: str, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    source = make_bundle("mine")
    (source / "README.md").write_text("a card")
    (source / "notes.tmp").write_text("not of the bundle")
    expected = content(source)
    del expected["notes.tmp"]
    if form != "folder":
        source = Path(shutil.make_archive(str(tmp_path / "packed"), form, tmp_path, "mine"))
    done = install_bundle(source)
    assert done.loaded
    assert not done.hides
    assert content(done.path) == expected
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    shutil.move(tmp_path / "mine", tmp_path / "elsewhere")
    with Colorizer("mine") as installed, Colorizer(tmp_path / "elsewhere") as original:
        np.testing.assert_array_equal(installed.colorize(grey), original.colorize(grey))


def test_a_model_is_installed_by_another_name_and_says_so(make_bundle: MakeBundle) -> None:
    source = make_bundle("mine")
    install_bundle(source, name="other")
    assert open_bundle("other").spec.name == "other"
    assert open_bundle("other").spec.files == open_bundle(source).spec.files


def test_a_taken_name_is_refused_unless_overwritten(make_bundle: MakeBundle) -> None:
    first, second = make_bundle("first"), make_bundle("second", seed=1)
    install_bundle(first, name="mine")
    with pytest.raises(OutputExistsError):
        install_bundle(second, name="mine")
    assert content(find_bundle("mine"))["weights.bin"] == content(first)["weights.bin"]
    done = install_bundle(second, name="mine", overwrite=True)
    assert content(done.path)["weights.bin"] == content(second)["weights.bin"]
    assert {path.name for path in done.path.parent.iterdir()} == {"mine"}


def test_a_bundled_models_name_is_refused_unless_it_may_be_hidden(make_bundle: MakeBundle) -> None:
    bundled = find_bundle(DEFAULT_MODEL)
    source = make_bundle(DEFAULT_MODEL)
    with pytest.raises(BundleError, match=f"a bundled model is called '{DEFAULT_MODEL}'"):
        install_bundle(source)
    done = install_bundle(source, overwrite=True)
    assert done.hides
    assert find_bundle("default") == done.path
    assert remove_bundle(DEFAULT_MODEL)
    assert find_bundle("default") == bundled


@pytest.mark.parametrize(
    "name", ["default", "", ".", "..", "../x", "a/b", "-x", ".x", "a b", "x" * 101, "a\0", "é"]
)
def test_an_impossible_name_is_refused(name: str, make_bundle: MakeBundle, models: Path) -> None:
    with pytest.raises(BundleError, match="as a model's name"):
        install_bundle(make_bundle("mine"), name=name)
    assert not models.exists()


def test_an_impossible_name_in_the_bundle_asks_for_another(make_bundle: MakeBundle) -> None:
    source = make_bundle("mine")
    entries = json.loads((source / "model.json").read_text())
    (source / "model.json").write_text(json.dumps(entries | {"name": "a/b"}))
    with pytest.raises(BundleError, match="--name"):
        install_bundle(source)
    assert install_bundle(source, name="mine").path.name == "mine"


def altered(source: Path) -> None:
    (source / "weights.bin").write_bytes(bytes(500))


def incomplete(source: Path) -> None:
    (source / "weights.bin").unlink()


def without_spec(source: Path) -> None:
    (source / "model.json").unlink()


def respecified(source: Path, **changes: Any) -> None:
    entries = json.loads((source / "model.json").read_text()) | changes
    files = {name: file_sha256(source / name) for name in entries["files"]}
    (source / "model.json").write_text(json.dumps(entries | {"files": files}))


def no_graph(source: Path) -> None:
    (source / "local.onnx").write_bytes(b"no ONNX")
    respecified(source)


def other_names(source: Path) -> None:
    graph = {"file": "local.onnx", "inputs": ["grey"], "outputs": ["chroma"]}
    respecified(source, graphs={"local": graph})


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (altered, r"weights\.bin has SHA-256"),
        (incomplete, r"lacks weights\.bin"),
        (without_spec, r"no readable model\.json"),
        (no_graph, "did not load graph 'local'"),
        (other_names, r"has the inputs \['lightness'\]"),
    ],
)
def test_a_broken_bundle_is_refused_and_leaves_nothing(
    damage: Callable[[Path], None],
    said: str,
    form: str,
    make_bundle: MakeBundle,
    tmp_path: Path,
    models: Path,
) -> None:
    source = make_bundle("mine")
    damage(source)
    if form != "folder":
        source = Path(shutil.make_archive(str(tmp_path / "packed"), form, source))
    with pytest.raises((BundleError, BackendError), match=said) as caught:
        install_bundle(source)
    assert ".part" not in str(caught.value)
    assert not list(models.iterdir() if models.exists() else ())


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("step", ["shutil.copyfile", "put_folder_in_place", "os.fsync"])
def test_an_interruption_leaves_what_was_there(
    step: str,
    failure: BaseException,
    make_bundle: MakeBundle,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_bundle(make_bundle("first"), name="mine")
    before = content(models)
    calls = []

    def fail(*_: Any, **__: Any) -> None:
        calls.append(step)
        raise failure

    monkeypatch.setattr(f"trtcolor.install.{step}", fail)
    with pytest.raises((KeyboardInterrupt, BundleError)) as caught:
        install_bundle(make_bundle("second"), name="mine", overwrite=True)
    assert calls
    assert isinstance(caught.value, TrtcolorError) == isinstance(failure, OSError)
    assert content(models) == before


def test_a_failed_replacement_puts_the_old_model_back(
    make_bundle: MakeBundle, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_bundle(make_bundle("first"), name="mine")
    second, before, rename = make_bundle("second"), content(models), os.rename

    def fail_second(source: Path, target: Path) -> None:
        if Path(target) == models / "mine" and Path(source).suffix == ".part":
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_second)
    with pytest.raises(KeyboardInterrupt):
        install_bundle(second, name="mine", overwrite=True)
    assert content(models) == before


def test_a_model_on_its_way_in_is_not_listed(make_bundle: MakeBundle, models: Path) -> None:
    make_bundle(".abc.part", models=models)
    assert [path.name for path in installed_bundles()] == [DEFAULT_MODEL]


def test_without_onnx_runtime_no_graph_is_opened(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    source = make_bundle("mine")
    no_graph(source)
    assert not install_bundle(source).loaded


def test_only_a_model_is_overwritten(make_bundle: MakeBundle, models: Path) -> None:
    (models / "mine").mkdir(parents=True)
    (models / "mine" / "diary.txt").write_text("dear")
    with pytest.raises(BundleError, match="only a bundle is overwritten"):
        install_bundle(make_bundle("mine"), overwrite=True)
    with pytest.raises(UnknownModelError):
        remove_bundle("mine")
    assert (models / "mine" / "diary.txt").read_text() == "dear"


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        install_bundle(tmp_path / "none")


def test_a_removed_model_is_gone(make_bundle: MakeBundle, models: Path) -> None:
    install_bundle(make_bundle("mine"))
    assert not remove_bundle("mine")
    assert not list(models.iterdir())
    with pytest.raises(UnknownModelError, match="no model 'mine'"):
        remove_bundle("mine")


def test_a_link_to_a_model_is_removed_and_not_the_model(
    make_bundle: MakeBundle, models: Path
) -> None:
    source = make_bundle("mine")
    models.mkdir(parents=True)
    (models / "linked").symlink_to(source)
    remove_bundle("linked")
    assert open_bundle(source)
    assert not list(models.iterdir())


@pytest.mark.parametrize("name", ["..", ".", "", "../models/mine", "/", "a\0"])
def test_nothing_outside_the_folder_is_removed(name: str, make_bundle: MakeBundle) -> None:
    install_bundle(make_bundle("mine"))
    with pytest.raises(UnknownModelError):
        remove_bundle(name)
    assert open_bundle("mine")


def test_a_bundled_model_is_not_removed() -> None:
    with pytest.raises(BundleError, match="is bundled with trtcolor"):
        remove_bundle(DEFAULT_MODEL)
    assert open_bundle(DEFAULT_MODEL)

"""A bundle is found by name or path, and opened only if every file is what it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trtcolor.bundle import find_bundle, installed_bundles, model_folders, open_bundle
from trtcolor.errors import BundleError, UnknownModelError

MakeBundle = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of models, empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("TRTCOLOR_MODELS", str(folder))
    return folder


def edit(folder: Path, **changes: Any) -> None:
    file = folder / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_bundle_opens_by_path_and_knows_its_graphs(make_bundle: MakeBundle) -> None:
    folder = make_bundle(global_size=16)
    bundle = open_bundle(folder)
    assert bundle.path == folder
    assert bundle.spec.name == "tiny"
    assert bundle.graph_path("joint") == folder / "joint.onnx"


def test_a_graph_that_a_model_lacks_is_a_key_error(make_bundle: MakeBundle) -> None:
    with pytest.raises(KeyError):
        open_bundle(make_bundle()).graph_path("global")


def test_a_bundle_opens_by_name_from_the_users_folder(
    make_bundle: MakeBundle, models: Path
) -> None:
    folder = make_bundle("mine", models=models)
    assert open_bundle("mine").path == folder
    assert folder in list(installed_bundles())


def test_the_users_folder_comes_before_the_packages() -> None:
    user, package = model_folders()
    assert user.name == "models"
    assert package.parts[-2:] == ("trtcolor", "models")


def test_the_default_model_can_be_replaced_by_the_user(
    make_bundle: MakeBundle, models: Path
) -> None:
    from trtcolor.bundle import DEFAULT_MODEL

    folder = make_bundle(DEFAULT_MODEL, models=models)
    assert find_bundle("default") == folder


@pytest.mark.parametrize("model", ["no-such-model", "no/such/folder", "../no-such-model"])
def test_an_unknown_model_is_refused_with_the_installed_ones_named(
    model: str, make_bundle: MakeBundle, models: Path
) -> None:
    make_bundle("mine", models=models)
    with pytest.raises(UnknownModelError, match=r"installed: .*mine"):
        open_bundle(model)


def test_a_folder_without_a_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no readable model\.json"):
        open_bundle(tmp_path)


def test_a_spec_that_is_no_text_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "model.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BundleError, match=r"no readable model\.json"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["local.onnx", "weights.bin"])
def test_one_altered_bit_is_refused(name: str, make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} has SHA-256"):
        open_bundle(folder)


def test_a_missing_file_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "weights.bin").unlink()
    with pytest.raises(BundleError, match=r"lacks weights\.bin"):
        open_bundle(folder)


def test_a_graph_without_a_checksum_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    edit(folder, files={})
    with pytest.raises(BundleError, match=r"no SHA-256 for local\.onnx"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "name", ["../weights.bin", "/etc/hostname", "sub/weights.bin", "..", "", "a\0b"]
)
def test_a_file_outside_the_bundle_is_refused(name: str, make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    files = json.loads((folder / "model.json").read_text())["files"]
    edit(folder, files=files | {name: "00"})
    with pytest.raises(BundleError, match="plain names inside the bundle"):
        open_bundle(folder)

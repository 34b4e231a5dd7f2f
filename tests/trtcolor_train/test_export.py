"""Export: a bundle that the runtime colours with as torch does, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from trtcolor import color
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import CheckpointError, ExportError, OutputExistsError
from trtcolor.resize import resize_plane
from trtcolor_train import export as export_module
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.export import export, network_from_checkpoint
from trtcolor_train.loop import train
from trtcolor_train.models import family
from trtcolor_train.models.iizuka import JointNetwork


@pytest.fixture(scope="module")
def checkpoint(
    shards: Path, write_config: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A short real training's checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    return train(read_config(write_config(folder, steps=12)), folder / "run", data_root=shards)


def network_of(checkpoint: Path) -> JointNetwork:
    return network_from_checkpoint(load_checkpoint(checkpoint), source="test")


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_bundle_colours_as_torch_does(
    checkpoint: Path, photos: list[Any], precision: str, tmp_path: Path
) -> None:
    bundle, parity = export(checkpoint, tmp_path / "bundle", precision=precision)  # type: ignore[arg-type]
    assert parity.max_difference <= 1e-2
    assert parity.mean_difference <= 1e-3
    assert parity.comparisons >= 12
    network = network_of(checkpoint)
    photo = photos[0][:61, :83]
    lightness = color.lightness_from_rgb(photo)
    padded = np.pad(lightness, ((0, 3), (0, 1)), mode="edge")[None, None]
    square = resize_plane(lightness, (32, 32))[None, None]
    with torch.no_grad():
        low = network.low(network.normalise(torch.from_numpy(padded)))
        features = network(torch.from_numpy(square)).global_features
        chroma = network.colorize(low, features)[0, :, :31, :42].numpy()
    with Colorizer(bundle, render="full") as colorizer:
        prepared = colorizer.prepare(photo)
        found = colorizer.predict(prepared)
        labels = colorizer.classify(photo, top=3)
    assert np.abs(found - chroma).max() <= (1e-2 if precision == "float32" else 1.0)
    assert sorted(name for name, _ in labels) == ["first", "second", "third"]


def test_weights_are_stored_once_for_all_graphs(checkpoint: Path, tmp_path: Path) -> None:
    bundle, _ = export(checkpoint, tmp_path / "bundle", precision="float32", folded=False)
    offsets: dict[str, set[tuple[str, str]]] = {}
    for name in ("local", "global", "joint"):
        model = onnx.load(str(bundle / f"{name}.onnx"), load_external_data=False)
        assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
        assert "Concat" not in {node.op_type for node in model.graph.node}
        external = [{e.key: e.value for e in t.external_data} for t in model.graph.initializer]
        assert {e["location"] for e in external if e} == {"weights.bin"}
        offsets[name] = {(e["offset"], e["length"]) for e in external if e}
    assert offsets["local"] & offsets["global"]
    assert offsets["joint"] == offsets["local"] | offsets["global"]
    stored = sum(int(length) for _, length in offsets["joint"])
    assert stored <= (bundle / "weights.bin").stat().st_size < stored + 64 * len(offsets["joint"])


def test_no_graph_names_a_file_of_this_machine(checkpoint: Path, tmp_path: Path) -> None:
    bundle, _ = export(checkpoint, tmp_path / "bundle")
    sources = str(Path(export_module.__file__).parent).encode()
    for graph in bundle.glob("*.onnx"):
        content = graph.read_bytes()
        assert sources not in content
        assert b".py" not in content


def test_float16_storage_halves_the_weights_and_is_chosen_where_it_is_free(
    checkpoint: Path, tmp_path: Path
) -> None:
    chosen, parity = export(checkpoint, tmp_path / "auto")
    full, _ = export(checkpoint, tmp_path / "full", precision="float32")
    assert parity.ciede2000 < 0.1
    assert open_bundle(chosen).spec.precision == "float16"
    halves, wholes = ((b / "weights.bin").stat().st_size for b in (chosen, full))
    assert halves < 0.52 * wholes


def test_folded_weights_load_as_the_same_network_without_batch_norm(
    checkpoint: Path, tmp_path: Path
) -> None:
    bundle, _ = export(checkpoint, tmp_path / "bundle")
    network = network_of(checkpoint)
    folded = JointNetwork(network.dimensions, batch_norm=False).eval()
    folded.load_state_dict(load_file(bundle / "folded.safetensors"))
    lightness = torch.rand(2, 1, 32, 32) * 100
    with torch.no_grad():
        true, found = network(lightness).chroma, folded(lightness).chroma
    assert (found - true).abs().max() <= 1e-5 * true.abs().max()


def test_the_spec_says_what_was_trained(checkpoint: Path, tmp_path: Path) -> None:
    bundle, _ = export(checkpoint, tmp_path / "bundle", name="mine", licence="none at all")
    spec = open_bundle(bundle).spec
    assert (spec.name, spec.family, spec.licence) == ("mine", "lee2016", "none at all")
    assert (spec.size.multiple, spec.size.chroma_scale, spec.size.global_size) == (4, 2, 32)
    assert spec.classes == ("first", "second", "third")
    assert spec.training["steps"] == 12
    again = family(spec.family).build(spec.configuration)
    assert again.dimensions == network_of(checkpoint).dimensions


def test_a_network_without_global_features_exports_one_graph(
    shards: Path, photos: list[Any], write_config: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_config(tmp_path, steps=4)
    text = path.read_text().replace("lee2016", "iizuka2016-baseline")
    text = text.replace("[16, 1]]\nmid", "[16, 1], [16, 2], [16, 1]]\nmid")
    for name in ("global_convolutions", "global_layers", "classifier"):
        text = "\n".join(line for line in text.splitlines() if not line.startswith(name))
    text = text.replace("colorization = [8, 8, 0, 8]", "colorization = [8, 0, 8, 0, 8]")
    path.write_text(text.replace("[loss]", "[loss]\nalpha = 0"))
    trained = train(read_config(path), tmp_path / "run", data_root=shards)
    bundle, _ = export(trained, tmp_path / "bundle")
    assert set(open_bundle(bundle).spec.graphs) == {"local"}
    photo = photos[0][:50, :70]
    with Colorizer(bundle) as colorizer:
        assert colorizer.colorize(photo).shape == photo.shape


def test_a_failing_comparison_writes_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr(export_module, "MAX_DIFFERENCE", 0.0)
    monkeypatch.setattr(export_module, "MEAN_DIFFERENCE", 0.0)
    with pytest.raises(ExportError, match="differ from torch"):
        export(checkpoint, folder / "bundle")
    assert list(folder.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_asked_and_a_bundle(
    checkpoint: Path, tmp_path: Path
) -> None:
    bundle, _ = export(checkpoint, tmp_path / "bundle")
    with pytest.raises(OutputExistsError, match="is there already"):
        export(checkpoint, bundle)
    export(checkpoint, bundle, name="second", overwrite=True)
    assert open_bundle(bundle).spec.name == "second"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    with pytest.raises(ExportError, match="no bundle"):
        export(checkpoint, precious, overwrite=True)
    assert (precious / "file").read_text() == "keep"


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        export(tmp_path / "c", tmp_path / "bundle")


def test_a_bundle_that_cannot_be_written_is_one_sentence(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="could not be written"):
        export(checkpoint, tmp_path / "file" / "bundle")


def test_the_old_bundle_comes_back_if_the_new_one_cannot_take_its_place(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, _ = export(checkpoint, tmp_path / "out" / "bundle", name="old")
    rename = os.rename

    def fail_once(source: Path, target: Path) -> None:
        if target == bundle:
            monkeypatch.setattr(os, "rename", rename)
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_once)
    with pytest.raises(ExportError, match="could not be written"):
        export(checkpoint, bundle, name="new", overwrite=True)
    assert open_bundle(bundle).spec.name == "old"
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]

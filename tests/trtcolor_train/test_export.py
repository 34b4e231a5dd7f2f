"""Export: a bundle that the runtime colours with as torch does, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from calibrated import calibrated_network, saved
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import nn

from trtcolor import color
from trtcolor.bundle import open_bundle
from trtcolor.cli import main
from trtcolor.colorizer import Colorizer
from trtcolor.errors import (
    BundleError,
    CheckpointError,
    ConfigError,
    ExportError,
    OutputExistsError,
)
from trtcolor.resize import resize_plane
from trtcolor_train import export as export_module
from trtcolor_train import parity as parity_module
from trtcolor_train.build import network_from_checkpoint
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.decoder import Decoder
from trtcolor_train.export import export
from trtcolor_train.fold import fold
from trtcolor_train.loop import train
from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.parity import Parity


@pytest.fixture(scope="module")
def checkpoint(
    shards: Path, write_config: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A short real training's checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    return train(read_config(write_config(folder, steps=12)), folder / "run", data_root=shards)


@pytest.fixture(scope="module")
def wholes(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Parity]:
    """Its bundle with float32 weights, not to be changed."""
    return export(checkpoint, tmp_path_factory.mktemp("wholes") / "bundle", precision="float32")


@pytest.fixture(scope="module")
def halves(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Parity]:
    """Its bundle as exported by default, with a name and a licence, not to be changed."""
    folder = tmp_path_factory.mktemp("halves") / "bundle"
    return export(checkpoint, folder, name="mine", licence="none at all")


@pytest.fixture(scope="module")
def quick(photos: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose bundle has one small graph."""
    path = tmp_path_factory.mktemp("quick") / "checkpoint.safetensors"
    network = calibrated_network("iizuka2016-baseline", photos)
    return saved(network, "iizuka2016-baseline", path)


def network_of(checkpoint: Path) -> ColorNetwork:
    return network_from_checkpoint(load_checkpoint(checkpoint), source="test")


@pytest.mark.parametrize("precision", ["wholes", "halves"])
def test_the_bundle_colours_as_torch_does(
    checkpoint: Path, photos: list[Any], precision: str, request: pytest.FixtureRequest
) -> None:
    bundle, parity = request.getfixturevalue(precision)
    assert parity.max_difference <= 1e-2
    assert parity.mean_difference <= 1e-3
    assert parity.comparisons >= 12
    network = network_of(checkpoint)
    photo = photos[0][:61, :83]
    lightness = color.lightness_from_rgb(photo)
    padded = np.pad(lightness, ((0, 3), (0, 1)), mode="edge")[None, None]
    square = resize_plane(lightness, (32, 32))[None, None]
    with torch.no_grad():
        taken = torch.from_numpy(padded)
        features = network(torch.from_numpy(square)).global_features
        chroma = network.decode(network.paint(taken, features), taken)[0, :, :31, :42].numpy()
    with Colorizer(bundle, render="full") as colorizer:
        prepared = colorizer.prepare(photo)
        found = colorizer.predict(prepared)
        labels = colorizer.classify(photo, top=3)
    assert np.abs(found - chroma).max() <= (1e-2 if precision == "wholes" else 1.0)
    assert sorted(name for name, _ in labels) == ["first", "second", "third"]


def test_weights_are_stored_once_for_all_graphs(wholes: tuple[Path, Parity]) -> None:
    bundle, _ = wholes
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


def test_no_graph_names_a_file_of_this_machine(halves: tuple[Path, Parity]) -> None:
    bundle, _ = halves
    sources = str(Path(export_module.__file__).parent).encode()
    for graph in bundle.glob("*.onnx"):
        content = graph.read_bytes()
        assert sources not in content
        assert b".py" not in content


def test_float16_storage_halves_the_weights_and_is_chosen_where_it_is_free(
    halves: tuple[Path, Parity], wholes: tuple[Path, Parity]
) -> None:
    (chosen, parity), (full, _) = halves, wholes
    assert parity.ciede2000 < 0.1
    assert open_bundle(chosen).spec.precision == "float16"
    small, large = ((b / "weights.bin").stat().st_size for b in (chosen, full))
    assert small < 0.52 * large


def test_what_float16_does_not_hold_stays_float32(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    network = network_of(quick)
    weight = network.get_parameter("mid.0.layer.weight")
    weight.detach()[0, 0, 0, 0] = 1e6
    norm = network.get_submodule("mid.0.norm")
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.ones_(norm.weight)
    assert norm.running_var is not None
    norm.running_var[0] = 1.0
    path = saved(network, "iizuka2016-baseline", tmp_path / "checkpoint.safetensors")
    bundle, _ = export(path, tmp_path / "auto", say=said.append)
    assert open_bundle(bundle).spec.precision == "float32"
    assert [line[:8] for line in said] == ["float32:"]
    with pytest.raises(ExportError, match=r"does not fit float16; .*--precision float32"):
        export(path, tmp_path / "halves", precision="float16")
    monkeypatch.setattr(export_module, "MAX_HALF_CIEDE2000", 0.0)
    bundle, _ = export(quick, tmp_path / "costly", say=said.append)
    assert open_bundle(bundle).spec.precision == "float32"
    assert [line[:8] for line in said] == ["float32:", "float16:", "float32:"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, quick: Path, tmp_path: Path) -> None:
    network = network_of(quick)
    norm = network.get_submodule("low.1.norm")
    assert isinstance(norm, nn.BatchNorm2d)
    norm.bias.detach()[3] = value
    path = saved(network, "iizuka2016-baseline", tmp_path / "checkpoint.safetensors")
    with pytest.raises(ExportError, match=r"not finite \(low.1.layer.bias"):
        export(path, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_wrong_fold_is_found(
    precision: Any, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_shift(network: ColorNetwork) -> ColorNetwork:
        folded = fold(network)
        nn.init.zeros_(folded.get_parameter("mid.0.layer.bias"))
        return folded

    monkeypatch.setattr(export_module, "fold", without_shift)
    with pytest.raises(ExportError, match="differ from torch"):
        export(quick, tmp_path / "bundle", precision=precision)


def test_colours_that_srgb_lacks_count_for_the_mean_alone() -> None:
    graphs = np.array([[[[10.0, 300.0]], [[0.0, -200.0]]]], np.float32)
    lightness = np.full((1, 1, 1, 2), 50.0, np.float32)
    assert parity_module._in_gamut(graphs, lightness, 1).tolist() == [[True, False]]
    graphs[:] = np.nan
    assert parity_module._in_gamut(graphs, lightness, 1).all()


def test_folded_weights_load_as_the_same_network_without_batch_norm(
    checkpoint: Path, halves: tuple[Path, Parity]
) -> None:
    bundle, _ = halves
    network = network_of(checkpoint)
    folded = fold(family("lee2016").build(asdict(network.dimensions)))
    folded.load_state_dict(load_file(bundle / "folded.safetensors"))
    lightness = torch.rand(2, 1, 32, 32) * 100
    with torch.no_grad():
        true, found = network(lightness).output, folded(lightness).output
    assert (found - true).abs().max() <= 1e-5 * true.abs().max()


def test_the_spec_says_what_was_trained(checkpoint: Path, halves: tuple[Path, Parity]) -> None:
    bundle, _ = halves
    spec = open_bundle(bundle).spec
    assert (spec.name, spec.family, spec.licence) == ("mine", "lee2016", "none at all")
    assert (spec.size.multiple, spec.size.chroma_scale, spec.size.global_size) == (4, 2, 32)
    assert spec.classes == ("first", "second", "third")
    assert spec.training["steps"] == 12
    assert spec.training["seconds"] == load_checkpoint(checkpoint).seconds > 0
    assert spec.training["start"] == "random weights"
    assert spec.training["data"]["source"].endswith("/train-*.tar.gz")
    assert not Path(spec.training["data"]["source"]).is_absolute()
    again = family(spec.family).build(spec.configuration)
    assert again.dimensions == network_of(checkpoint).dimensions


def test_a_failing_comparison_writes_nothing(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr(parity_module, "MAX_DIFFERENCE", 0.0)
    monkeypatch.setattr(parity_module, "MEAN_DIFFERENCE", 0.0)
    with pytest.raises(ExportError, match="differ from torch"):
        export(quick, folder / "bundle")
    assert list(folder.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_asked_and_a_bundle(
    quick: Path, tmp_path: Path
) -> None:
    bundle, _ = export(quick, tmp_path / "bundle")
    with pytest.raises(OutputExistsError, match="is there already"):
        export(quick, bundle)
    export(quick, bundle, name="second", overwrite=True)
    assert open_bundle(bundle).spec.name == "second"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    with pytest.raises(BundleError, match="no bundle"):
        export(quick, precious, overwrite=True)
    assert (precious / "file").read_text() == "keep"


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        export(tmp_path / "c", tmp_path / "bundle")


def test_a_bundle_that_cannot_be_written_is_one_sentence(quick: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="could not be written"):
        export(quick, tmp_path / "file" / "bundle")


def test_the_old_bundle_comes_back_if_the_new_one_cannot_take_its_place(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, _ = export(quick, tmp_path / "out" / "bundle", name="old")
    rename = os.rename

    def fail_once(source: Path, target: Path) -> None:
        if target == bundle:
            monkeypatch.setattr(os, "rename", rename)
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_once)
    with pytest.raises(ExportError, match="could not be written"):
        export(quick, bundle, name="new", overwrite=True)
    assert open_bundle(bundle).spec.name == "old"
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


def test_a_decoder_for_a_network_without_bins_is_refused(quick: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'iizuka2016-baseline', which predicts colours"):
        export(quick, tmp_path / "bundle", decoder=Decoder("mode"))
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--temperature 0", "the temperature is 0.0; a number from 0.01"),
        ("--temperature nan", "the temperature is nan; a number from 0.01"),
        ("--smoothing -1", "the smoothing is -1.0; a deviation of 0 to 64"),
        ("--smoothing 1e9", "the smoothing is 1000000000.0; a deviation of 0 to 64"),
        ("--decoder mode --temperature 0.5", "a temperature came for the decoder 'mode'"),
        ("--decoder mode", "a decoder came for 'iizuka2016-baseline'"),
    ],
)
def test_the_command_line_refuses_impossible_decoders_in_one_sentence(
    options: str, said: str, quick: Path, tmp_path: Path
) -> None:
    result = CliRunner().invoke(main, ["export", str(quick), str(tmp_path / "b"), *options.split()])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert not (tmp_path / "b").exists()


def test_the_command_line_exports_with_the_decoder_that_was_asked_for(
    photos: list[Any], tmp_path: Path
) -> None:
    network = calibrated_network("hwang2016-classification", photos)
    path = saved(network, "hwang2016-classification", tmp_path / "checkpoint.safetensors")
    command = ["export", str(path), str(tmp_path / "b"), "--temperature", "0.5", "--smoothing", "1"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert open_bundle(tmp_path / "b").spec.decoder == {
        "kind": "annealed-mean",
        "bins": 100,
        "temperature": 0.5,
        "smoothing": 1.0,
        "space": "luv",
    }

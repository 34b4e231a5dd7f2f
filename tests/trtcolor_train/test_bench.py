"""PyTorch beside the other backends computes what they compute, in each of its forms."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow import NARROW, narrow_network
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bench.untrained import write_untrained
from trtcolor.bundle import Bundle, file_sha256, open_bundle
from trtcolor.errors import BackendError
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule
from trtcolor_train.bench import TorchRunner, bundle_network
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.export import FOLDED_FILE
from trtcolor_train.fold import fold
from trtcolor_train.graphs import write_graphs
from trtcolor_train.models import family


def narrow_bundle(name: str, folder: Path, *, folded: bool = True) -> Bundle:
    """A family narrowed, with statistics in its norms that are not neutral, exported."""
    torch.manual_seed(0)
    network = narrow_network(name).eval()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)  # type: ignore[arg-type]
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor, std=0.2)  # type: ignore[arg-type]
    decoder = {"kind": "regression"}
    if isinstance(network.coding, BinCoding):
        network.coding.decoder = Decoder(temperature=0.6, saturation=1.2)
        decoder = {"kind": "annealed-mean", "temperature": 0.6, "saturation": 1.2}  # type: ignore
        if hasattr(network.coding, "centres"):
            decoder["centres"] = network.coding.centres.tolist()
    names = write_graphs(fold(network), folder, "float32")
    if folded:
        state = {key: value.contiguous() for key, value in fold(network).state_dict().items()}
        save_file(state, folder / FOLDED_FILE)
    d = network.dimensions
    spec = ModelSpec(
        name=name,
        family=name,
        version="1",
        configuration=asdict(d),
        size=SizeRule(
            d.multiple, d.chroma_scale, d.training_size, d.training_size if d.global_width else None
        ),
        graphs={key: GraphSpec(f"{key}.onnx", *value) for key, value in names.items()},
        decoder=decoder,
        precision="float32",
        licence="Apache-2.0",
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
    )
    (folder / "model.json").write_text(spec.to_json())
    return open_bundle(folder)


def inputs_of(bundle: Bundle, graph: str) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(0)
    rule = bundle.spec.size
    side = rule.global_size or 0
    size = (3 * rule.multiple, 5 * rule.multiple) if graph == "local" else (side, side)
    inputs = {"lightness": random.uniform(0, 100, (2, 1, *size)).astype(np.float32)}
    if "global_features" in bundle.spec.graphs[graph].inputs:
        width = family(bundle.spec.family).build(dict(bundle.spec.configuration)).dimensions
        features = random.normal(size=(2, width.global_width))
        inputs["global_features"] = features.astype(np.float32)
    return inputs


# A norm in each place: behind a layer, alone behind a ReLU, in a pair of convolutions.
@pytest.mark.parametrize("name", ["iizuka2016", "olah2022-unet", "trtcolor-base"])
def test_it_gives_the_colours_of_the_bundle_s_graphs(name: str, tmp_path: Path) -> None:
    bundle = narrow_bundle(name, tmp_path)
    reference = OnnxRuntimeRunner(bundle, threads=1)
    for form, has_norms in (("eager", True), ("folded", False)):
        runner = TorchRunner(bundle, form)
        network = bundle_network(bundle, folded=form != "eager")
        assert any(isinstance(module, _BatchNorm) for module in network.modules()) == has_norms
        for graph, spec in bundle.spec.graphs.items():
            inputs = inputs_of(bundle, graph)
            expected = reference.run(graph, inputs, spec.outputs)
            found = runner.run(graph, inputs, spec.outputs)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
            (last,) = runner.run(graph, inputs, spec.outputs[-1:])
            np.testing.assert_array_equal(last, found[-1])


def test_a_bundle_of_no_family_is_refused(tmp_path: Path) -> None:
    bundle = narrow_bundle("lee2016", tmp_path)
    foreign = Bundle(bundle.path, replace(bundle.spec, family="somebody's own"))
    with pytest.raises(BackendError, match="is not built in PyTorch"):
        TorchRunner(foreign, "eager")


def test_a_bundle_without_a_weight_is_refused(tmp_path: Path) -> None:
    bundle = narrow_bundle("lee2016", tmp_path, folded=False)
    graphs = {"local": bundle.spec.graphs["local"]}
    rule = replace(bundle.spec.size, global_size=None)
    partial = Bundle(bundle.path, replace(bundle.spec, graphs=graphs, size=rule))
    with pytest.raises(BackendError, match="have no weight global_convolutions"):
        TorchRunner(partial, "eager")


def test_the_runtime_finds_it_by_its_entry_point() -> None:
    (entry,) = entry_points(group="trtcolor.bench", name="torch")
    assert entry.load() is TorchRunner


def test_the_network_without_torch_is_the_network(tmp_path: Path) -> None:
    """iizuka2016 made by onnx alone: shape of every weight, and the same colours."""
    bundle = open_bundle(write_untrained(tmp_path))
    network = family("iizuka2016").build()
    assert dict(bundle.spec.configuration) == jsonable(asdict(network.dimensions))
    folded = fold(network).state_dict()
    loaded = bundle_network(bundle, folded=True).state_dict()
    assert {k: v.shape for k, v in loaded.items()} == {k: v.shape for k, v in folded.items()}
    assert all((loaded[name] != 0).any() for name in loaded)
    inputs = inputs_of(bundle, "joint")
    outputs = bundle.spec.graphs["joint"].outputs
    expected = OnnxRuntimeRunner(bundle, threads=1).run("joint", inputs, outputs)
    found = TorchRunner(bundle, "folded").run("joint", inputs, outputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-3)


def test_the_graphs_made_without_torch_cost_what_exported_ones_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trtcolor.bench import untrained
    from trtcolor.bench.cost import network_cost

    narrow = NARROW["iizuka2016"]
    for name in ("low", "mid", "global_convolutions", "global_layers", "fusion", "colorization"):
        monkeypatch.setattr(untrained, name.upper(), narrow[name])
    monkeypatch.setattr(untrained, "CLASSES", narrow["classes"])
    monkeypatch.setattr(untrained, "CLASSIFIER", narrow["classifier"])
    monkeypatch.setattr(untrained, "SIDE", narrow["training_size"])
    (tmp_path / "made").mkdir()
    (tmp_path / "exported").mkdir()
    made = open_bundle(write_untrained(tmp_path / "made"))
    exported = narrow_bundle("iizuka2016", tmp_path / "exported")
    for size in ((64, 64), (80, 128)):
        costs = [network_cost(bundle, size, "full", 2) for bundle in (made, exported)]
        assert costs[0].flops == costs[1].flops
        assert costs[0].activations == costs[1].activations
        assert costs[0].weights == pytest.approx(costs[1].weights, rel=1e-2)


def jsonable(value: object) -> object:
    """With lists in the place of tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: jsonable(entry) for key, entry in value.items()}
    return [jsonable(entry) for entry in value] if isinstance(value, tuple) else value

"""What a graph's maps take is measured on the graph itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from narrow import narrow_network

from trtcolor.bundle import file_sha256, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import ExportError
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule
from trtcolor_train.fold import fold
from trtcolor_train.graphs import write_graphs
from trtcolor_train.halo import measure_halo
from trtcolor_train.map_bytes import measure_map_bytes


def write_bundle(folder: Path, family: str) -> None:
    """A narrow network with random weights."""
    network = fold(narrow_network(family).eval())
    d = network.dimensions
    folder.mkdir()
    names = write_graphs(network, folder, "float32")
    rule = SizeRule(
        d.multiple,
        d.chroma_scale,
        d.training_size,
        d.training_size if d.global_width else None,
        halo=measure_halo(network),
        map_bytes=100,
    )
    spec = ModelSpec(
        name=family,
        family=family,
        version="1",
        configuration=asdict(d),
        size=rule,
        graphs={name: GraphSpec(f"{name}.onnx", *value) for name, value in names.items()},
        decoder={"kind": "regression"},
        precision="float32",
        licence="none",
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
    )
    (folder / "model.json").write_text(spec.to_json())


@pytest.fixture(scope="module", params=["iizuka2016", "iizuka2016-baseline"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    write_bundle(folder, request.param)
    return folder


def features_of(bundle: Path) -> int:
    return 8 if open_bundle(bundle).spec.has_global_features else 0


def test_it_is_what_is_live_at_once_and_not_much_more(bundle: Path) -> None:
    # 8 channels of float32 at half the size, and the 8 made from them: 2 x 8 bytes a pixel;
    # ONNX Runtime computes them in blocks of at most 16 channels.
    assert 16 <= measure_map_bytes(bundle, 8, features_of(bundle)) <= 2 * 32


def test_a_graph_that_does_not_run_is_an_error_in_one_sentence(bundle: Path) -> None:
    with pytest.raises(ExportError, match=r"at 384x384 was not measured \(.*\)") as caught:
        measure_map_bytes(bundle, 8, features_of(bundle) + 1)
    assert "\n" not in str(caught.value)


def test_tiles_with_the_measured_halo_have_the_colours_of_the_whole(bundle: Path) -> None:
    spec_file = bundle / "model.json"
    text = spec_file.read_text()
    spec = ModelSpec.from_json(text)
    halo = spec.size.halo
    assert halo is not None
    frame = np.random.default_rng(0).integers(0, 256, (301, 423), np.uint8)
    memory = (3 * halo) ** 2 * 100
    prepared = Colorizer(bundle).prepare(frame, render="full")
    expected = Colorizer(bundle).predict(prepared)
    found = Colorizer(bundle, memory=memory).predict(prepared)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    # With less context the borders of the tiles would show.
    short = replace(spec, size=replace(spec.size, halo=spec.size.multiple))
    spec_file.write_text(short.to_json())
    seams = Colorizer(bundle, memory=memory).predict(prepared) - expected
    spec_file.write_text(text)
    assert np.abs(seams).max() > 1e-3


def test_the_bundled_model_says_what_it_takes() -> None:
    bundle = open_bundle("default")
    size = bundle.spec.size
    features = int(bundle.spec.configuration["global_layers"][-1])
    assert size.map_bytes == pytest.approx(
        measure_map_bytes(bundle.path, size.multiple, features), rel=0.1
    )

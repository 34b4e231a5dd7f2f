"""iizuka2016 made by onnx alone is the network of the paper's Table 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from trtcolor.bench.cost import network_cost
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.untrained import UNTRAINED, write_untrained
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(write_untrained(tmp_path_factory.mktemp("iizuka2016")))


@pytest.mark.parametrize("graph", ["local", "global", "joint"])
def test_its_graphs_are_valid(bundle: Bundle, graph: str) -> None:
    onnx.checker.check_model(str(bundle.graph_path(graph)), full_check=True)


@pytest.mark.parametrize(
    ("side", "gflop"), [(224, 17.06), (512, 86.57), (1024, 316.9), (2048, 1238)]
)
def test_its_arithmetic_is_that_of_the_network(bundle: Bundle, side: int, gflop: float) -> None:
    flops = network_cost(bundle, (side, side), "full", 1).flops
    assert flops / 1e9 == pytest.approx(gflop, rel=5e-4)


def test_it_gives_colours_of_ordinary_size(bundle: Bundle) -> None:
    with Colorizer(bundle.path, render="full") as colorizer:
        for size, graph in (((224, 224), "joint"), ((40, 64), "local")):
            prepared = colorizer.prepare(grey_frames(size, 1)[0][0])
            assert prepared.graph == graph
            assert 1 < colorizer.predict(prepared).std() < 110


def test_it_says_that_it_is_untrained(bundle: Bundle) -> None:
    assert bundle.spec.version == UNTRAINED
    assert bundle.spec.licence.startswith("none")


def test_the_same_seed_gives_the_same_files(bundle: Bundle, tmp_path: Path) -> None:
    assert open_bundle(write_untrained(tmp_path)).spec.files == bundle.spec.files


def test_no_weight_is_so_small_that_processors_slow_down(bundle: Bundle) -> None:
    weights = np.fromfile(bundle.path / "weights.bin", np.float32)
    tiny = np.finfo(np.float32).tiny
    assert not ((np.abs(weights) < tiny) & (weights != 0)).any()

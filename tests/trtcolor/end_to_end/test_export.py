"""An end-to-end graph in a file: whole, self-contained, compared before it has its name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from sessions import assert_same_colours

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.end_to_end import compare, export, graph
from trtcolor.end_to_end.export import export_end_to_end
from trtcolor.errors import BackendError, ExportError, OutputExistsError
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.plain import plain_graph
from trtcolor.spec import SizeRule

MakeBundle = Callable[..., Path]
RULE: dict[str, Any] = {"scale": 2, "multiple": 8, "global_size": 24, "render_size": 20}


@pytest.fixture
def tiny(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(**RULE))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"render": "full", "gamut": "clip", "saturation": 3.0},
        {"channels": 1, "features": "given"},
        {"channels": None, "render": 9},
    ],
)
def test_the_file_colours_by_itself(tiny: Bundle, tmp_path: Path, options: dict[str, Any]) -> None:
    done = export_end_to_end(tiny, tmp_path / "alone" / "graph.onnx", **options)
    assert done.comparison.most <= 2
    assert done.comparison.bytes > 10_000


@pytest.fixture(autouse=True)
def alone(tmp_path: Path) -> Path:
    """A folder of the file's own."""
    folder = tmp_path / "alone"
    folder.mkdir()
    return folder


def test_another_process_of_the_file_alone_colours_as_the_colorizer(
    tiny: Bundle, alone: Path
) -> None:
    file = export_end_to_end(tiny, alone / "graph.onnx").path
    assert [path.name for path in alone.iterdir()] == ["graph.onnx"]
    picture = np.random.default_rng(0).integers(0, 256, (45, 67, 3), np.uint8)
    expected = Colorizer(tiny.path).colorize(picture)
    for other in tiny.path.iterdir():
        other.unlink()
    (rgb,) = onnxruntime.InferenceSession(file).run(None, {"frames": picture[None]})
    assert_same_colours(rgb[0], expected)


def test_a_file_that_is_there_is_replaced_only_if_that_was_asked_for(
    tiny: Bundle, alone: Path
) -> None:
    file = alone / "graph.onnx"
    file.write_text("mine")
    with pytest.raises(OutputExistsError):
        export_end_to_end(tiny, file)
    assert file.read_text() == "mine"
    export_end_to_end(tiny, file, overwrite=True)
    onnx.checker.check_model(str(file), full_check=True)


def test_a_folder_that_is_not_there_is_named(tiny: Bundle, alone: Path) -> None:
    with pytest.raises(ExportError, match=r"nowhere.*, which is no folder"):
        export_end_to_end(tiny, alone / "nowhere" / "graph.onnx")


@pytest.mark.parametrize("other", [{"chroma_scale": 4}, {"render_size": 22}])
def test_a_graph_of_other_colours_is_not_published(
    tiny: Bundle, alone: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, int]
) -> None:
    """The graph takes the sizes for others than they are, as a fault of ours would."""
    real = graph.prepare_graph

    def wrong(spec: Any, **options: Any) -> onnx.ModelProto:
        rule = vars(spec.size) | other
        return real(type("Spec", (), {"size": SizeRule(**rule)}), **options)

    monkeypatch.setattr(graph, "prepare_graph", wrong)
    with pytest.raises((ExportError, BackendError)):
        export_end_to_end(tiny, alone / "graph.onnx")
    assert not list(alone.iterdir())


def test_a_byte_too_far_away_is_said(tiny: Bundle) -> None:
    far = compare.Comparison(bytes=1000, most=3, beyond=0.0)
    many = compare.Comparison(bytes=1000, most=2, beyond=0.01)
    for comparison in (far, many):
        with pytest.raises(ExportError, match="gives other colours"):
            compare.check(comparison, tiny, jumps=False)
    compare.check(far, tiny, jumps=True)
    compare.check(compare.Comparison(1000, 2, 1e-4), tiny, jumps=False)


def test_what_a_file_cannot_hold_is_refused(
    tiny: Bundle, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LARGEST", 1000)
    with pytest.raises(ExportError, match="an ONNX file holds"):
        export_end_to_end(tiny, alone / "graph.onnx")
    assert not list(alone.iterdir())


def test_a_network_at_another_precision_is_compared_with_itself(tiny: Bundle, alone: Path) -> None:
    graphs = graphs_at(tiny, "fp16", form="tensorrt", accept_error=True).graphs
    file = export_end_to_end(tiny, alone / "graph.onnx", graphs=graphs).path
    weights = onnx.load(file).graph.initializer
    assert any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in weights)


def test_given_graphs_are_left_as_they_are(tiny: Bundle, alone: Path) -> None:
    graphs = {name: plain_graph(tiny, name) for name in ("local", "global")}
    before = {name: model.SerializeToString() for name, model in graphs.items()}
    export_end_to_end(tiny, alone / "graph.onnx", graphs=graphs)
    assert {name: model.SerializeToString() for name, model in graphs.items()} == before


def test_without_onnx_one_sentence_says_what_to_install(
    tiny: Bundle, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExportError, match="pip install"):
        export_end_to_end(tiny, alone / "graph.onnx")

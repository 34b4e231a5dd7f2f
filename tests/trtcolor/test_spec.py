"""A spec survives its JSON, and one that could not work is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trtcolor.errors import BundleError
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule


def spec_entries(**changes: Any) -> dict[str, Any]:
    entries: dict[str, Any] = {
        "name": "tiny",
        "family": "tiny",
        "version": "1",
        "configuration": {"low_level": [64, 128]},
        "size": SizeRule(8, 2, 224, 224, 448, 64),
        "graphs": {
            "local": GraphSpec("local.onnx", ("lightness", "global_features"), ("chroma",)),
            "global": GraphSpec("global.onnx", ("lightness",), ("global_features",)),
        },
        "decoder": {"kind": "mean", "temperature": 0.38},
        "precision": "float16",
        "licence": "Apache-2.0",
        "files": {"local.onnx": "00", "global.onnx": "11"},
        "classes": ("abbey", "beach"),
        "training": {"steps": 200_000},
        "metrics": {"psnr": 24.0},
    }
    return entries | changes


def test_a_spec_survives_its_json() -> None:
    spec = ModelSpec(**spec_entries())
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_a_spec_of_a_network_without_global_features_survives_its_json() -> None:
    local = {"local": GraphSpec("local.onnx", ("lightness",), ("chroma",))}
    spec = ModelSpec(**spec_entries(size=SizeRule(8, 2, 224), graphs=local, classes=()))
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert not spec.has_global_features


def test_a_bundles_model_json_is_read_back(make_bundle: Any) -> None:
    folder: Path = make_bundle(global_size=16, classes=("abbey",))
    spec = ModelSpec.from_json((folder / "model.json").read_text(encoding="utf-8"))
    assert spec.has_global_features
    assert spec.graphs["joint"].outputs == ("chroma", "global_features", "class_logits")


@pytest.mark.parametrize("entry", ["multiple", "chroma_scale", "global_size", "map_bytes"])
@pytest.mark.parametrize("value", [0, -8, 2.0, "8", True, 10**9])
def test_a_size_that_is_no_positive_integer_is_refused(entry: str, value: object) -> None:
    sizes: dict[str, Any] = {"multiple": 8, "chroma_scale": 2, "training_size": 224}
    with pytest.raises(BundleError, match=entry):
        SizeRule(**sizes | {entry: value})


def test_a_multiple_that_does_not_hold_whole_chroma_samples_is_refused() -> None:
    with pytest.raises(BundleError, match="divisible by the scale"):
        SizeRule(6, 4, 224)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"graphs": {}}, "'local' and no other"),
        ({"size": SizeRule(8, 2, 224)}, "both or neither"),
        ({"precision": "int8"}, "float32 or float16"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        ModelSpec(**spec_entries(**changes))


def test_an_unknown_graph_is_refused() -> None:
    graphs = spec_entries()["graphs"] | {"decoder": GraphSpec("decoder.onnx", (), ())}
    with pytest.raises(BundleError, match="decoder"):
        ModelSpec(**spec_entries(graphs=graphs))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "null", "3", '"model"', "{}"])
def test_text_that_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match=r"^here/model\.json "):
        ModelSpec.from_json(text, source="here/model.json")


def test_another_format_version_is_refused() -> None:
    entries = json.loads(ModelSpec(**spec_entries()).to_json()) | {"format_version": 2}
    with pytest.raises(BundleError, match="format version 2"):
        ModelSpec.from_json(json.dumps(entries))


@pytest.mark.parametrize("entry", ["name", "size", "graphs", "files", "precision"])
def test_a_missing_entry_is_refused(entry: str) -> None:
    entries = json.loads(ModelSpec(**spec_entries()).to_json())
    del entries[entry]
    with pytest.raises(BundleError, match="does not fit the format"):
        ModelSpec.from_json(json.dumps(entries))


@pytest.mark.parametrize("change", [{"colour": 1}, {"size": {"side": 1}}, {"graphs": []}])
def test_an_unknown_or_misshapen_entry_is_refused(change: dict[str, Any]) -> None:
    entries = json.loads(ModelSpec(**spec_entries()).to_json()) | change
    with pytest.raises(BundleError, match="does not fit the format"):
        ModelSpec.from_json(json.dumps(entries))

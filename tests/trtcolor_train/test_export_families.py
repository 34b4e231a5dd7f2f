"""Every family and variant, from a checkpoint through `export` to the runtime's `Colorizer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from exported_families import Exported, lightness_of
from narrow import NARROW
from numpy.typing import NDArray

from trtcolor.colorizer import Colorizer
from trtcolor_train.bins import AbBins
from trtcolor_train.decoder import BinCoding, Decoder


def test_the_comparison_at_export_is_within_its_limits(exported: Exported) -> None:
    parity = exported.parity
    assert parity.comparisons >= 6
    if exported.spec.decoder["kind"] != "mode":
        assert parity.mean_difference <= 1e-3
        assert parity.max_difference <= 1e-2
    assert parity.differing <= 1e-3
    assert 0 <= parity.ciede2000 < 0.1


def test_the_graphs_have_the_names_that_the_spec_says_and_no_batch_norm(
    exported: Exported,
) -> None:
    d = exported.network.dimensions
    colors = (
        ["chroma", "bin_logits"] if isinstance(exported.network.coding, BinCoding) else ["chroma"]
    )
    pooled = ["global_features", "class_logits"][: 2 if d.classes else 1]
    expected: dict[str, tuple[list[str], list[str]]] = {"local": (["lightness"], colors)}
    if d.global_width:
        expected["local"] = (["lightness", "global_features"], colors)
        expected["global"] = (["lightness"], pooled)
        expected["joint"] = (["lightness"], [*colors, *pooled])
    assert {path.stem for path in exported.bundle.glob("*.onnx")} == set(expected)
    for name, (inputs, outputs) in expected.items():
        graph = onnx.load(exported.bundle / f"{name}.onnx", load_external_data=False).graph
        assert [value.name for value in graph.input] == inputs
        assert [value.name for value in graph.output] == outputs
        assert list(exported.spec.graphs[name].inputs) == inputs
        assert list(exported.spec.graphs[name].outputs) == outputs
        assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_the_spec_says_what_the_network_is(exported: Exported) -> None:
    spec, d, coding = exported.spec, exported.network.dimensions, exported.network.coding
    size = spec.size
    assert (spec.family, spec.precision) == (exported.case.family, exported.case.precision)
    assert (size.multiple, size.chroma_scale) == (d.multiple, d.chroma_scale)
    assert size.training_size == NARROW[spec.family]["training_size"]
    assert size.global_size == (d.training_size if d.global_width else None)
    assert size.halo is not None
    assert size.halo % d.multiple == 0
    chosen = exported.case.decoder or Decoder()
    expected: dict[str, object] = {"kind": "regression"}
    if isinstance(coding, BinCoding):
        expected = {"kind": chosen.kind, "bins": coding.channels}
        if chosen.kind == "annealed-mean":
            expected["temperature"] = chosen.temperature
        if chosen.smoothing:
            expected["smoothing"] = chosen.smoothing
        if isinstance(coding, AbBins):
            expected |= {
                "space": "ab",
                "centres": coding.centres.double().numpy().round(4).tolist(),
            }
        else:
            expected["space"] = "luv"
    assert dict(spec.decoder) == expected


def test_the_colorizer_colours_as_torch_and_never_asks_for_the_scores(
    exported: Exported, photos: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = photos[1][:117, :171]
    asked: list[str] = []
    with Colorizer(exported.bundle, render="full") as colorizer:
        run = colorizer._runner.run

        def noted(graph: str, inputs: Any, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
            asked.extend(outputs)
            return run(graph, inputs, outputs)

        monkeypatch.setattr(colorizer._runner, "run", noted)
        prepared = colorizer.prepare(photo)
        found = colorizer.predict(prepared)
        coloured = colorizer.merge(prepared, found)
    assert set(asked) <= {"chroma", "global_features"}
    assert coloured.shape == photo.shape
    assert np.ptp(coloured, axis=2).any()
    lightness, features = torch.from_numpy(prepared.network_lightness), None
    with torch.no_grad():
        if prepared.global_lightness is not None:
            features, _ = exported.network.describe(torch.from_numpy(prepared.global_lightness))
        output = exported.network.paint(lightness, features)
        true = exported.network.decode(output, lightness)[0].numpy()
    height, width = prepared.plan.chroma
    differing = np.abs(found - true[:, :height, :width]) > 1e-2
    assert differing.any(axis=0).mean() <= 1e-3


def test_any_batch_and_size_is_taken_and_pictures_do_not_mix(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    step = exported.spec.size.multiple
    for count, rows, columns in ((1, 1, 1), (3, 2, 7)):
        inputs = exported.inputs(lightness_of(photos, count, rows * step, columns * step))
        (chroma,) = exported.run("local", inputs, ["chroma"])
        scale = exported.spec.size.chroma_scale
        assert chroma.shape == (count, 2, rows * step // scale, columns * step // scale)
        for i in range(count):
            alone = {name: value[i : i + 1] for name, value in inputs.items()}
            (single,) = exported.run("local", alone, ["chroma"])
            differing = np.abs(chroma[i] - single[0]) > 1e-2
            assert differing.any(axis=0).sum() <= 1


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_black_and_white_have_finite_colours(exported: Exported, level: float) -> None:
    step = exported.spec.size.multiple
    inputs = exported.inputs(np.full((1, 1, 4 * step, 4 * step), level, np.float32))
    for output in exported.run("local", inputs, exported.spec.graphs["local"].outputs):
        assert np.isfinite(output).all()
    with Colorizer(exported.bundle) as colorizer:
        frame = np.full((50, 41, 3), round(level * 2.55), np.uint8)
        assert (colorizer.colorize(frame) == frame).all()

"""Graphs that do not colour as the CPU path does are not exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trtcolor.bundle import open_bundle
from trtcolor.end_to_end.graph import end_to_end_graph, features_graph
from trtcolor.errors import ExportError
from trtcolor.precision.half import half_graph
from trtcolor.precision.plain import plain_graph
from trtcolor.triton.repository import export_triton
from trtcolor.triton.verify import check_models

MakeBundle = Callable[..., Path]
SETTINGS: dict[str, Any] = {"render": "auto", "gamut": "reduce", "saturation": 1.0, "graphs": None}


def test_the_right_graphs_pass(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(global_size=32))
    models = [features_graph(bundle), end_to_end_graph(bundle, features="given")]
    check_models(models, bundle, **SETTINGS)


def test_a_graph_of_other_colours_is_refused(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    with pytest.raises(ExportError, match="gives other colours"):
        check_models([end_to_end_graph(bundle, saturation=2.0)], bundle, **SETTINGS)


def test_a_graph_of_other_features_is_refused(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(global_size=32))
    other = open_bundle(make_bundle("other", global_size=32, seed=1))
    models = [features_graph(other), end_to_end_graph(bundle, features="given")]
    with pytest.raises(ExportError, match="away from such up to"):
        check_models(models, bundle, **SETTINGS)


def test_nothing_is_written_then(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = end_to_end_graph(open_bundle(make_bundle("other", seed=1)))
    monkeypatch.setattr("trtcolor.end_to_end.graph.end_to_end_graph", lambda *a, **k: other)
    with pytest.raises(ExportError):
        export_triton(make_bundle(), tmp_path / "repository")
    assert not (tmp_path / "repository").exists()


def test_graphs_at_another_precision_are_exported_in_their_place(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    folder = make_bundle(global_size=32)
    bundle = open_bundle(folder)
    halves = {n: half_graph(plain_graph(bundle, n), "fp16") for n in ("local", "global", "joint")}
    single = export_triton(folder, tmp_path / "single")
    half = export_triton(folder, tmp_path / "half", graphs=halves)
    for one, other in zip(single.paths[:2], half.paths[:2], strict=True):
        files = [path / "1" / "model.onnx" for path in (one, other)]
        assert files[0].read_bytes() != files[1].read_bytes()

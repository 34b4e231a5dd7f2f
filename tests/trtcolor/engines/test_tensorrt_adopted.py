"""Adopted networks are built by TensorRT-RTX, the resizing that is put around them too.

The families of the papers are built in tests/trtcolor_train/test_export_families.py, where they are
exported.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from colourisers import SPECS, network, write_toml

from trtcolor.adopt.adopt import adopt
from trtcolor.bundle import open_bundle
from trtcolor.engines.profile import default_profiles
from trtcolor.engines.tensorrt import build_plan

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")


@pytest.mark.parametrize("kind", SPECS)
def test_an_adopted_network_is_built_at_any_size_though_it_knows_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path / "models"))
    (tmp_path / "net.onnx").write_bytes(network(kind).SerializeToString())
    adopt(tmp_path / "net.onnx", write_toml(tmp_path / "spec.toml", SPECS[kind]))
    bundle = open_bundle("net")
    model = onnx.load(bundle.graph_path("local")).SerializeToString()
    profiles = default_profiles(bundle.spec)
    plan = build_plan("tensorrt-rtx", model, profiles, targets=("sm89", "sm120"))
    assert plan.profiles[0]["lightness"][2] == (1, 1, 2048, 2048)

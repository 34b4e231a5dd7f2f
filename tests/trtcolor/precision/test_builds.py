"""TensorRT-RTX's own builder takes the graphs of every family, for SM89 and without a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from colourisers import SPECS, network, write_toml
from family_bundles import family_bundle
from narrow import NARROW

from trtcolor.adopt.adopt import adopt
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.tensorrt import build_plan
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.pictures import Pictures

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx, whose builder runs, is absent")

PRECISIONS = ("fp16", "bf16", "int8")
PROFILES = (ShapeProfile.parse("64:128:2x256x256"),)


def build_all(bundle: Bundle, few: Pictures) -> None:
    pictures = replace(few, calibration=few.calibration[:2], gate=few.gate[:1])
    for precision in PRECISIONS:
        made: Any = graphs_at(
            bundle, precision, form="tensorrt", pictures=pictures, accept_error=True
        )
        for model in made.graphs.values():
            onnx.checker.check_model(model, full_check=True)
            plan = build_plan(
                "tensorrt-rtx", model.SerializeToString(), PROFILES, targets=("sm89",)
            )
            assert len(plan.data) > 1000


@pytest.mark.parametrize("family", list(NARROW))
def test_every_family_builds(
    family: str, tmp_path_factory: pytest.TempPathFactory, few: Pictures
) -> None:
    build_all(family_bundle(family, tmp_path_factory), few)


def test_a_network_of_rgb_builds(tmp_path_factory: pytest.TempPathFactory, few: Pictures) -> None:
    dimensions = {"color_space": "rgb"}  # decoded by way of yuv, which adds nothing
    bundle = family_bundle("iizuka2016-baseline", tmp_path_factory, dimensions=dimensions)
    build_all(bundle, few)


@pytest.mark.parametrize(
    ("kind", "side"), [("eccv16", 64), ("siggraph17", None), ("deoldify", None), ("ddcolor", 64)]
)
def test_adopted_networks_build(
    kind: str, side: int | None, tmp_path: Path, few: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path / "models"))
    spec = {**SPECS[kind]}
    if side is not None:
        spec["size"] = {"fixed": [side, side]}
    (tmp_path / "net.onnx").write_bytes(network(kind, side=side).SerializeToString())
    write_toml(tmp_path / "spec.toml", spec)
    build_all(open_bundle(adopt(tmp_path / "net.onnx", tmp_path / "spec.toml").path), few)

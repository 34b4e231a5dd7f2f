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
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.pictures import Pictures

trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx, whose builder runs, is absent")

PRECISIONS = ("fp16", "bf16", "int8")


def build(model: onnx.ModelProto) -> bytes:
    """A plan for SM89 with a dynamic profile; the builder's errors fail the test."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    parsed = builder.create_network(0)
    parser = trt.OnnxParser(parsed, logger)
    done = parser.parse(model.SerializeToString())
    assert done, [str(parser.get_error(i)) for i in range(parser.num_errors)]
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    for value in model.graph.input:
        fixed = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        batches = (fixed[0] or 1, fixed[0] or 1, fixed[0] or 2)
        sizes = ((n, s) for n, s in zip(batches, (64, 128, 256), strict=True))
        profile.set_shape(value.name, *(tuple([n] + [f or s for f in fixed[1:]]) for n, s in sizes))
    config.add_optimization_profile(profile)
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM89, 0)
    plan = builder.build_serialized_network(parsed, config)
    assert plan is not None
    return bytes(plan)


def build_all(bundle: Bundle, few: Pictures) -> None:
    pictures = replace(few, calibration=few.calibration[:2], gate=few.gate[:1])
    for precision in PRECISIONS:
        made: Any = graphs_at(
            bundle, precision, form="tensorrt", pictures=pictures, accept_error=True
        )
        for model in made.graphs.values():
            onnx.checker.check_model(model, full_check=True)
            assert len(build(model)) > 1000


@pytest.mark.parametrize("family", list(NARROW))
def test_every_family_builds(family: str, tmp_path: Path, few: Pictures) -> None:
    build_all(family_bundle(family, tmp_path), few)


def test_a_network_of_rgb_builds(tmp_path: Path, few: Pictures) -> None:
    dimensions = {"color_space": "rgb"}  # decoded by way of yuv, which adds nothing
    build_all(family_bundle("iizuka2016-baseline", tmp_path, dimensions=dimensions), few)


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

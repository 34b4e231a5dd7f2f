"""Plans that TensorRT-RTX builds from graphs of frames, without a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from trtcolor.backends._tensorrt import import_tensorrt, logger

RANGES = {"N": (1, 1, 4), "C": (1, 3, 3)}
"""Least, best and most of an axis, by its name."""
SIDES = (1, 512, 2048)


def build_frames_plan(model: onnx.ModelProto) -> tuple[dict[str, str], dict[str, str]]:
    """Build a model for frames from 1x1; dtypes of its inputs and of its outputs, by name."""
    api = import_tensorrt("tensorrt-rtx")
    builder = api.Builder(logger(api))
    flag = getattr(api.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    net = builder.create_network(0 if flag is None else 1 << int(flag))
    parser = api.OnnxParser(net, logger(api))
    with logger(api).collect() as messages:
        assert parser.parse(model.SerializeToString()), messages.reason()
        config = builder.create_builder_config()
        config.num_compute_capabilities = 1
        assert config.set_compute_capability(api.ComputeCapability.SM89, 0)
        profile = builder.create_optimization_profile()
        for value in model.graph.input:
            profile.set_shape(value.name, *zip(*map(_range, shape_of(value)), strict=True))
        assert config.add_optimization_profile(profile) >= 0, messages.reason()
        plan = builder.build_serialized_network(net, config)
        assert plan is not None, messages.reason()
    inputs = [net.get_input(number) for number in range(net.num_inputs)]
    outputs = [net.get_output(number) for number in range(net.num_outputs)]
    return _dtypes(api, inputs), _dtypes(api, outputs)


def shape_of(value: onnx.ValueInfoProto) -> list[int | str]:
    """Sizes of axes, names of free ones."""
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def _range(axis: int | str) -> tuple[int, int, int]:
    return (axis, axis, axis) if isinstance(axis, int) else RANGES.get(axis, SIDES)


def _dtypes(api: Any, tensors: list[Any]) -> dict[str, str]:
    return {tensor.name: np.dtype(api.nptype(tensor.dtype)).name for tensor in tensors}

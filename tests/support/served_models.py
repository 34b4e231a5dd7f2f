"""A model repository as the Triton Inference Server reads it, with ONNX Runtime behind it.

The server itself is no Python package. What it refuses is written down here from its sources:
`ValidateModelConfig`, `ValidateModelIOConfig` and `ValidateEnsembleConfig` of its core, and
`ValidateInputs` and `ValidateOutputs` of its backend of ONNX Runtime. What is said to be a plan is
read as an ONNX file: tests of plans have such ones in their place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig
from tritonclient.utils import triton_to_np_dtype

Arrays = dict[str, NDArray[Any]]
PAIRS = (("onnxruntime", "onnxruntime_onnx"), ("tensorrt", "tensorrt_plan"))
ONNX_TYPES = {"TYPE_UINT8": "tensor(uint8)", "TYPE_FP32": "tensor(float)"}


class Refused(Exception):
    """What the server answers with an error, or does not load."""


@dataclass
class Served:
    """A model that is loaded.

    Attributes:
        session: None for an ensemble.
        labels: names of classes by output.
    """

    config: ModelConfig
    session: onnxruntime.InferenceSession | None
    labels: dict[str, list[str]] = field(default_factory=dict)


class Repository:
    """All models of a folder, checked, loaded and warmed up.

    Raises:
        Refused: one of them is not as the server wants it.
    """

    def __init__(self, folder: Path) -> None:
        self.models = {path.name: _loaded(path) for path in sorted(folder.iterdir())}
        for served in self.models.values():
            if served.session is None:
                self._check_ensemble(served.config)
        for name, served in self.models.items():
            for request in served.config.model_warmup:
                self.infer(name, _warm_up(request, served.config.max_batch_size > 0), ())

    def infer(self, name: str, inputs: Arrays, outputs: tuple[str, ...]) -> Arrays:
        """What a request is answered.

        Args:
            outputs: those asked for; none: all.
        """
        if name not in self.models:
            raise Refused(f"Request for unknown model: '{name}' is not found")
        served = self.models[name]
        _check_request(served.config, inputs)
        unknown = set(outputs) - {output.name for output in served.config.output}
        if unknown:
            raise Refused(f"unexpected inference output {sorted(unknown)} for model '{name}'")
        wanted = outputs or tuple(output.name for output in served.config.output)
        if served.session is not None:
            return dict(zip(wanted, served.session.run(list(wanted), inputs), strict=True))
        tensors = dict(inputs)
        for step in served.config.ensemble_scheduling.step:
            given = {mine: tensors[its] for mine, its in step.input_map.items()}
            found = self.infer(step.model_name, given, tuple(step.output_map))
            tensors |= {its: found[mine] for mine, its in step.output_map.items()}
        return {output: tensors[output] for output in wanted}

    def _check_ensemble(self, config: ModelConfig) -> None:
        known = {tensor.name: _kind(tensor, config) for tensor in config.input}
        for step in config.ensemble_scheduling.step:
            model = self.models[step.model_name].config
            if 0 < model.max_batch_size < config.max_batch_size:
                raise Refused(f"{model.name} only allows batches of {model.max_batch_size}")
            if set(step.input_map) != {tensor.name for tensor in model.input}:
                raise Refused(f"not every input of {model.name} is mapped")
            for tensor in model.input:
                if known.get(step.input_map[tensor.name]) != _kind(tensor, model):
                    raise Refused(f"{tensor.name} of {model.name} is inconsistent")
            for tensor in model.output:
                if tensor.name in step.output_map:
                    known[step.output_map[tensor.name]] = _kind(tensor, model)
        for tensor in config.output:
            if known.get(tensor.name) != _kind(tensor, config):
                raise Refused(f"{tensor.name} of {config.name} is inconsistent")


def _kind(tensor: Any, config: ModelConfig) -> tuple[int, list[int]]:
    """Type, and shape with the batch, by which tensors of models with and without are compared."""
    batch = [-1] if config.max_batch_size else []
    return tensor.data_type, [*batch, *tensor.dims]


def _loaded(folder: Path) -> Served:
    text = (folder / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, ModelConfig())
    versions = [path for path in folder.iterdir() if path.is_dir()]
    if config.name != folder.name or not versions or not config.HasField("version_policy"):
        raise Refused(f"{folder.name}: name, versions or version policy are wrong")
    if any(size > config.max_batch_size for size in config.dynamic_batching.preferred_batch_size):
        raise Refused("dynamic batching preferred size must be <= max batch size")
    for tensor in (*config.input, *config.output):
        if not tensor.dims or any(dim < 1 and dim != -1 for dim in tensor.dims):
            raise Refused(f"{tensor.name}: dimension must be integer >= 1, or -1")
    labels = {
        output.name: (folder / output.label_filename).read_text(encoding="utf-8").splitlines()
        for output in config.output
        if output.label_filename
    }
    if config.platform == "ensemble":
        if config.backend or config.instance_group or config.model_warmup:
            raise Refused(f"{config.name}: an ensemble has no instances and no warm-up")
        return Served(config, None, labels)
    if (config.backend, config.platform) not in PAIRS:
        raise Refused("unexpected 'platform' and 'backend' pair")
    version = max(versions, key=lambda path: int(path.name))
    session = onnxruntime.InferenceSession(version / config.default_model_filename)
    batch = [-1] if config.max_batch_size else []
    _compare(config.name, config.input, session.get_inputs(), batch)
    _compare(config.name, config.output, session.get_outputs(), batch)
    return Served(config, session, labels)


def _compare(name: str, said: Any, found: Any, batch: list[int]) -> None:
    graph = {value.name: value for value in found}
    if {tensor.name for tensor in said} != set(graph):
        raise Refused(f"unable to load model '{name}': its graph has the tensors {sorted(graph)}")
    for tensor in said:
        value = graph[tensor.name]
        shape = [dim if isinstance(dim, int) else -1 for dim in value.shape]
        if value.type != ONNX_TYPES[DataType.Name(tensor.data_type)]:
            raise Refused(f"unable to load model '{name}': {tensor.name} is {value.type}")
        if shape != [*batch, *tensor.dims]:
            raise Refused(f"unable to load model '{name}': {tensor.name} has the shape {shape}")


def _check_request(config: ModelConfig, inputs: Arrays) -> None:
    if set(inputs) != {tensor.name for tensor in config.input}:
        raise Refused(f"expected {len(config.input)} inputs but got {len(inputs)} inputs")
    batched = config.max_batch_size > 0
    if batched and len({array.shape[0] for array in inputs.values()}) != 1:
        raise Refused("input batch size does not match other inputs")
    for tensor in config.input:
        array = inputs[tensor.name]
        if batched and len(array) > config.max_batch_size:
            raise Refused(f"inference request batch-size must be <= {config.max_batch_size}")
        if array.dtype != triton_to_np_dtype(DataType.Name(tensor.data_type)[5:]):
            raise Refused(f"inference input '{tensor.name}' data-type is {array.dtype}")
        shape = array.shape[1:] if batched else array.shape
        pairs = zip(shape, tensor.dims, strict=False)
        if len(shape) != len(tensor.dims) or any(dim not in (-1, n) for n, dim in pairs):
            raise Refused(f"unexpected shape for input '{tensor.name}': {array.shape}")


def _warm_up(request: Any, batched: bool) -> Arrays:
    if not batched and request.batch_size != 1:
        raise Refused("for models that don't support batching, batch_size must be 1")
    inputs = {}
    for name, entry in request.inputs.items():
        if any(dim < 1 for dim in entry.dims) or not entry.zero_data:
            raise Refused(f"warmup setting expects all dimensions of '{name}'")
        kind = triton_to_np_dtype(DataType.Name(entry.data_type)[5:])
        batch = [request.batch_size] if batched else []
        inputs[name] = np.zeros((*batch, *entry.dims), kind)
    return inputs

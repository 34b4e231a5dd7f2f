"""TensorRT's rows: the runner is handed the tensors' own memory, without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpu_tensorrt
import numpy as np
import pytest
import torch
from family_bundles import family_bundle
from gpu_cells import Cell
from gpu_device import Device
from gpu_tensorrt import TensorRTEngine, build, lent

from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import EngineError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return family_bundle("iizuka2016", tmp_path_factory)


def view(array: DeviceArray) -> np.ndarray:
    """Of memory that is the CPU's in a rehearsal."""
    size = int(np.prod(array.shape)) * array.dtype.itemsize
    raw = (ctypes.c_byte * size).from_address(array.address)
    return np.frombuffer(raw, array.dtype).reshape(array.shape)


class OnTheHost:
    """A runner of device memory that is the host's: what is enqueued is done."""

    name, device, index = "tensorrt", "cuda:0", 0

    def __init__(self, bundle: Bundle) -> None:
        self._runner = OnnxRuntimeRunner(bundle)
        self.streams: list[Any] = []

    def enqueue(
        self,
        graph: str,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: Any,
    ) -> None:
        self.streams.append(stream.handle)
        given = {name: view(array) for name, array in inputs.items()}
        found = self._runner.run(graph, given, list(outputs))
        for array, result in zip(outputs.values(), found, strict=True):
            view(array)[...] = result

    def run(self, *_: Any) -> Any: ...
    def load(self, graph: str) -> None: ...
    def close(self) -> None: ...
    def frame_graphs(self, *_: Any) -> Any: ...
    def start(self, *_: Any) -> Any: ...


def test_an_engine_reads_and_writes_the_tensors_themselves(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = OnTheHost(bundle)
    monkeypatch.setattr(gpu_tensorrt, "open_engine", lambda *a, **k: runner)
    device = Device("cpu")
    device.stream = 7
    cell = Cell(bundle, device, 32, 2)
    run = TensorRTEngine("tensorrt fp16", "fp16", device, bundle, "tensorrt").bind(
        cell.inputs, cell.output
    )
    first = run().clone()
    arrays = {name: tensor.numpy() for name, tensor in cell.inputs.items()}
    (expected,) = OnnxRuntimeRunner(bundle).run("local", arrays, ["chroma"])
    np.testing.assert_allclose(first.numpy(), expected, atol=1e-3)
    cell.inputs["lightness"].zero_()  # the inputs stay where they are
    assert not torch.equal(run(), first)
    assert runner.streams == [7, 7]


def test_a_tensors_memory_is_lent_with_its_type() -> None:
    tensor = torch.arange(6, dtype=torch.uint8).reshape(2, 3)
    array = lent(tensor)
    assert (array.address, array.shape, array.dtype) == (tensor.data_ptr(), (2, 3), np.uint8)
    assert array.owner is tensor


def test_a_runner_of_the_hosts_memory_only_says_so(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_tensorrt, "open_engine", lambda *a, **k: OnnxRuntimeRunner(bundle))
    with pytest.raises(EngineError, match="take no memory of the GPU"):
        TensorRTEngine("tensorrt fp16", "fp16", Device("cpu"), bundle, "tensorrt")


def test_an_engine_is_built_for_all_sizes_and_best_at_1024(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(gpu_tensorrt, "build_engine", lambda model, **k: asked.update(k))
    build(SimpleNamespace(path=tmp_path), "tensorrt", [224, 1024, 2048], [1, 4, 16])
    (profile,) = asked["profiles"]
    assert profile.minimum == (1, 224, 224)
    assert profile.optimum == (1, 1024, 1024)
    assert profile.maximum == (16, 2048, 2048)
    assert (asked["backend"], asked["precision"]) == ("tensorrt", "fp16")
    assert asked["frames"].render == "full"

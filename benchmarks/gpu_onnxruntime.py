"""ONNX Runtime for gpu.py: a graph whose inputs and output are bound where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from gpu_device import Device
from gpu_protocol import CAPTURE_WARMUP, Output, Run, Tensors
from torch import Tensor

from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.backends.onnxruntime_cuda import cuda_session, import_onnxruntime_cuda


@dataclass
class OnnxRuntimeEngine:
    """A session on tensors of the device.

    Args:
        model: of the graph, serialised.
        nhwc: whether the provider lays maps out with channels last.
        captured: whether runs are replays of a CUDA graph.
        without: optimisers of the graph that are left out.
        search: how cuDNN's algorithm for a convolution is found.
    """

    name: str
    precision: str
    device: Device
    model: bytes
    nhwc: bool = False
    captured: bool = False
    without: tuple[str, ...] = ()
    search: str = "EXHAUSTIVE"

    def __post_init__(self) -> None:
        if self.precision == "tf32" and not self.device.is_gpu:
            raise RuntimeError("a CPU has no TF32")
        self._session: Any = None

    def bind(self, inputs: Tensors, output: Output) -> Run:
        if self._session is None:
            self._session = self._open()
        session, kind = self._session, self.device.name
        result = output.empty(kind)
        binding = session.io_binding()
        for name, tensor in inputs.items():
            binding.bind_input(name, kind, 0, *_place(tensor))
        binding.bind_output(output.name, kind, 0, *_place(result))
        options = import_onnxruntime().RunOptions()
        if self.device.is_gpu:
            options.add_run_config_entry("disable_synchronize_execution_providers", "1")

        def run() -> Tensor:
            session.run_with_iobinding(binding, options)
            return result

        if self.captured:
            for _ in range(CAPTURE_WARMUP):
                run()
        return run

    def begin(self) -> None:
        pass

    def release(self) -> None:
        self._session = None

    def _open(self) -> Any:
        if not self.device.is_gpu:
            return import_onnxruntime().InferenceSession(
                self.model,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=list(self.without) or None,
            )
        options = {
            "device_id": 0,
            "user_compute_stream": self.device.stream,
            "use_tf32": int(self.precision == "tf32"),
            "prefer_nhwc": int(self.nhwc),
            "enable_cuda_graph": int(self.captured),
            "cudnn_conv_algo_search": self.search,
            "arena_extend_strategy": "kSameAsRequested",
        }
        return cuda_session(import_onnxruntime_cuda(), self.model, options, without=self.without)


def _place(tensor: Tensor) -> tuple[Any, tuple[int, ...], int]:
    """Type, shape and address, as a binding takes them."""
    kind = torch.empty(0, dtype=tensor.dtype).numpy().dtype.type
    return kind, tuple(tensor.shape), tensor.data_ptr()

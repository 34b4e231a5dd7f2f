"""What gpu.py times: one graph of a model by each engine, on tensors of the device.

Every engine takes the same float32 tensors and gives float32 a*b*; what casts it needs are part of
its time. Weights are the same: PyTorch's are read from the graphs, batch norm folded.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from gpu_device import Device
from gpu_onnxruntime import OnnxRuntimeEngine
from gpu_protocol import CAPTURE_WARMUP, Maker, Output, Run, Tensors
from gpu_tensorrt import GRAPH, TensorRTEngine
from torch import Tensor, nn

from trtcolor.backends.available import TENSORRT
from trtcolor.backends.onnxruntime_cuda import CONV_FUSION
from trtcolor.bundle import Bundle
from trtcolor.precision.half import half_graph
from trtcolor.precision.plain import plain_graph
from trtcolor_train.bench import TYPES, at_precision, bundle_network
from trtcolor_train.graphs import LocalGraph

BASELINE = "torch fp16 channels-last"
"""What the best backend is held against."""
UNFUSED = (CONV_FUSION,)


@dataclass
class TorchEngine:
    """The folded network in PyTorch.

    Args:
        mode: of `torch.compile`, ``graph`` for a captured CUDA graph of the eager one; None: eager.
    """

    name: str
    precision: str
    device: Device
    network: nn.Module
    channels_last: bool
    mode: str | None = None

    def __post_init__(self) -> None:
        dtype = TYPES["fp32" if self.precision == "tf32" else self.precision]
        network: Any = copy.deepcopy(self.network).to(self.device.name)
        at_precision(network, dtype)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        self._dtype, self._module = dtype, LocalGraph(network).eval()
        if self.mode not in (None, "graph"):
            self._module = torch.compile(self._module, mode=self.mode, dynamic=False)

    def bind(self, inputs: Tensors, output: Output) -> Run:
        def run() -> Tensor:
            with torch.inference_mode():
                tensors = [tensor.to(self._dtype) for tensor in inputs.values()]
                return self._module(*tensors)[0]

        if self.mode != "graph":
            return run
        if not self.device.is_gpu:
            raise RuntimeError("a CPU captures no CUDA graphs")
        self.begin()
        for _ in range(CAPTURE_WARMUP):
            run()
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            result = run()

        def replay() -> Tensor:
            captured.replay()
            return result

        return replay

    def begin(self) -> None:
        self.device.set_tf32(self.precision == "tf32")

    def release(self) -> None:
        pass  # with the tensors, by Device.free_memory


def makers(bundle: Bundle, device: Device) -> list[Maker]:
    """The engines, those worth most first."""
    network = bundle_network(bundle, folded=True)
    plain = plain_graph(bundle, GRAPH)
    single = plain.SerializeToString()
    half = half_graph(plain, "fp16").SerializeToString()

    def by_torch(name: str, precision: str, last: bool, mode: str | None = None) -> Maker:
        full = f"torch {name}"
        return full, precision, lambda: TorchEngine(full, precision, device, network, last, mode)

    def by_ort(name: str, precision: str, **options: Any) -> Maker:
        full, model = f"onnxruntime {name}", half if precision == "fp16" else single
        return full, precision, lambda: OnnxRuntimeEngine(full, precision, device, model, **options)

    def by_tensorrt(backend: str) -> Maker:
        full = f"{backend} fp16"
        return full, "fp16", lambda: TensorRTEngine(full, "fp16", device, bundle, backend)

    return [
        by_torch("fp16 channels-last", "fp16", True),
        *map(by_tensorrt, TENSORRT),
        by_ort("fp16 nhwc", "fp16", nhwc=True),
        by_ort("fp16 nhwc, unfused", "fp16", nhwc=True, without=UNFUSED),
        by_ort("fp32", "fp32"),
        by_torch("fp32", "fp32", False),
        by_ort("tf32 nhwc", "tf32", nhwc=True),
        by_torch("fp16 channels-last, CUDA graph", "fp16", True, "graph"),
        by_torch("tf32 channels-last", "tf32", True),
        by_ort("fp16, unfused", "fp16", without=UNFUSED),
        by_ort("fp16", "fp16"),
        by_ort("fp16 nhwc, heuristic", "fp16", nhwc=True, search="HEURISTIC"),
        by_ort("fp16 nhwc, CUDA graph", "fp16", nhwc=True, captured=True),
        by_torch("bf16 channels-last", "bf16", True),
    ]


def is_variant(name: str) -> bool:
    """Whether an engine is one of several ways to the same end, of which one is kept."""
    return name.startswith("onnxruntime fp16")


def compiled(bundle: Bundle, device: Device) -> list[Maker]:
    """torch.compile, which takes long before its first run, in the order of worth."""
    network = bundle_network(bundle, folded=True)
    found: list[Maker] = []
    for mode in ("default", "reduce-overhead", "max-autotune-no-cudagraphs"):
        name = f"torch fp16 channels-last, compile {mode}"
        found.append(
            (
                name,
                "fp16",
                lambda n=name, m=mode: TorchEngine(n, "fp16", device, network, True, m),
            )
        )
    return found

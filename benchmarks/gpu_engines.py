"""What gpu.py times: one graph of a model by PyTorch and by ONNX Runtime, on tensors of the device.

Every engine takes the same float32 tensors and gives float32 a*b*; what casts it needs are part of
its time. Weights are the same: PyTorch's are read from the graphs, batch norm folded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from gpu_device import Device
from torch import Tensor, nn

from trtcolor.backends.available import TENSORRT, available
from trtcolor.backends.driver import first_gpu
from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.backends.onnxruntime_cuda import cuda_session, import_onnxruntime_cuda
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor.precision.half import half_graph
from trtcolor.precision.plain import plain_graph
from trtcolor_train.bench import TYPES, at_precision, bundle_network
from trtcolor_train.graphs import LocalGraph

GRAPH = "local"
CAPTURE_WARMUP = 3

Tensors = dict[str, Tensor]
"""Inputs by name, in the order of the graph's."""
Run = Callable[[], Tensor]
"""Queues one run and returns the (N, 2, h, w) float32 a*b* that it will have written."""


class Engine(Protocol):
    """Attributes:
    name: in the table.
    precision: of the products, whose peak it is held to.
    """

    name: str
    precision: str

    def bind(self, inputs: Tensors, chroma: tuple[int, ...]) -> Run:
        """What runs on these inputs, which stay where they are; `chroma` is the result's shape."""
        ...

    def begin(self) -> None:
        """Called before each turn, for what is set for the whole process."""
        ...

    def release(self) -> None:
        """Give back the memory of maps."""
        ...


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

    def bind(self, inputs: Tensors, chroma: tuple[int, ...]) -> Run:
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


@dataclass
class OnnxRuntimeEngine:
    """A session with inputs and result bound where they lie on the device.

    Args:
        model: of the graph, serialised.
        nhwc: whether the provider lays maps out with channels last.
        captured: whether runs are replays of a CUDA graph.
    """

    name: str
    precision: str
    device: Device
    model: bytes
    nhwc: bool = False
    captured: bool = False

    def __post_init__(self) -> None:
        if self.precision == "tf32" and not self.device.is_gpu:
            raise RuntimeError("a CPU has no TF32")
        self._session: Any = None

    def bind(self, inputs: Tensors, chroma: tuple[int, ...]) -> Run:
        if self._session is None:
            self._session = self._open()
        session, ort = self._session, import_onnxruntime()
        kind = self.device.name
        result = torch.full(chroma, float("nan"), device=kind)  # what is not written shows
        binding = session.io_binding()
        for name, tensor in inputs.items():
            shape, address = tuple(tensor.shape), tensor.data_ptr()
            binding.bind_input(name, kind, 0, np.float32, shape, address)
        binding.bind_output("chroma", kind, 0, np.float32, chroma, result.data_ptr())
        options = ort.RunOptions()
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
            ort = import_onnxruntime()
            return ort.InferenceSession(self.model, providers=["CPUExecutionProvider"])
        return cuda_session(
            import_onnxruntime_cuda(),
            self.model,
            {
                "device_id": 0,
                "user_compute_stream": self.device.stream,
                "use_tf32": int(self.precision == "tf32"),
                "prefer_nhwc": int(self.nhwc),
                "enable_cuda_graph": int(self.captured),
                "cudnn_conv_algo_search": "EXHAUSTIVE",
                "arena_extend_strategy": "kSameAsRequested",
            },
        )


Maker = tuple[str, str, Callable[[], Engine]]
"""Name, precision, and what makes the engine or raises why it cannot."""


def makers(bundle: Bundle, device: Device) -> list[Maker]:
    """The engines, those worth most first."""
    network = bundle_network(bundle, folded=True)
    plain = plain_graph(bundle, GRAPH)
    single = plain.SerializeToString()
    half = half_graph(plain, "fp16").SerializeToString()

    def by_torch(name: str, precision: str, last: bool, mode: str | None = None) -> Maker:
        full = f"torch {name}"
        return full, precision, lambda: TorchEngine(full, precision, device, network, last, mode)

    def by_ort(name: str, precision: str, **options: bool) -> Maker:
        full, model = f"onnxruntime {name}", half if precision == "fp16" else single
        return full, precision, lambda: OnnxRuntimeEngine(full, precision, device, model, **options)

    return [
        by_torch("fp16 channels-last", "fp16", True),
        by_ort("fp16 nhwc", "fp16", nhwc=True),
        by_ort("fp32", "fp32"),
        by_torch("fp32", "fp32", False),
        by_torch("fp16 channels-last, CUDA graph", "fp16", True, "graph"),
        by_ort("fp16 nhwc, CUDA graph", "fp16", nhwc=True, captured=True),
        by_torch("tf32 channels-last", "tf32", True),
        by_ort("tf32 nhwc", "tf32", nhwc=True),
        by_torch("bf16 channels-last", "bf16", True),
        by_ort("fp16", "fp16"),
        *((name, "fp16", lambda n=name: _tensorrt(n)) for name in TENSORRT),
    ]


def _tensorrt(name: str) -> Engine:
    """Why a TensorRT has no values here: it runs engines only, which take minutes to build."""
    problem = available(name).problem
    if problem is None:
        first_gpu()
        problem = (
            f"installed; its engines are timed by: trtcolor build-engine --backend {name}, then "
            f"trtcolor bench --backend {name}"
        )
    raise BackendError(problem)


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

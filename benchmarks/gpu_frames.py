"""The whole way of a frame for gpu.py: uint8 RGB in, uint8 RGB out, on the device or from memory.

The network sees the frames at full size, as in the cells of the network alone; FLOPs and bytes are
the network's, so that the shares say what the way around it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gpu_cells import COPY_RUNS, Cell
from gpu_device import Device, copies
from gpu_engines import UNFUSED
from gpu_onnxruntime import OnnxRuntimeEngine
from gpu_protocol import Maker, Output, Run, Tensors
from gpu_tensorrt import GRAPH, RENDER
from torch import Tensor

from trtcolor.backends.available import TENSORRT
from trtcolor.bench.picture import grey_frames
from trtcolor.bundle import Bundle
from trtcolor.colorizer import Colorizer
from trtcolor.end_to_end.graph import end_to_end_graph
from trtcolor.precision.half import half_graph
from trtcolor.precision.plain import plain_graph

EXACT = "one graph fp32"
"""What the bytes of the others are compared with."""


@dataclass
class FrameCell(Cell):
    """Frames of one size, grey ones as RGB."""

    def __post_init__(self) -> None:
        super().__post_init__()
        frames, _ = grey_frames((self.side, self.side), self.batch)
        rgb = np.repeat(np.stack(frames)[..., None], 3, axis=3)
        del self.inputs["lightness"]
        self.inputs = {"frames": torch.from_numpy(rgb).to(self.device.name), **self.inputs}
        self.output = Output("rgb", rgb.shape, torch.uint8)

    def copies(self) -> dict[str, Any]:
        both = dict.fromkeys(("to_device", "from_device"), self.output)
        return copies(self.device, both, COPY_RUNS)


@dataclass
class ColorizerEngine:
    """`trtcolor.Colorizer`, one frame at a time, its global features given.

    Args:
        backend: as for the Colorizer.
        on_device: whether frames come from the GPU's memory and go back there.
    """

    name: str
    precision: str
    device: Device
    bundle: Bundle
    backend: str
    on_device: bool

    def __post_init__(self) -> None:
        if self.on_device and not self.device.is_gpu:
            raise RuntimeError("a CPU has no frames on a GPU")
        precision: Any = None if self.precision == "fp32" else self.precision
        self._colorizer = Colorizer(
            self.bundle.path, backend=self.backend, precision=precision, render=RENDER
        )

    def bind(self, inputs: Tensors, output: Output) -> Run:
        if output.shape[0] != 1:
            raise RuntimeError("a Colorizer takes one frame at a time")
        frame: Any = inputs["frames"][0]
        if not self.on_device:
            frame = frame.cpu().numpy()
        features = inputs.get("global_features")
        vector = None if features is None else features[0].cpu().numpy()

        def run() -> Tensor:
            result = self._colorizer.colorize(frame, global_features=vector)
            return torch.from_dlpack(result)[None]  # on a GPU our stream waits for it

        return run

    def begin(self) -> None:
        pass

    def release(self) -> None:
        pass


def frame_makers(bundle: Bundle, device: Device) -> list[Maker]:
    """Ways of a frame, those worth most first."""
    plain = plain_graph(bundle, GRAPH)
    whole = {"fp32": _whole(bundle, plain), "fp16": _whole(bundle, half_graph(plain, "fp16"))}

    def by_graph(name: str, precision: str, **options: Any) -> Maker:
        full, model = f"one graph {name}", whole["fp16" if precision == "fp16" else "fp32"]
        return full, precision, lambda: OnnxRuntimeEngine(full, precision, device, model, **options)

    def by_colorizer(backend: str, precision: str, on_device: bool) -> Maker:
        where = "on the GPU" if on_device else "in main memory"
        full = f"Colorizer {backend} {precision}, frames {where}"
        return (
            full,
            precision,
            lambda: ColorizerEngine(full, precision, device, bundle, backend, on_device),
        )

    own = "onnxruntime-cuda" if device.is_gpu else "onnxruntime"
    return [
        by_graph("fp32", "fp32"),
        by_graph("tf32 nhwc", "tf32", nhwc=True),
        by_graph("fp16 nhwc, unfused", "fp16", nhwc=True, without=UNFUSED),
        by_colorizer(own, "fp32", True),
        by_colorizer(own, "fp32", False),
        *(by_colorizer(name, "fp16", True) for name in TENSORRT),
    ]


def _whole(bundle: Bundle, network: Any) -> bytes:
    features: Any = "given" if bundle.spec.has_global_features else "own"
    model = end_to_end_graph(bundle, render=RENDER, features=features, graphs={GRAPH: network})
    return bytes(model.SerializeToString())

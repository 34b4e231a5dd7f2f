"""A bundle's network in PyTorch, for ``trtcolor bench --compare torch``: same weights, three forms.

The weights are the bundle's own, read from its graphs, where batch norm is folded into them; those
that the exporter computed with are in ``folded.safetensors`` alone. The form that PyTorch users
have, with batch norm after every convolution, is had back by norms that only add the bias: the same
functions run on as many numbers, so it takes the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import load_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor_train.bins import AbBins
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.export import FOLDED_FILE
from trtcolor_train.fold import fold
from trtcolor_train.graphs import GlobalGraph, JointGraph, LocalGraph
from trtcolor_train.models import family
from trtcolor_train.models.blocks import ChannelAffine
from trtcolor_train.models.network import ColorNetwork

FORMS = ("eager", "folded", "compiled")
"""As trained, with batch norm; folded, channels last; the same compiled."""
TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
PREFIX = "network."
"""Of a weight's name in a graph (graphs.py)."""
HALVES = ".float16"
GRAPHS: dict[str, Callable[[ColorNetwork], nn.Module]] = {
    "local": LocalGraph,
    "global": GlobalGraph,
    "joint": JointGraph,
}


class TorchRunner:
    """A `trtcolor.backends.base.Runner` on PyTorch.

    Products of float32 are of float32 on a GPU too: TF32 is off. What a run returns lies in main
    memory, so that the device has finished.

    Args:
        bundle: a verified bundle of one of the families.
        form: of `FORMS`.
        threads: of PyTorch in this process; None leaves it to PyTorch.
        device: ``cpu`` or ``cuda``, the first GPU.
        precision: of weights and maps, a key of `TYPES`; inputs and a*b* are float32 in each.

    Raises:
        BackendError: the bundle is of no family, its graphs lack weights of the network, or PyTorch
            finds no GPU.
    """

    name = "torch"

    def __init__(
        self,
        bundle: Bundle,
        form: str,
        *,
        threads: int | None = None,
        device: str = "cpu",
        precision: str = "fp32",
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        if device == "cuda":
            _start_gpu()
        self._bundle, self._form = bundle, form
        self._type = TYPES[precision]
        network = bundle_network(bundle, folded=form != "eager").to(device)
        at_precision(network, self._type)
        self.device = str(next(network.parameters()).device)
        if form != "eager":
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network: ColorNetwork = network
        self._modules: dict[str, Callable[..., tuple[Tensor, ...]]] = {}

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        if graph not in self._modules:
            module = GRAPHS[graph](self._network).eval()
            self._modules[graph] = torch.compile(module) if self._form == "compiled" else module
        spec = self._bundle.spec.graphs[graph]
        arrays = [torch.from_numpy(inputs[name]) for name in spec.inputs]
        tensors = [array.to(self.device, self._type) for array in arrays]
        if self._form != "eager":
            tensors[0] = tensors[0].contiguous(memory_format=torch.channels_last)
        try:
            with torch.inference_mode():
                results = self._modules[graph](*tensors)
        except Exception as error:  # its compiler raises its own, and those of the C++ compiler
            reason = " ".join(str(error).split())[:300]
            raise BackendError(f"PyTorch did not run graph {graph!r} ({reason})") from error
        found = dict(zip(spec.outputs, results, strict=True))
        return [found[name].float().contiguous().cpu().numpy() for name in outputs]

    def close(self) -> None:
        """Drop the modules."""
        self._modules.clear()


def _start_gpu() -> None:
    if not torch.cuda.is_available():
        raise BackendError(
            f"PyTorch {torch.__version__} finds no GPU; one was needed to run on 'cuda'; look at "
            "CUDA_VISIBLE_DEVICES and the driver, or install PyTorch for CUDA"
        )
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # of each shape the fastest convolution, once


def at_precision(network: ColorNetwork, dtype: torch.dtype) -> None:
    """Bring weights and buffers to a type; those that decode colours stay float32."""
    for child in network.children():
        if child is not network.coding:
            child.to(dtype)


def bundle_network(bundle: Bundle, *, folded: bool) -> ColorNetwork:
    """The network of a bundle with its weights, in evaluation mode.

    Args:
        bundle: of one of the families.
        folded: without batch norm; else with norms that add the biases.

    Raises:
        BackendError: as from `TorchRunner`.
    """
    spec = bundle.spec
    try:
        plain = family(spec.family).build(dict(spec.configuration)).eval()
    except Exception as error:  # a configuration of another trtcolor may lack or have anything
        raise BackendError(
            f"model {spec.name!r} is not built in PyTorch ({error}); a bundle of one of the "
            "families was needed; choose another model"
        ) from None
    if isinstance(plain.coding, BinCoding):
        _set_decoder(plain.coding, spec.decoder)
    merged = fold(plain)
    _load(merged, _graph_weights(bundle), spec.name)
    return merged if folded else _unfolded(plain, merged)


def _set_decoder(coding: BinCoding, entries: Mapping[str, Any]) -> None:
    """Decode as the export was told to."""
    known = {field.name for field in fields(Decoder)}
    coding.decoder = Decoder(**{name: entries[name] for name in entries if name in known})
    if isinstance(coding, AbBins):
        coding.set_centres(np.array(entries["centres"], np.float32))
        if "class_weights" in entries:
            coding.class_weights.copy_(torch.tensor(entries["class_weights"]))


def _graph_weights(bundle: Bundle) -> dict[str, NDArray[np.float32]]:
    """Arrays of all graphs by the name that the network has for them, and of the folded file."""
    found: dict[str, NDArray[np.float32]] = {}
    stored = load_file(bundle.path / FOLDED_FILE) if FOLDED_FILE in bundle.spec.files else {}
    for graph in bundle.spec.graphs:
        for tensor in onnx.load(str(bundle.graph_path(graph))).graph.initializer:
            name = tensor.name.removesuffix(HALVES)
            if name.startswith(PREFIX):
                array = numpy_helper.to_array(tensor).astype(np.float32)
                found[name.removeprefix(PREFIX)] = array
    return stored | found


@torch.no_grad()
def _load(network: ColorNetwork, weights: Mapping[str, NDArray[np.float32]], model: str) -> None:
    for name, parameter in network.named_parameters():
        if name in weights:
            parameter.copy_(torch.from_numpy(weights[name]).reshape(parameter.shape))
        elif name.endswith("bias"):
            parameter.zero_()  # the exporter leaves out what adds nothing
        else:
            raise BackendError(
                f"the graphs of model {model!r} have no weight {name}; all of the network's were "
                "needed under its own names; export the model again with "
                "its folded weights"
            )


@torch.no_grad()
def _unfolded(network: ColorNetwork, folded: ColorNetwork) -> ColorNetwork:
    """`network`, its batch norms kept, with the weights of the folded one."""
    network.load_state_dict(folded.state_dict(), strict=False)
    for path, module in network.named_modules():
        if not isinstance(module, _BatchNorm):
            continue
        owner, _, name = path.rpartition(".")
        twin = getattr(folded.get_submodule(owner), name)  # None: it went into the layer
        if isinstance(twin, ChannelAffine):
            _neutral(module, twin.scale, twin.shift)
            continue
        layer = network.get_submodule(f"{owner}.layer")
        bias = folded.get_submodule(f"{owner}.layer").bias
        assert isinstance(bias, Tensor)
        _neutral(module, torch.ones_like(bias), bias)
        if isinstance(layer.bias, Tensor):
            layer.bias.zero_()
    return network


def _neutral(norm: _BatchNorm, scale: Tensor, shift: Tensor) -> None:
    """A batch norm that computes scale x + shift."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.copy_(scale)
    norm.bias.copy_(shift)

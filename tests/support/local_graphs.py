"""Plain local graphs of narrow networks, untrained, without all else that an export makes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import onnx
import torch
from narrow import narrow_network
from torch import nn

from trtcolor.precision.plain import made_plain
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.fold import fold
from trtcolor_train.graphs import write_graphs


@cache
def local_graph(family: str, decoder: Decoder | None = None) -> onnx.ModelProto:
    """The local graph of a narrow network, as exported and made plain; not to be changed.

    Args:
        family: the network's.
        decoder: of a classifier of bins; None: the usual one.
    """
    torch.manual_seed(0)
    network = narrow_network(family).eval()
    for name, parameter in network.named_parameters():
        if name.endswith(".bias"):  # untrained ones are 0
            nn.init.normal_(parameter, std=0.3)
    if decoder is not None:
        assert isinstance(network.coding, BinCoding)
        network.coding.decoder = decoder
    with tempfile.TemporaryDirectory() as folder:
        write_graphs(fold(network), Path(folder), "float32")
        return made_plain(onnx.load(Path(folder) / "local.onnx"))

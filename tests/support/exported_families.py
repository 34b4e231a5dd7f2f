"""Every family and variant as it is exported, beside the torch network that it must equal."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from family_bundles import family_export
from numpy.typing import NDArray
from torch import Tensor

from trtcolor import color
from trtcolor.bundle import open_bundle
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec
from trtcolor_train.build import network_from_checkpoint
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.fold import fold
from trtcolor_train.models import FAMILIES
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.parity import Parity
from trtcolor_train.weights import rounded

MANY_BINS = 300  # their centres are large enough to be stored beside the weights


@dataclass(frozen=True)
class Case:
    """A family with what is chosen for it in training and at export."""

    family: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    decoder: Decoder | None = None
    precision: Any = "float16"
    own_bins: bool = False

    def __str__(self) -> str:
        chosen = [str(value) for value in self.dimensions.values()]
        return "-".join([self.family, *chosen, *([self.decoder.kind] if self.decoder else [])])


CASES = (
    *(Case(name) for name in FAMILIES),
    Case("iizuka2016-baseline", {"color_space": "yuv"}, precision="float32"),
    Case("iizuka2016-baseline", {"color_space": "rgb"}),
    Case("hwang2016-classification", decoder=Decoder("mode", smoothing=2.0)),
    Case("olah2022-unet", decoder=Decoder("mean")),
    Case("olah2022-cnn", {"bins": 40}, Decoder("mode"), precision="float32", own_bins=True),
    Case(
        "olah2022-cnn",
        {"bins": MANY_BINS},
        Decoder("annealed-mean", temperature=0.2, smoothing=1.5),
        own_bins=True,
    ),
)


def random_bins(count: int) -> NDArray[np.float32]:
    """Centres that float16 does not hold."""
    return np.random.default_rng(0).uniform(-90, 90, (count, 2)).astype(np.float32)


@dataclass(frozen=True)
class Exported:
    """A case's bundle, and the torch network that it must equal."""

    case: Case
    network: ColorNetwork
    bundle: Path
    parity: Parity
    spec: ModelSpec

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        session = onnxruntime.InferenceSession(
            str(self.bundle / f"{graph}.onnx"), providers=["CPUExecutionProvider"]
        )
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs))
        return results

    def inputs(self, lightness: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The local graph's inputs for lightness (N, 1, H, W)."""
        side = self.spec.size.global_size
        if side is None:
            return {"lightness": lightness}
        square = np.stack([resize_plane(plane[0], (side, side))[None] for plane in lightness])
        (features,) = self.run("global", {"lightness": square}, ["global_features"])
        return {"lightness": lightness, "global_features": features}

    @torch.no_grad()
    def torch_output(self, inputs: Mapping[str, NDArray[np.float32]]) -> Tensor:
        return self.network.paint(*(torch.from_numpy(value) for value in inputs.values()))


def exported_case(case: Case, factory: pytest.TempPathFactory) -> Exported:
    """A case's export, made once for all files of tests, and its network."""
    bins = random_bins(case.dimensions["bins"]) if case.own_bins else None
    made = family_export(
        case.family,
        factory,
        dimensions=case.dimensions,
        decoder=case.decoder,
        precision=case.precision,
        bins=bins,
    )
    network = network_from_checkpoint(load_checkpoint(made.checkpoint), source="test")
    if isinstance(network.coding, BinCoding):
        network.coding.decoder = case.decoder or Decoder()
    if case.precision == "float16":
        network = rounded(fold(network))
    return Exported(case, network, made.bundle, made.parity, open_bundle(made.bundle).spec)


def lightness_of(photos: list[NDArray[np.uint8]], count: int, *size: int) -> NDArray[np.float32]:
    """(count, 1, H, W) L* of real pictures."""
    planes = (color.lightness_from_rgb(photo) for photo in itertools.cycle(photos))
    return np.stack([resize_plane(next(planes), size)[None] for _ in range(count)])

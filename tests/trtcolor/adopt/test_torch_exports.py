"""What PyTorch's exporter writes of a real module is adopted: its operators, names and shapes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import chroma_by_hand
from colourisers import IMAGENET, write_toml

from trtcolor.adopt.adopt import adopt
from trtcolor.colorizer import Colorizer

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path / "models"))


class Eccv(torch.nn.Module):  # type: ignore[name-defined,misc]
    """Zhang's ECCV16, narrow: batch norm, dilation, a softmax over 313 bins, enlarged by 4."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(True), nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(True), nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(True), nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, dilation=2, padding=2), nn.ReLU(True), nn.BatchNorm2d(8),
            nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1), nn.ReLU(True),
            nn.Conv2d(8, 313, 1), nn.Softmax(dim=1), nn.Conv2d(313, 2, 1, bias=False),
            nn.Upsample(scale_factor=4, mode="bilinear"),
        )  # fmt: skip
        self.body[-2].weight.data *= 100  # random scores are nearly even, and so are their colours

    def forward(self, input_l: Any) -> Any:
        return self.body((input_l - 50.0) / 100.0) * 110.0


class Attention(torch.nn.Module):  # type: ignore[name-defined,misc]
    """The manner of DDColor: ImageNet's normalisation inside, tokens, attention to queries."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.encoder = nn.Conv2d(3, 16, 8, stride=8)
        self.norm = nn.LayerNorm(16)
        self.queries = nn.Parameter(torch.randn(10, 16))
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.shuffle = nn.Sequential(nn.Conv2d(16, 16 * 64, 1), nn.PixelShuffle(8), nn.GELU())
        self.refine = nn.Conv2d(10 + 3, 2, 1)
        self.register_buffer("mean", torch.tensor(IMAGENET["mean"])[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET["std"])[:, None, None])

    def forward(self, x: Any) -> Any:
        x = (x - self.mean) / self.std
        features = self.encoder(x)
        tokens = self.norm(features.flatten(2).transpose(1, 2))
        queries = self.queries.expand(x.shape[0], -1, -1)
        colours, _ = self.attention(queries, tokens, tokens)
        maps = torch.einsum("bqc,bchw->bqhw", colours, self.shuffle(features))
        return 20 * self.refine(torch.cat([maps, x], dim=1))


def exported(module: Any, picture: Any, path: Path, *, new: bool, **options: Any) -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (picture,), path, dynamo=new, verbose=False, input_names=["input"],
            output_names=["output"], **options,
        )  # fmt: skip


def check(path: Path, spec: dict[str, Any]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (70, 101)).astype(np.uint8)
    with Colorizer("net", render="full") as colorizer:
        prepared = colorizer.prepare(grey)
        found = colorizer.predict(prepared)
    expected = chroma_by_hand(path, spec, prepared.network_lightness[0, 0])
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(found, expected[:, : found.shape[1], : found.shape[2]], atol=5e-3)


@pytest.mark.parametrize("new", [True, False])
def test_a_convolutional_classifier_with_free_sizes(new: bool, tmp_path: Path) -> None:
    free = {0: "batch", 2: "height", 3: "width"}
    options: dict[str, Any] = {"dynamic_axes": {"input": free, "output": free}}
    if new:
        dim = torch.export.Dim
        sides = {2: 8 * dim("h8", min=1, max=512), 3: 8 * dim("w8", min=1, max=512)}
        options = {"dynamic_shapes": ({0: dim("batch", max=64), **sides},)}
    path = tmp_path / "net.onnx"
    exported(Eccv(), torch.full((2, 1, 24, 40), 50.0), path, new=new, **options)
    spec: dict[str, Any] = {
        "licence": "none", "input": {"kind": "lightness"}, "output": {"kind": "ab"},
        "size": {"multiple": 8},
    }  # fmt: skip
    done = adopt(path, write_toml(tmp_path / "spec.toml", spec))
    assert done.batch is None
    check(path, spec)


@pytest.mark.parametrize("new", [True, False])
def test_an_attention_network_of_one_size(new: bool, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    exported(Attention(), torch.rand(1, 3, 64, 64), path, new=new)
    spec: dict[str, Any] = {
        "licence": "none", "input": {"kind": "grey-rgb"}, "output": {"kind": "ab"},
        "size": {"fixed": [64, 64]},
    }  # fmt: skip
    adopt(path, write_toml(tmp_path / "spec.toml", spec))
    check(path, spec)

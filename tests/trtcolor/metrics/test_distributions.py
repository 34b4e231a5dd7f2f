"""FID and LPIPS: the arithmetic against scipy and torchmetrics, networks small and real."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from trtcolor.errors import BackendError, DataError
from trtcolor.metrics.distributions import (
    ROWS,
    FrechetDistance,
    PerceptualDistance,
    frechet_distance,
)

FEATURES = 5
Pictures = NDArray[np.uint8]


def pictures(seed: int, count: int, brightness: int = 0) -> Pictures:
    """(N, 6, 7, 3)."""
    rng = np.random.default_rng(seed)
    return rng.integers(brightness, 150 + brightness, (count, 6, 7, 3), np.uint8)


def mixing() -> NDArray[np.float32]:
    return np.random.default_rng(9).normal(size=(3, FEATURES)).astype(np.float32)


def features_of(batch: Pictures) -> NDArray[np.float64]:
    """What the networks below compute: squares of the picture's values, averaged, mixed."""
    values = batch.astype(np.float64) / 255
    mixed: NDArray[np.float64] = np.square(values).mean(axis=(1, 2)) @ mixing().astype(np.float64)
    return mixed


# ---- the networks ------------------------------------------------------------------------------


class Inception(nn.Module):
    """Called as StyleGAN2-ADA calls ``inception-2015-12-05.pt``."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mixing", torch.from_numpy(mixing()))

    def forward(self, pictures: Tensor, return_features: bool = False) -> Tensor:
        assert pictures.dtype == torch.uint8
        pooled = (pictures.float() / 255).square().mean(dim=[2, 3])
        mixed = pooled @ self.mixing
        return mixed if return_features else mixed.softmax(1)


class Vgg(nn.Module):
    """Called as StyleGAN2-ADA calls ``vgg16.pt``."""

    def forward(
        self, pictures: Tensor, resize_images: bool = True, return_lpips: bool = False
    ) -> Tensor:
        assert pictures.dtype == torch.float32
        assert return_lpips
        assert not resize_images
        return (pictures / 255).flatten(1)


class Broken(nn.Module):
    def forward(self, pictures: Tensor, return_features: bool = False) -> Tensor:
        raise RuntimeError("no such layer")


def script(folder: Path, module: nn.Module) -> Path:
    path = folder / f"{type(module).__name__}.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript itself
        torch.jit.script(module).save(str(path))
    return path


def value(name: str, shape: list[str | int | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def network(
    folder: Path, nodes: list[onnx.NodeProto], inputs: list[str], output: list[str | int | None]
) -> Path:
    taken = [value(name, ["N", 3, "H", "W"]) for name in inputs]
    constants = [
        numpy_helper.from_array(np.float32(255), "white"),
        numpy_helper.from_array(mixing(), "mixing"),
    ]
    graph = helper.make_graph(nodes, "features", taken, [value("out", output)], constants)
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    path = folder / "network.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def feature_network(folder: Path) -> Path:
    node = helper.make_node
    nodes = [
        node("Div", ["rgb", "white"], ["values"]),
        node("Mul", ["values", "values"], ["squares"]),
        node("GlobalAveragePool", ["squares"], ["means"]),
        node("Flatten", ["means"], ["pooled"]),
        node("MatMul", ["pooled", "mixing"], ["out"]),
    ]
    return network(folder, nodes, ["rgb"], ["N", FEATURES])


def distance_network(folder: Path, flat: bool) -> Path:
    node = helper.make_node
    nodes = [
        node("Sub", ["rgb", "original"], ["difference"]),
        node("Div", ["difference", "white"], ["values"]),
        node("ReduceL2", ["values"], ["out"], axes=[1, 2, 3], keepdims=0 if flat else 1),
    ]
    return network(folder, nodes, ["rgb", "original"], ["N"] if flat else ["N", 1, 1, 1])


# ---- FID ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 30])
def test_the_frechet_distance_is_that_of_scipys_matrix_root(width: int) -> None:
    rng = np.random.default_rng(width)
    (m1, s1), (m2, s2) = (
        (f.mean(axis=0), np.atleast_2d(np.cov(f, rowvar=False)))
        for f in (
            rng.normal(i, 1 + i, (100, width)) @ rng.normal(size=(width, width)) for i in (0, 1)
        )
    )
    root = np.real(sqrtm(s1 @ s2))
    expected = np.square(m1 - m2).sum() + np.trace(s1 + s2 - 2 * root)
    assert frechet_distance(m1, s1, m2, s2) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(m2, s2, m1, s1) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(m1, s1, m1, s1) == pytest.approx(0, abs=1e-8 * np.trace(s1))


def test_the_distance_of_numbers_is_that_of_means_and_deviations() -> None:
    found = frechet_distance(np.array([1.0]), np.eye(1) * 4, np.array([4.0]), np.eye(1) * 25)
    assert found == pytest.approx((4 - 1) ** 2 + (5 - 2) ** 2)


def test_covariances_without_full_rank_have_a_distance() -> None:
    # As of fewer pictures than features, where a plain matrix root fails.
    rng = np.random.default_rng(0)
    few, others = rng.normal(size=(4, 30)), rng.normal(size=(5, 30))
    s1, s2 = np.cov(few, rowvar=False), np.cov(others, rowvar=False)
    nuclear = np.linalg.svd((few - few.mean(0)) @ (others - others.mean(0)).T, compute_uv=False)
    expected = (
        np.square(few.mean(0) - others.mean(0)).sum()
        + np.trace(s1 + s2)
        - 2 * nuclear.sum() / np.sqrt(3 * 4)
    )
    found = frechet_distance(few.mean(0), s1, others.mean(0), s2)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["onnx", "pt"])
def test_fid_of_a_file_is_that_of_its_features(kind: str, tmp_path: Path) -> None:
    path = feature_network(tmp_path) if kind == "onnx" else script(tmp_path, Inception())
    true, coloured = pictures(1, 2 * ROWS + 5), pictures(2, 31, 90)
    fid = FrechetDistance(path)
    for picture in true:
        fid.update(picture, real=True)
    fid.update(coloured[:11], real=False)
    fid.update(coloured[11:], real=False)
    (m1, s1), (m2, s2) = (
        (f.mean(axis=0), np.cov(f, rowvar=False)) for f in map(features_of, (true, coloured))
    )
    expected = np.square(m1 - m2).sum() + np.trace(s1 + s2 - 2 * np.real(sqrtm(s1 @ s2)))
    assert fid.result() == pytest.approx(expected, rel=1e-4)
    assert fid.counts == (2 * ROWS + 5, 31)
    assert fid.backend.startswith(
        "onnxruntime " if kind == "onnx" else f"torch {torch.__version__}"
    )


def test_fid_is_that_of_torchmetrics(tmp_path: Path) -> None:
    class Features(nn.Module):
        num_features = FEATURES

        def forward(self, batch: Tensor) -> Tensor:
            return Inception()(batch, return_features=True)

    theirs = FrechetInceptionDistance(feature=Features(), input_img_size=(3, 6, 7))
    theirs.set_dtype(torch.float64)
    ours = FrechetDistance(feature_network(tmp_path))
    for real, batch in ((True, pictures(3, 50)), (False, pictures(4, 60, 60))):
        theirs.update(torch.from_numpy(np.moveaxis(batch, -1, 1).copy()), real=real)
        ours.update(batch, real=real)
    assert ours.result() == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_fid_of_fewer_than_two_pictures_is_refused(tmp_path: Path) -> None:
    fid = FrechetDistance(feature_network(tmp_path))
    fid.update(pictures(5, 9), real=True)
    fid.update(pictures(6, 1), real=False)
    with pytest.raises(DataError, match="9 true and 1 coloured pictures"):
        fid.result()


# ---- LPIPS -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", [True, False])
def test_a_network_of_two_pictures_gives_the_distance(flat: bool, tmp_path: Path) -> None:
    lpips = PerceptualDistance(distance_network(tmp_path, flat))
    one, other = pictures(7, 2)
    expected = np.linalg.norm((one.astype(np.float64) - other) / 255)
    assert lpips.distance(one, other) == pytest.approx(expected, rel=1e-6)
    assert lpips.distance(one, one) == 0


@pytest.mark.parametrize("kind", ["onnx", "pt"])
def test_features_give_the_sum_of_their_squared_differences(kind: str, tmp_path: Path) -> None:
    path = feature_network(tmp_path) if kind == "onnx" else script(tmp_path, Vgg())
    one, other = pictures(8, 2)
    features = features_of if kind == "onnx" else lambda batch: batch.reshape(1, -1) / 255
    expected = np.square(features(one[None]) - features(other[None])).sum()
    assert PerceptualDistance(path).distance(one, other) == pytest.approx(expected, rel=1e-4)


# ---- bad files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [FrechetDistance, PerceptualDistance])
def test_a_missing_file_or_one_of_another_kind_is_refused(
    measure: type[FrechetDistance | PerceptualDistance], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"no file '.*none.onnx'"):
        measure(tmp_path / "none.onnx")
    (tmp_path / "weights.pkl").write_bytes(b"pickle")
    with pytest.raises(DataError, match=r"an ONNX .* or TorchScript .* file was needed"):
        measure(tmp_path / "weights.pkl")


@pytest.mark.parametrize("suffix", [".onnx", ".pt"])
def test_a_damaged_file_is_refused_in_one_line(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(BackendError, match=f"damaged{suffix}' did not load") as caught:
        FrechetDistance(path)
    assert "\n" not in str(caught.value)


def test_a_network_that_fails_is_named(tmp_path: Path) -> None:
    fid = FrechetDistance(script(tmp_path, Broken()))
    with pytest.raises(BackendError, match=r"Broken.pt' did not run \(.*no such layer"):
        fid.update(pictures(0, 2), real=True)


def test_networks_of_another_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="takes two pictures"):
        FrechetDistance(distance_network(tmp_path, True))
    nodes = [helper.make_node("Identity", ["rgb"], ["out"])]
    pixels = network(tmp_path, nodes, ["rgb"], ["N", 3, "H", "W"])
    with pytest.raises(BackendError, match=r"gave features of shape \(2, 3, 6, 7\)"):
        FrechetDistance(pixels).update(pictures(0, 2), real=True)
    nodes = [helper.make_node("Sum", ["a", "b", "c"], ["out"])]
    three = network(tmp_path, nodes, ["a", "b", "c"], ["N", 3, "H", "W"])
    with pytest.raises(BackendError, match="has 3 inputs"):
        PerceptualDistance(three)
    nodes = [helper.make_node("Sub", ["a", "b"], ["out"])]
    with pytest.raises(BackendError, match=r"output of shape \(1, 3, 6, 7\) for one pair"):
        PerceptualDistance(network(tmp_path, nodes, ["a", "b"], ["N", 3, "H", "W"])).distance(
            *pictures(0, 2)
        )


def test_without_torch_a_torchscript_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path, Vgg())
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendError, match=r'run: pip install "trtcolor\[train\]"'):
        PerceptualDistance(path)

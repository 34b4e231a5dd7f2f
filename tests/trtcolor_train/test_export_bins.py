"""Colour bins at export: their weights, their rebalancing, their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from calibrated import calibrated_network, saved
from numpy.typing import NDArray

from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import CheckpointError, ConfigError
from trtcolor_train.bins import AbBins
from trtcolor_train.decoder import Decoder
from trtcolor_train.export import export
from trtcolor_train.models.network import ColorNetwork


def counted(photos: list[NDArray[np.uint8]]) -> ColorNetwork:
    """A classifier that knows how rare its bins are."""
    network = calibrated_network("olah2022-cnn", photos)
    assert isinstance(network.coding, AbBins)
    shares = torch.linspace(1, 3, network.coding.channels)
    network.coding.weigh(shares / shares.sum())
    return network


def test_the_spec_has_the_weights_of_a_rebalanced_classifier_alone(
    photos: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    network = counted(photos)
    for rebalance in (True, False):
        name = f"rebalanced {rebalance}"
        checkpoint = saved(network, "olah2022-cnn", tmp_path / name, rebalance=rebalance)
        bundle, _ = export(checkpoint, tmp_path / f"{name} bundle", precision="float32")
        weights = open_bundle(bundle).spec.decoder.get("class_weights")
        assert (weights is not None) == rebalance
        if weights is not None:
            np.testing.assert_allclose(weights, network.coding.class_weights, atol=5e-5)


def test_rebalancing_and_saturation_are_in_the_graph_and_in_the_spec(
    photos: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    checkpoint = saved(counted(photos), "olah2022-cnn", tmp_path / "checkpoint.safetensors")
    chosen = Decoder("mean", rebalancing=0.5, saturation=1.25)
    bundle, parity = export(checkpoint, tmp_path / "bundle", decoder=chosen)
    assert parity.max_difference < 1e-2
    decoder = open_bundle(bundle).spec.decoder
    assert (decoder["rebalancing"], decoder["saturation"]) == (0.5, 1.25)
    plain, _ = export(checkpoint, tmp_path / "plain", decoder=Decoder("mean"))
    photo = photos[1][:64, :64]
    with Colorizer(bundle) as changed, Colorizer(plain) as unchanged:
        assert (changed.colorize(photo) != unchanged.colorize(photo)).any()


def test_bins_that_nobody_counted_are_not_rebalanced(
    photos: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    network = calibrated_network("olah2022-cnn", photos)
    checkpoint = saved(network, "olah2022-cnn", tmp_path / "checkpoint.safetensors")
    with pytest.raises(ConfigError, match="did not count how rare its bins are"):
        export(checkpoint, tmp_path / "bundle", decoder=Decoder(rebalancing=0.5))


def test_a_checkpoint_with_another_number_of_bins_is_refused(
    photos: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    network = calibrated_network(
        "olah2022-cnn", photos, {"bins": 40}, np.zeros((40, 2), np.float32)
    )
    network.dimensions = type(network.dimensions)(**{**vars(network.dimensions), "bins": 41})
    path = saved(network, "olah2022-cnn", tmp_path / "checkpoint.safetensors")
    with pytest.raises(CheckpointError, match="do not fit"):
        export(path, tmp_path / "bundle")

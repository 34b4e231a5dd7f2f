"""Batches and shares of colour bins from loaded and from resident pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from narrow import NARROW
from trainings import write_narrow_config

from trtcolor.dataset import PictureSet, open_pictures
from trtcolor_train.batches import bin_shares, step_batches
from trtcolor_train.bins import AbBins
from trtcolor_train.config import TrainingConfig, read_config
from trtcolor_train.models import family
from trtcolor_train.parallel import Processes
from trtcolor_train.resident import ResidentPictures

CPU = torch.device("cpu")
DIMENSIONS = family("olah2022-cnn").resolve(NARROW["olah2022-cnn"])
CODING = AbBins(309)


@pytest.fixture(scope="module")
def pictures(shards: Path) -> PictureSet:
    return open_pictures(shards / "train-000.tar.gz")


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    return read_config(
        write_narrow_config(
            tmp_path,
            "olah2022-cnn",
            loss={"color": "cross_entropy", "alpha": 0, "rebalance": True},
            augmentation={"crop": False},
        )
    )


def held(pictures: PictureSet, config: TrainingConfig) -> ResidentPictures:
    return ResidentPictures(pictures, DIMENSIONS.training_size, config.augmentation, CPU, 2)


def test_shares_of_bins_are_the_same_from_either_source(
    pictures: PictureSet, config: TrainingConfig
) -> None:
    loaded = bin_shares(CODING, pictures, None, config, DIMENSIONS)
    resident = bin_shares(CODING, pictures, held(pictures, config), config, DIMENSIONS)
    assert loaded is not None
    assert resident is not None
    assert loaded.shape == (309,)
    assert float(loaded.sum()) == pytest.approx(1)
    # A pixel between two bins may fall into either, by the last digits of its colour.
    assert float((loaded - resident).abs().sum()) < 0.01


def test_shares_are_counted_where_somebody_asks_or_it_costs_little(
    pictures: PictureSet, config: TrainingConfig, tmp_path: Path
) -> None:
    plain = read_config(tmp_path / "olah2022-cnn.toml", ["loss.rebalance=false"])
    assert bin_shares(CODING, pictures, None, plain, DIMENSIONS) is None
    assert bin_shares(CODING, pictures, held(pictures, plain), plain, DIMENSIONS) is not None


@pytest.mark.parametrize("resident", [False, True])
def test_batches_begin_at_the_first_step_left_and_end_with_the_last(
    pictures: PictureSet, config: TrainingConfig, resident: bool
) -> None:
    source = held(pictures, config) if resident else None

    def batches(first: int, rank: int = 0, world: int = 1) -> list[torch.Tensor]:
        processes = Processes(rank, world, CPU)
        made = step_batches(pictures, source, config, DIMENSIONS, first, processes)
        return [batch.lab for batch in made]

    whole, left = batches(0), batches(9)
    assert len(whole) == config.training.steps == 12
    assert len(left) == 3
    assert all(torch.equal(one, other) for one, other in zip(left, whole[9:], strict=True))
    for parts in zip(batches(9, 0, 2), batches(9, 1, 2), left, strict=True):
        torch.testing.assert_close(torch.cat(parts[:2]), parts[2], atol=1e-3, rtol=0)

"""A training's batches, and the share of each colour bin in them, from either source.

Pictures are decoded again for every batch, ahead of their use (data.py), or lie decoded in the
device's memory (resident.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from trtcolor.dataset import PictureSet
from trtcolor_train.bins import AbBins
from trtcolor_train.config import TrainingConfig
from trtcolor_train.data import Batch, training_batches, validation_batches
from trtcolor_train.models.network import Dimensions
from trtcolor_train.parallel import Processes
from trtcolor_train.resident import ResidentPictures


def step_batches(
    pictures: PictureSet,
    resident: ResidentPictures | None,
    config: TrainingConfig,
    dimensions: Dimensions,
    first: int,
    processes: Processes,
) -> Iterator[Batch]:
    """This process's part of each step's batch, from step ``first`` on.

    Args:
        pictures: the training pictures.
        resident: the same in the device's memory; None: they are decoded for each batch.
        config: of the training.
        dimensions: of its network.
        first: steps done before.
        processes: this one and those that share the training with it.

    Raises:
        DataError: a picture cannot be read any more.
        TrainingError: a process that makes batches died.
    """
    settings = config.training
    if resident is not None:
        return (
            resident.batch(
                step, settings.batch_size, settings.seed, processes.rank, processes.world
            )
            for step in range(first, settings.steps)
        )
    return training_batches(
        pictures,
        dimensions.training_size,
        settings.batch_size,
        first=first,
        last=settings.steps,
        seed=settings.seed,
        augmentation=config.augmentation,
        threads=settings.loader_threads,
        processes=settings.loader_processes,
        rank=processes.rank,
        world=processes.world,
    )


@torch.no_grad()
def bin_shares(
    coding: AbBins,
    pictures: PictureSet,
    resident: ResidentPictures | None,
    config: TrainingConfig,
    dimensions: Dimensions,
) -> Tensor | None:
    """How common each colour bin is in the training pictures (003, 3.4).

    Args:
        coding: of the network, which has the bins.
        pictures, resident, config, dimensions: as of `step_batches`.

    Returns:
        (Q,) float64 share of each bin, on the CPU; None: not counted, as nobody asks. Where the
        pictures are resident, counting costs little, and a decoder may ask later.
    """
    size = config.training.batch_size
    if resident is not None:
        batches = resident.plain_batches(size)
    elif config.loss.rebalance:
        batches = validation_batches(pictures, dimensions.training_size, size, len(pictures))
    else:
        return None
    counts = torch.zeros(coding.channels, dtype=torch.float64)
    for batch in batches:
        lab = batch.lab.to(coding.centres.device)
        counts += coding.count(coding.target(lab, dimensions.chroma_scale)).cpu()
    return counts / counts.sum()

"""What a training opens, refuses and builds before its next step.

What can be refused is, before every picture is read: files that cannot be written, checkpoints that
do not fit, labels that are missing. Then the pictures are filtered, and network and optimiser come
to be as they were left, or as they begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from trtcolor.dataset import FilterCounts, PictureSet, drop_colourless, only_class, open_pictures
from trtcolor.errors import CheckpointError
from trtcolor_train.batches import bin_shares, step_batches
from trtcolor_train.bins import AbBins
from trtcolor_train.build import build_network, check_loss, network_from_checkpoint
from trtcolor_train.checkpoint import Checkpoint, load_checkpoint, load_weights
from trtcolor_train.checks import (
    check_batch,
    check_finite,
    check_labels,
    check_one_encoder,
    check_resumable,
    check_run_folder,
    check_same_bins,
    check_same_data,
    check_same_everywhere,
)
from trtcolor_train.config import TrainingConfig
from trtcolor_train.data import Batch, scaled_side
from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork, Dimensions
from trtcolor_train.optimizer import make_optimizer, restore_optimizer
from trtcolor_train.parallel import Processes
from trtcolor_train.provenance import first_weights, seen_pictures
from trtcolor_train.resident import ResidentPictures

UNREADABLE_SHOWN = 5  # names; all are counted


@dataclass(frozen=True)
class Prepared:
    """A training that can take its next step.

    Attributes:
        config: what was asked for.
        path: where its checkpoint is or will be, in the run folder.
        processes: this one and those that share the training with it.
        network: on this process's device, in training mode.
        shared: the network for the steps' forward passes, joined with those of other processes.
        optimizer: over the network's parameters, with what it kept of earlier steps.
        batches: this process's part of each step's batch, from step ``first`` on.
        validation_pictures: filtered.
        classes: scene names by label.
        first: steps done before.
        seconds: that these took; None: not known.
        seen: what a checkpoint says of the training pictures, plain data.
        begun: what the weights were before the very first step, in words; None: not known.
    """

    config: TrainingConfig
    path: Path
    processes: Processes
    network: ColorNetwork
    shared: nn.Module
    optimizer: torch.optim.Optimizer
    batches: Iterator[Batch]
    validation_pictures: PictureSet
    classes: tuple[str, ...]
    first: int
    seconds: float | None
    seen: dict[str, Any]
    begun: str | None


def prepare(
    config: TrainingConfig,
    path: Path,
    *,
    data_root: Path,
    resume: bool,
    init: Path | None,
    console: Console,
    processes: Processes,
) -> Prepared:
    """Make ready what the steps of a training need.

    Args:
        config, data_root, resume, init, console: as of `trtcolor_train.loop.train`.
        path, processes: as of `Prepared`.

    Raises:
        TrtcolorError: as from `trtcolor_train.loop.train`.
    """
    start, given = _checkpoints(config, path, resume, init)
    dimensions = family(config.network.family).resolve(config.network.dimensions)
    check_batch(config, dimensions, processes.world)
    listed, listed_validation = _listed(config, dimensions, data_root)

    torch.manual_seed(config.training.seed)
    if start is not None:
        network = network_from_checkpoint(start, source=str(path))
        check_loss(network, config)
    else:
        network = _fresh(config, len(listed.classes), data_root, given, str(init))

    pictures, counts = _filtered("training", listed, config, dimensions, console)
    validation, _ = _filtered("validation", listed_validation, config, dimensions, console)
    check_same_everywhere(processes.gathered(pictures.fingerprint))
    if start is not None:
        check_same_data(start, pictures.fingerprint, path)

    _set_precision(processes.device, config.training.precision)
    network.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    resident = _resident(pictures, config, dimensions, processes.device)
    if start is None and isinstance(network.coding, AbBins):
        network.coding.weigh(bin_shares(network.coding, pictures, resident, config, dimensions))
    shared = processes.share(network).train()
    optimizer = _optimizer(network, config, start, path)
    first = 0 if start is None else start.step
    return Prepared(
        config=config,
        path=path,
        processes=processes,
        network=network,
        shared=shared,
        optimizer=optimizer,
        batches=step_batches(pictures, resident, config, dimensions, first, processes),
        validation_pictures=validation,
        classes=pictures.classes,
        first=first,
        seconds=0.0 if start is None else start.seconds,
        seen=seen_pictures(config, data_root, pictures, counts),
        begun=first_weights(config, given) if start is None else start.start,
    )


def _checkpoints(
    config: TrainingConfig, path: Path, resume: bool, init: Path | None
) -> tuple[Checkpoint | None, Checkpoint | None]:
    """The checkpoint to go on from, and the one whose weights alone are taken, if any."""
    if path.exists() and not resume:
        raise CheckpointError(
            f"{path.parent} already holds a training; an empty run folder was needed; give another "
            "one or go on with --resume"
        )
    start = load_checkpoint(path) if resume else None
    given = None
    if init is not None and start is None:
        given = load_checkpoint(init, optimizer=False)
    if start is not None:
        check_resumable(config, start, path)
    check_run_folder(path.parent)
    return start, given


def _listed(
    config: TrainingConfig, dimensions: Dimensions, data_root: Path
) -> tuple[PictureSet, PictureSet]:
    """The pictures to train and to validate on, none of them read."""

    def listed(source: str) -> PictureSet:
        pictures = open_pictures(data_root / source)
        return only_class(pictures, config.data.only) if config.data.only else pictures

    pictures, validation = listed(config.data.train), listed(config.data.validation)
    check_labels(config, dimensions.classes > 0, pictures, validation)
    return pictures, validation


def _fresh(
    config: TrainingConfig, classes: int, data_root: Path, given: Checkpoint | None, source: str
) -> ColorNetwork:
    """A network that no step was done of, with the weights of another training if given."""
    if given is None:
        return build_network(config, classes, data_root)
    check_one_encoder(config, source)
    network = build_network(config, classes, data_root)
    check_same_bins(network, given, source)
    load_weights(network, given, source=source)
    check_finite(network, f"in {source}", "give another checkpoint")
    return network


def _filtered(
    name: str,
    listed: PictureSet,
    config: TrainingConfig,
    dimensions: Dimensions,
    console: Console,
) -> tuple[PictureSet, FilterCounts]:
    """The pictures that teach colours, and how many did not, which is also said."""
    pictures, counts = drop_colourless(
        listed,
        side=scaled_side(dimensions.training_size),
        threads=config.training.loader_threads,
    )
    console.print(f"{name}: {counts}")
    if pictures.unreadable:
        shown = pictures.unreadable[:UNREADABLE_SHOWN]
        more = len(pictures.unreadable) - len(shown)
        console.print(f"unreadable: {', '.join(shown)}" + (f" and {more} more" if more else ""))
    return pictures, counts


def _set_precision(device: torch.device, precision: str) -> None:
    if device.type == "cuda":
        # Left alone, torch has convolutions of float32 round their inputs to TF32's 10 bits.
        torch.backends.cudnn.allow_tf32 = precision != "float32"
        torch.backends.cudnn.benchmark = True  # the sizes stay the same


def _resident(
    pictures: PictureSet, config: TrainingConfig, dimensions: Dimensions, device: torch.device
) -> ResidentPictures | None:
    """The training pictures in the device's memory, if they are to be there."""
    if not config.training.resident:
        return None
    return ResidentPictures(
        pictures,
        dimensions.training_size,
        config.augmentation,
        device,
        config.training.loader_threads,
    )


def _optimizer(
    network: ColorNetwork, config: TrainingConfig, start: Checkpoint | None, path: Path
) -> torch.optim.Optimizer:
    """The optimiser, and torch's random numbers, as the checkpoint left them if there is one."""
    optimizer = make_optimizer(network, config.optimizer)
    if start is not None:
        restore_optimizer(optimizer, start, source=str(path))
        torch.set_rng_state(start.random_state)
    return optimizer

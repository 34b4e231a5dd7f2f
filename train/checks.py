"""What a training refuses: before it starts, and before it keeps what it has come to."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import torch
from torch import nn

from trtcolor.dataset import PictureSet
from trtcolor.errors import CheckpointError, ConfigError, TrainingError
from trtcolor_train.bins import AbBins
from trtcolor_train.checkpoint import Checkpoint
from trtcolor_train.config import TrainingConfig
from trtcolor_train.models.network import ColorNetwork, Dimensions

# Entries of [training] that a resumed one may change: its length, and what leaves the curve alone.
RESUMED_WITH_ANY = (
    "steps",
    "minutes",
    "checkpoint_every",
    "validate_every",
    "validation_pictures",
    "loader_threads",
    "loader_processes",
)


def check_resumable(config: TrainingConfig, start: Checkpoint, path: Path) -> None:
    """Refuse to go on with another configuration, or where no step is left."""
    # Data may move, and the files of the network are in its weights already.
    before, training = start.config, config.training
    same = replace(
        before,
        network=replace(before.network, encoder=config.network.encoder, bins=config.network.bins),
        data=config.data,
        training=replace(before.training, **{n: getattr(training, n) for n in RESUMED_WITH_ANY}),
    )
    if same != config:
        raise CheckpointError(
            f"{path} was trained with another configuration; the same one (but for paths, steps, "
            "minutes, the number of checkpoints and validations, and the loader) was needed to "
            "resume; use --init to start a new training from its weights"
        )
    if start.step >= config.training.steps:
        raise CheckpointError(
            f"{path} is at step {start.step} of {config.training.steps} already; steps left to do "
            "were needed; raise training.steps to go on"
        )


def check_same_data(start: Checkpoint, fingerprint: str | None, path: Path) -> None:
    """Refuse to go on with other pictures: the curve would be no unbroken one's."""
    before = start.data.get("fingerprint")
    if before is not None and before != fingerprint:
        raise CheckpointError(
            f"{path} was trained on other pictures (fingerprint {before[:12]}, these have "
            f"{str(fingerprint)[:12]}); the same were needed to resume; use --init to start a new "
            "training from its weights"
        )


def check_same_everywhere(fingerprints: list[str | None]) -> None:
    """Refuse processes, on other machines maybe, that each see other pictures."""
    for rank, fingerprint in enumerate(fingerprints):
        if fingerprint != fingerprints[0]:
            raise TrainingError(
                f"process {rank} sees other training pictures than process 0 (fingerprints "
                f"{str(fingerprint)[:12]} and {str(fingerprints[0])[:12]}); the same were needed; "
                "give every machine the same data"
            )


def check_one_encoder(config: TrainingConfig, source: str) -> None:
    """Refuse weights that would replace those that the configuration gives the encoder."""
    if config.network.encoder:
        raise ConfigError(
            f"network.encoder is {config.network.encoder!r} and --init gives {source}; weights for "
            "the encoder from one of them were needed; leave the other out"
        )


def check_same_bins(network: ColorNetwork, given: Checkpoint, source: str) -> None:
    """Refuse weights that would replace the configuration's bin centres by other ones."""
    if not isinstance(network.coding, AbBins):
        return
    centres, others = network.coding.centres, given.model.get("coding.centres")
    # Another number of them does not fit at all, as loading the weights will say.
    if others is not None and others.shape == centres.shape and not torch.equal(others, centres):
        raise CheckpointError(
            f"{source} has other bin centres than the configuration; the same were needed for "
            "--init; give the file that it was trained on as network.bins"
        )


def check_run_folder(run: Path) -> None:
    """Refuse a run folder that could not be written, before the data are read."""
    there = next(folder for folder in (run, *run.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise TrainingError(
            f"{run} cannot hold a training, {there} is no folder or not writable; a writable "
            "folder was needed; choose another with --run"
        )


def check_batch(config: TrainingConfig, dimensions: Dimensions, world: int) -> None:
    """Refuse a batch that batch norm or the processes cannot divide."""
    size = config.training.batch_size
    if size % world:
        raise ConfigError(
            f"training.batch_size is {size} for {world} processes; a multiple of their number was "
            "needed, since each takes the same share; mend the configuration"
        )
    # Batch norm takes its statistics over pictures and places; a vector has one place alone, and
    # the smallest map may have no more.
    smallest = 1 if dimensions.global_width else dimensions.training_size // dimensions.multiple
    if size * smallest < 2:
        raise ConfigError(
            "training.batch_size is 1 where a layer with batch norm has one value a channel; at "
            "least 2 pictures were needed for its statistics; mend the configuration"
        )


def check_labels(
    config: TrainingConfig, has_classifier: bool, pictures: PictureSet, validation: PictureSet
) -> None:
    """Refuse data whose scene classes a classifier could not be trained on."""
    if config.loss.alpha == 0 or not has_classifier:
        return
    for name, listed in (("training", pictures), ("validation", validation)):
        unlabelled = sum(sample.label is None for sample in listed.samples)
        if unlabelled:
            raise TrainingError(
                f"{unlabelled} of {len(listed)} {name} pictures have no class and alpha is "
                f"{config.loss.alpha:g}; labels were needed; add them or set loss.alpha to 0"
            )
    if validation.classes != pictures.classes:
        pairs = zip_longest(pictures.classes, validation.classes, fillvalue="none")
        one, other = next((a, b) for a, b in pairs if a != b)
        raise TrainingError(
            f"training data has {len(pictures.classes)} classes and validation data "
            f"{len(validation.classes)}, first {one!r} where the other has {other!r}; the same "
            "were needed; use one classes.txt"
        )
    classes = config.network.dimensions.get("classes")
    if classes is not None and classes != len(pictures.classes):
        raise TrainingError(
            f"the configuration says {classes} classes, the data have {len(pictures.classes)}; the "
            "same number was needed; mend network.dimensions.classes or leave it out"
        )


def check_finite(network: nn.Module, where: str, remedy: str) -> None:
    """Refuse weights that overflowed, before they replace good ones or are trained on.

    Args:
        network: whose whole state is looked at.
        where: says in the error when or in what it was found.
        remedy: what to do.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise TrainingError(
                f"{name} is not finite {where}; finite weights were needed; {remedy}"
            )


def start_again(path: Path) -> str:
    """What to do about a training that diverged, ``path`` being its checkpoint if it has one."""
    last = f" from the last checkpoint's weights with --init {path} and another --run"
    return "lower optimizer.learning_rate and start again" + (last if path.exists() else "")

"""Training configurations: TOML files read into frozen dataclasses, unknown entries refused."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from trtcolor.errors import ConfigError
from trtcolor.sections import section


@dataclass(frozen=True)
class Network:
    """Which network: a family's name and the dimensions that differ from the paper's.

    Attributes:
        family: name in `trtcolor_train.models.FAMILIES`.
        dimensions: entries of the family's dimensions, as plain data.
        encoder: file of ImageNet weights (torchvision's state dict of VGG16 or ResNet-18, ``.pth``
            or ``.safetensors``), below the data root; empty: the encoder starts from random ones.
        bins: ``.npy`` file of Q x 2 a*b* bin centres, below the data root, in the place of the
            family's own; empty: those of the stated rule.
    """

    family: str
    dimensions: dict[str, Any] = field(default_factory=dict)
    encoder: str = ""
    bins: str = ""


@dataclass(frozen=True)
class Data:
    """What to train on.

    Attributes:
        train, validation: where the pictures are, below the data root, as
            `trtcolor.dataset.open_pictures` takes it.
        description: of the pictures, for whoever gets the model.
        only: the one class whose pictures are taken; empty: all.
    """

    train: str
    validation: str
    description: str = ""
    only: str = ""


@dataclass(frozen=True)
class Augmentation:
    """How a training picture is varied.

    Attributes:
        crop: scale to 8/7 of the training size and crop at random (004, 3.4); False scales
            straight to the training size (003, 4.3).
        flip: mirror with probability 1/2.
        film: probability that the network sees a picture's lightness as on old film (augment.py).
        zoom: crops are enlarged by up to this factor, or
        reach: reduced by up to this one, and so sharper than the picture, which is mirrored where
            they reach beyond its edges; even in the logarithm of the factor. 1 and 1: neither.
        whole: share of the pictures that are left at their own pixels all the same.

    The last three have other values than these for resident pictures alone.
    """

    crop: bool = True
    flip: bool = True
    film: float = 0.0
    zoom: float = 1.0
    reach: float = 1.0
    whole: float = 0.0


@dataclass(frozen=True)
class Loss:
    """Colour loss + alpha x cross entropy (004, Eq. 6).

    Attributes:
        color: of regressions ``mse`` (003, 004), ``smooth_l1`` (quadratic below ``beta``, linear
            above) or ``huber`` (001, 3.5, with M = beta); of classifiers ``cross_entropy``.
        beta: in the unit of the family's coding.
        alpha: weight of the classification of scenes; 0 trains colours alone, and families without
            a classifier ignore it.
        reduction: ``mean`` over pixels, channels and pictures, for which alpha is 1/300 (004), or
            ``sum`` over picture and batch, for which 000 found alpha 5.
        rebalance: weigh pixels by the rarity of their colour bin (003, 3.4).
    """

    color: Literal["mse", "smooth_l1", "huber", "cross_entropy"] = "mse"
    beta: float = 0.05
    alpha: float = 1 / 300
    reduction: Literal["mean", "sum"] = "mean"
    rebalance: bool = False


@dataclass(frozen=True)
class Optimizer:
    """How the weights move.

    Attributes:
        name: ``adadelta`` (000, 004), ``adam`` (001, 003; its weight decay is an L2 penalty),
            ``nesterov`` (001 tried it) or ``adamw`` (weight decay apart from the gradient, of
            matrices only).
        learning_rate: after the warm-up.
        decay: Adadelta's rho, which 000 set to 0.95.
        betas: of Adam and AdamW.
        momentum: of Nesterov's method, 0.9 in 001.
        weight_decay: 0 for none.
        clip_norm: largest norm of the whole gradient, 5 in 003; 0: not clipped.
        schedule: constant, or half a cosine down to 0.
        warmup_steps: over which the rate rises from 0.
    """

    name: Literal["adadelta", "adam", "nesterov", "adamw"] = "adadelta"
    learning_rate: float = 1.0
    decay: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = 0


@dataclass(frozen=True)
class Training:
    """How long and in which steps.

    Attributes:
        steps: optimiser steps in all.
        batch_size: pictures a step, over all processes of a data-parallel training.
        seed: of weights, order, crops and flips.
        precision: ``bf16`` computes the layers in bfloat16 (AMX on recent Intel CPUs, any GPU since
            Ampere) over float32 weights.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations.
        validation_pictures: how many pictures these look at.
        loader_threads: threads that decode and convert ahead of the training.
        loader_processes: worker processes that do so in their place; 0: threads.
        resident: hold all pictures decoded in the device's memory and make the batches there
            (resident.py).
        minutes: end after so long from the first step of the training or of its resumption on, the
            validations in between included, the course of the learning rate squeezed to fit, if
            ``steps`` are not done by then; 0: never.
    """

    steps: int
    batch_size: int = 128
    seed: int = 0
    precision: Literal["float32", "bf16"] = "float32"
    checkpoint_every: int = 500
    validate_every: int = 1000
    validation_pictures: int = 256
    loader_threads: int = 2
    loader_processes: int = 0
    resident: bool = False
    minutes: float = 0.0


@dataclass(frozen=True)
class TrainingConfig:
    """One whole ``configs/NAME.toml``."""

    name: str
    network: Network
    data: Data
    training: Training
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    augmentation: Augmentation = Augmentation()


class Range(NamedTuple):
    """Which numbers an entry may have, and what to say was needed; NaN fits none."""

    fits: Callable[[float], bool]
    needed: str


COUNT = Range(lambda value: value >= 1, "a positive integer")
AMOUNT = Range(lambda value: 0 <= value < math.inf, "a number from 0")
SHARE = Range(lambda value: 0 <= value <= 1, "a number from 0 up to 1")
POSITIVE = Range(lambda value: 0 < value < math.inf, "a positive number")
FACTOR = Range(lambda value: 1 <= value <= 8, "a factor from 1 to 8")
SEED = Range(lambda value: 0 <= value < 2**63, "an integer from 0 to 2^63 - 1")
RANGES = {
    "training.steps": COUNT,
    "training.batch_size": COUNT,
    "training.checkpoint_every": COUNT,
    "training.validate_every": COUNT,
    "training.validation_pictures": COUNT,
    "training.loader_threads": COUNT,
    "training.loader_processes": AMOUNT,
    "training.minutes": AMOUNT,
    "training.seed": SEED,
    "augmentation.film": SHARE,
    "augmentation.zoom": FACTOR,
    "augmentation.reach": FACTOR,
    "augmentation.whole": SHARE,
    "loss.alpha": AMOUNT,
    "loss.beta": POSITIVE,
    "optimizer.learning_rate": POSITIVE,
    "optimizer.weight_decay": AMOUNT,
    "optimizer.clip_norm": AMOUNT,
    "optimizer.warmup_steps": AMOUNT,
    "optimizer.decay": SHARE,
    "optimizer.momentum": SHARE,
}


def read_config(path: str | os.PathLike[str], changes: Sequence[str] = ()) -> TrainingConfig:
    """Read a TOML configuration.

    Args:
        path: the file.
        changes: ``SECTION.ENTRY=VALUE`` in the place of what it says, values as in TOML; a value
            that is no TOML is taken as a text.

    Raises:
        ConfigError: not readable, no TOML, or an entry unknown, missing or impossible.
    """
    path = Path(path)
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is no readable TOML ({error}); a training configuration was needed; see "
            "train/configs for examples"
        ) from None
    for change in changes:
        _change(entries, change)
    return config_from_dict(entries, source=str(path))


def _change(entries: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    *sections, entry = key.strip().split(".")
    if not (equals and entry and all(sections)):
        raise ConfigError(
            f"the change {change!r} came; SECTION.ENTRY=VALUE was needed, for example "
            "training.steps=100; mend it"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for part in sections:
        entries = entries.setdefault(part, {})
        if not isinstance(entries, dict):
            raise ConfigError(
                f"the change {change!r} came, but {part} is no section; the name of an entry "
                "of a section was needed; mend it"
            )
    entries[entry] = value


def config_from_dict(entries: Mapping[str, Any], *, source: str) -> TrainingConfig:
    """Build a configuration from plain data, as read from TOML or from a checkpoint.

    Raises:
        ConfigError: an entry is unknown, missing or impossible.
    """
    config = section(TrainingConfig, entries, source)
    for name, (fits, needed) in RANGES.items():
        part, entry = name.split(".")
        value = getattr(getattr(config, part), entry)
        if not fits(value):
            raise ConfigError(f"{source}: {name} is {value}; {needed} was needed; mend the file")
    optimizer = config.optimizer
    if not all(0 <= beta < 1 for beta in optimizer.betas):
        raise ConfigError(
            f"{source}: optimizer.betas is {list(optimizer.betas)}; two numbers from 0 to below 1 "
            "were needed; mend the file"
        )
    if optimizer.name == "nesterov" and optimizer.momentum == 0:
        raise ConfigError(
            f"{source}: optimizer.momentum is 0; a positive number was needed for Nesterov's "
            "method; mend the file"
        )
    if not config.training.resident and (scaled := _scaled_crops(config.augmentation)):
        raise ConfigError(
            f"{source}: augmentation.{scaled} and training.resident false; resident pictures were "
            "needed, as no others are cropped so; set training.resident to true, or leave it out"
        )
    return config


def _scaled_crops(augmentation: Augmentation) -> str | None:
    """The first entry that asks for crops other than the papers', as text."""
    plain = Augmentation()
    for name in ("zoom", "reach", "whole"):
        if (value := getattr(augmentation, name)) != getattr(plain, name):
            return f"{name} is {value}"
    return None

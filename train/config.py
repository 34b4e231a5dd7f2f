"""Training configurations: TOML files read into frozen dataclasses, unknown entries refused."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from trtcolor.errors import ConfigError

Section = TypeVar("Section")


@dataclass(frozen=True)
class Network:
    """Which network: a family's name and the dimensions that differ from the paper's."""

    family: str
    dimensions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Where the pictures are, as `trtcolor.dataset.open_pictures` takes it, below the data root."""

    train: str
    validation: str
    description: str = ""


@dataclass(frozen=True)
class Loss:
    """Colour loss + alpha x cross entropy (004, Eq. 6).

    Attributes:
        color: ``mse`` (004) or ``smooth_l1`` (quadratic below ``beta``, linear above).
        beta: in the units of the loss, a*b* / 220.
        alpha: weight of the classification loss; 0 trains colours alone.
        reduction: ``mean`` over pixels, channels and pictures, for which alpha is 1/300 (004), or
            ``sum`` over picture and batch, for which 000 found alpha 5.
    """

    color: Literal["mse", "smooth_l1"] = "mse"
    beta: float = 0.05
    alpha: float = 1 / 300
    reduction: Literal["mean", "sum"] = "mean"


@dataclass(frozen=True)
class Optimizer:
    """Adadelta (004) or AdamW; ``decay`` is Adadelta's rho, which 000 set to 0.95."""

    name: Literal["adadelta", "adamw"] = "adadelta"
    learning_rate: float = 1.0
    decay: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = 0


@dataclass(frozen=True)
class Training:
    """How long and in which steps.

    Attributes:
        steps: optimiser steps in all.
        batch_size: pictures a step.
        seed: of weights, order, crops and flips.
        precision: ``bf16`` computes the layers in bfloat16 (AMX on recent Intel CPUs, any GPU since
            Ampere) over float32 weights.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations.
        validation_pictures: how many pictures these look at.
        loader_threads: threads that decode and convert ahead of the training.
    """

    steps: int
    batch_size: int = 128
    seed: int = 0
    precision: Literal["float32", "bf16"] = "float32"
    checkpoint_every: int = 500
    validate_every: int = 1000
    validation_pictures: int = 256
    loader_threads: int = 2


@dataclass(frozen=True)
class TrainingConfig:
    """One whole ``configs/NAME.toml``."""

    name: str
    network: Network
    data: Data
    training: Training
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()


def read_config(path: str | os.PathLike[str]) -> TrainingConfig:
    """Read a TOML configuration.

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
    return config_from_dict(entries, source=str(path))


def config_from_dict(entries: Mapping[str, Any], *, source: str) -> TrainingConfig:
    """Build a configuration from plain data, as read from TOML or from a checkpoint.

    Raises:
        ConfigError: an entry is unknown, missing or impossible.
    """
    config = _section(TrainingConfig, entries, source)
    counts = {
        "training.steps": config.training.steps,
        "training.batch_size": config.training.batch_size,
        "training.checkpoint_every": config.training.checkpoint_every,
        "training.validate_every": config.training.validate_every,
        "training.validation_pictures": config.training.validation_pictures,
        "training.loader_threads": config.training.loader_threads,
    }
    for name, value in counts.items():
        if value < 1:
            raise ConfigError(
                f"{source}: {name} is {value}; a positive integer was needed; mend the file"
            )
    if not 0 <= config.training.seed < 2**63:
        raise ConfigError(
            f"{source}: training.seed is {config.training.seed}; an integer from 0 to 2^63 - 1 was "
            "needed; mend the file"
        )
    rate = config.optimizer.learning_rate
    if not (math.isfinite(rate) and rate > 0):
        raise ConfigError(
            f"{source}: optimizer.learning_rate is {rate}; a positive number was needed; mend the "
            "file"
        )
    return config


def _section(kind: type[Section], entries: Any, where: str) -> Section:
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} is {entries!r}; a table of entries was needed; mend the file")
    hints = get_type_hints(kind)
    unknown = sorted(set(entries) - set(hints))
    if unknown:
        raise ConfigError(
            f"{where} has unknown entries {', '.join(unknown)}; only {', '.join(hints)} were "
            "needed; mend the file"
        )
    values = {
        name: _value(hints[name], value, f"{where}: {name}") for name, value in entries.items()
    }
    try:
        return kind(**values)
    except TypeError:
        known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
        missing = ", ".join(sorted(known - set(entries)))
        raise ConfigError(
            f"{where} lacks an entry without default, one of {missing}; mend the file"
        ) from None


def _value(hint: Any, value: Any, where: str) -> Any:
    if hasattr(hint, "__dataclass_fields__"):
        return _section(hint, value, where)
    choices = get_args(hint) if getattr(hint, "__origin__", None) is Literal else ()
    if choices:
        if value not in choices:
            raise ConfigError(
                f"{where} is {value!r}; one of {', '.join(choices)} was needed; mend the file"
            )
        return value
    kind = getattr(hint, "__origin__", hint)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ConfigError(
            f"{where} is {value!r}; a value of type {kind.__name__} was needed; mend the file"
        )
    return value

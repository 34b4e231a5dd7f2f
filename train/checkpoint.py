"""Checkpoints: one safetensors file of tensors and JSON, safe to load from strangers.

Written under a temporary name and renamed, so that a training killed at any moment finds the last
whole one. Holds the weights, the optimiser's state and the step; the order of the pictures and
their crops follow from seed and step (data.py), so nothing else is needed to go on.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from trtcolor.errors import CheckpointError
from trtcolor_train.config import TrainingConfig, config_from_dict

FORMAT_VERSION = "2"


@dataclass(frozen=True)
class Checkpoint:
    """A training's state after ``step`` optimiser steps.

    Attributes:
        config: what the training was asked to do; names the family.
        dimensions: all of the network's, as plain data, so that later defaults change nothing.
        step: optimiser steps done.
        model: the network's state dict.
        optimizer: the optimiser's state dict, empty in a checkpoint that is weights only.
        classes: scene names by label.
        random_state: torch's CPU generator.
        data: what the training saw (counts, fingerprint), plain data.
    """

    config: TrainingConfig
    dimensions: dict[str, Any]
    step: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    classes: tuple[str, ...]
    random_state: Tensor
    data: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically: temporary name, flush to disk, rename.

    Raises:
        CheckpointError: the disk is full or the folder not writable; the previous file stays.
    """
    tensors = {f"model.{name}": tensor for name, tensor in checkpoint.model.items()}
    tensors["random_state"] = checkpoint.random_state
    scalars: dict[str, dict[str, Any]] = {}
    for index, state in checkpoint.optimizer.get("state", {}).items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
            else:
                scalars.setdefault(str(index), {})[name] = value
    header = {
        "config": asdict(checkpoint.config),
        "dimensions": checkpoint.dimensions,
        "step": checkpoint.step,
        "classes": checkpoint.classes,
        "data": checkpoint.data,
        "optimizer_scalars": scalars,
        "optimizer_groups": checkpoint.optimizer.get("param_groups", []),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={"trtcolor": FORMAT_VERSION, "header": json.dumps(header)},
        )
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} could not be written ({error}); free space in a writable folder was needed; "
            "the previous checkpoint is untouched"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint; tensors stay on the CPU.

    Raises:
        CheckpointError: missing, damaged, or not a checkpoint of this program.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"no checkpoint at {path}; a .safetensors file written by 'trtcolor train' was needed; "
            "check the path"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("trtcolor") != FORMAT_VERSION:
            raise ValueError(f"format {metadata.get('trtcolor')!r}")
        header = json.loads(metadata["header"])
        config = config_from_dict(header["config"], source=str(path))
        state: dict[int, dict[str, Any]] = {
            int(index): dict(values) for index, values in header["optimizer_scalars"].items()
        }
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, index, entry = name.split(".", 2)
                state.setdefault(int(index), {})[entry] = tensor
        return Checkpoint(
            config=config,
            dimensions=dict(header["dimensions"]),
            step=int(header["step"]),
            model={
                name.removeprefix("model."): tensor
                for name, tensor in tensors.items()
                if name.startswith("model.")
            },
            optimizer={"state": state, "param_groups": header["optimizer_groups"]},
            classes=tuple(header["classes"]),
            random_state=tensors["random_state"],
            data=header["data"],
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no whole trtcolor checkpoint ({error}); a file written by 'trtcolor train' "
            "was needed; take an earlier one"
        ) from None


def load_weights(network: torch.nn.Module, checkpoint: Checkpoint, *, source: str) -> None:
    """Put a checkpoint's weights into a network.

    Raises:
        CheckpointError: names or shapes differ: another family or other dimensions.
    """
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in checkpoint.model.items()}
    differing = sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
    if differing:
        raise CheckpointError(
            f"{source} holds weights of {checkpoint.config.network.family!r} that do not fit this "
            f"network ({len(differing)} entries differ, first {differing[0]}: "
            f"{found.get(differing[0])} came, {expected.get(differing[0])} was needed); give a "
            "checkpoint of the same family and dimensions"
        )
    network.load_state_dict(checkpoint.model)

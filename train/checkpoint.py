"""Checkpoints: one safetensors file of tensors and JSON, safe to load from strangers.

Written under a temporary name and renamed, so that a training killed at any moment finds the last
whole one. Holds the weights, the optimiser's state and the step; the order of the pictures and
their crops follow from seed and step (data.py), so nothing else is needed to go on.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from trtcolor.errors import CheckpointError
from trtcolor_train.config import TrainingConfig, config_from_dict

FORMAT_VERSION = "2"

# What reading a file that is damaged, or was made to look like a checkpoint, may end in.
DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


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
        data: what the training saw (counts, fingerprint, mean colour), plain data.
        seconds: of training so far, validations not counted; None: not known.
        start: what the weights were before the first step, in words; None: not known.
    """

    config: TrainingConfig
    dimensions: dict[str, Any]
    step: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    classes: tuple[str, ...]
    random_state: Tensor
    data: dict[str, Any]
    seconds: float | None = None
    start: str | None = None


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
        "seconds": checkpoint.seconds,
        "start": checkpoint.start,
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


def load_checkpoint(path: str | os.PathLike[str], *, optimizer: bool = True) -> Checkpoint:
    """Read a checkpoint; tensors stay on the CPU.

    Args:
        path: the file.
        optimizer: whether to read the optimiser's state too, which may be twice the weights; if
            not, it is empty.

    Raises:
        CheckpointError: missing, damaged, or not a checkpoint of this program.
        ConfigError: its configuration has an unknown, missing or impossible entry.
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
            if metadata.get("trtcolor") != FORMAT_VERSION:
                raise ValueError(f"format {metadata.get('trtcolor')!r}")
            tensors = {
                name: file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118
                if optimizer or not name.startswith("optimizer.")
            }
        header = json.loads(metadata["header"])
        _check_header(header)
        _check_tensors(tensors)
        return Checkpoint(
            config=config_from_dict(header["config"], source=str(path)),
            dimensions=header["dimensions"],
            step=header["step"],
            model={
                name.removeprefix("model."): tensor
                for name, tensor in tensors.items()
                if name.startswith("model.")
            },
            optimizer=_optimizer_state(header, tensors) if optimizer else {},
            classes=tuple(header["classes"]),
            random_state=tensors["random_state"],
            data=header["data"],
            seconds=header.get("seconds"),
            start=header.get("start"),
        )
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is no whole trtcolor checkpoint ({error}); a file written by 'trtcolor train' "
            "was needed; take an earlier one"
        ) from None


def _check_header(header: dict[str, Any]) -> None:
    """Raise ValueError about the first entry of another form."""
    classes, groups, step = header["classes"], header["optimizer_groups"], header["step"]
    data, scalars = header["data"], header["optimizer_scalars"]
    seconds, start = header.get("seconds"), header.get("start")  # not in earlier checkpoints
    forms = {
        "step": ("an integer from 0", type(step) is int and step >= 0),
        "dimensions": ("a table", isinstance(header["dimensions"], dict)),
        "classes": (
            "a list of names",
            isinstance(classes, list) and all(isinstance(name, str) for name in classes),
        ),
        "data": (
            "a table with a text as fingerprint",
            isinstance(data, dict) and isinstance(data.get("fingerprint", ""), str | None),
        ),
        "seconds": (
            "a number from 0 or nothing",
            seconds is None or (type(seconds) in (int, float) and 0 <= seconds < math.inf),
        ),
        "start": ("a text or nothing", isinstance(start, str | None)),
        "optimizer_groups": (
            "a list of tables",
            isinstance(groups, list) and all(isinstance(group, dict) for group in groups),
        ),
        "optimizer_scalars": (
            "a table of tables",
            isinstance(scalars, dict) and all(isinstance(v, dict) for v in scalars.values()),
        ),
    }
    for name, (needed, fits) in forms.items():
        if not fits:
            raise ValueError(f"{name} is {shortened(header.get(name))} and not {needed}")
    # JSON may hold halves of characters, which no file could be written with.
    json.dumps(header, ensure_ascii=False).encode()


def _check_tensors(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError about the first tensor of another type."""
    for name, tensor in tensors.items():
        counts = name.endswith(".num_batches_tracked") and tensor.dtype == torch.int64
        if name.startswith("model.") and not (tensor.is_floating_point() or counts):
            raise ValueError(f"{name} is {tensor.dtype} and not of floating-point numbers")
    state = tensors["random_state"]
    try:
        torch.Generator().set_state(state)
    except (RuntimeError, TypeError):
        raise ValueError(
            f"random_state is {state.dtype} {tuple(state.shape)} and no state of torch's CPU "
            "generator"
        ) from None


def _optimizer_state(header: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The optimiser's state dict of JSON and tensors named ``optimizer.INDEX.ENTRY``."""
    state: dict[int, dict[str, Any]] = {
        int(index): values for index, values in header["optimizer_scalars"].items()
    }
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, entry = name.split(".", 2)
            state.setdefault(int(index), {})[entry] = tensor
    return {"state": state, "param_groups": header["optimizer_groups"]}


def check_weights(network: torch.nn.Module, checkpoint: Checkpoint, *, source: str) -> None:
    """Refuse a checkpoint whose weights have other names or shapes than the network's.

    Args:
        network: may be on the meta device, as its numbers are not looked at.
        checkpoint: whose weights are to fit.
        source: what to call it in an error.

    Raises:
        CheckpointError: they differ: another family or other dimensions.
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


def load_weights(network: torch.nn.Module, checkpoint: Checkpoint, *, source: str) -> None:
    """Put a checkpoint's weights into a network.

    Raises:
        CheckpointError: as from `check_weights`.
    """
    check_weights(network, checkpoint, source=source)
    network.load_state_dict(checkpoint.model)

"""A configuration's network: the family's, with the files of bins and weights that it names."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from trtcolor.errors import CheckpointError, ConfigError
from trtcolor_train.bins import AbBins, ab_bin_centres
from trtcolor_train.checkpoint import Checkpoint, check_weights, load_weights
from trtcolor_train.config import TrainingConfig
from trtcolor_train.decoder import BinCoding
from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork


def build_network(config: TrainingConfig, classes: int, data_root: Path) -> ColorNetwork:
    """The network that a configuration asks for, with fresh weights but for its encoder's.

    Args:
        config: the whole configuration; loss and family are held against each other.
        classes: scene classes of the data, for families with a classifier.
        data_root: folder that the configuration's paths are relative to.

    Raises:
        ConfigError: an entry does not fit the family, or a file that it names cannot be used.
    """
    dimensions: dict[str, Any] = dict(config.network.dimensions)
    if family(config.network.family).resolve(dimensions).classes:
        # Without its loss a classifier would stay as it was drawn, and name scenes at random.
        dimensions["classes"] = classes if config.loss.alpha > 0 else 0
    centres = None
    if config.network.bins:
        centres = read_bins(data_root / config.network.bins)
        if hasattr(family(config.network.family).dimensions, "bins"):
            dimensions["bins"] = len(centres)
    network = family(config.network.family).build(dimensions)
    check_loss(network, config)
    if centres is not None:
        if not isinstance(network.coding, AbBins):
            raise ConfigError(
                f"network.bins came for {config.network.family!r}, whose output is no a*b* bins; a "
                "family with such bins was needed; leave network.bins out"
            )
        network.coding.set_centres(centres)
    elif isinstance(network.coding, AbBins) and network.coding.channels != len(ab_bin_centres()):
        raise ConfigError(
            f"network.dimensions.bins is {network.coding.channels} without a file of their "
            f"centres; {len(ab_bin_centres())} have a rule; give the file as network.bins or leave "
            "bins out"
        )
    if config.network.encoder:
        path = data_root / config.network.encoder
        network.load_encoder(read_state(path), source=str(path))
    return network


def network_from_checkpoint(checkpoint: Checkpoint, *, source: str) -> ColorNetwork:
    """The trained network, in evaluation mode.

    Raises:
        CheckpointError: the weights do not fit the family and dimensions that the checkpoint names.
        ConfigError: no such family, or dimensions that no network of it has.
    """
    name = checkpoint.config.network.family
    resolved = family(name).resolve(checkpoint.dimensions)
    missing = sorted(set(asdict(resolved)) - set(checkpoint.dimensions))
    if missing:
        raise CheckpointError(
            f"{source} lacks the dimensions {', '.join(missing)} of {name!r}; a checkpoint that "
            "says all of them was needed; train it again"
        )
    # A small file may name large dimensions: memory is taken once its tensors are seen to fit.
    with torch.device("meta"):
        check_weights(family(name).build(checkpoint.dimensions), checkpoint, source=source)
    network = family(name).build(checkpoint.dimensions)
    load_weights(network, checkpoint, source=source)
    return network.eval()


def read_bins(path: Path) -> NDArray[np.float32]:
    """Bin centres from a ``.npy`` file: (Q, 2) float32 a*b*.

    Raises:
        ConfigError: no such array, or centres that are not finite, not distinct or too few.
    """
    try:
        centres = np.load(path, allow_pickle=False)
    except Exception as error:  # a reader of broken bytes may raise nearly anything
        raise ConfigError(
            f"{path} cannot be read as an array ({error}); a .npy file of Q x 2 a*b* was needed; "
            "check network.bins"
        ) from None
    numeric = isinstance(centres, np.ndarray) and centres.dtype.kind in "iuf"
    if not (numeric and centres.ndim == 2 and centres.shape[1] == 2 and len(centres) >= 10):
        shape = getattr(centres, "shape", None)
        raise ConfigError(
            f"{path} holds {getattr(centres, 'dtype', type(centres))} of shape {shape}; Q x 2 "
            "numbers with Q of at least 10 were needed; check network.bins"
        )
    # Clipped, as float64 goes beyond float32.
    found = np.ascontiguousarray(np.clip(centres, -200.0, 200.0), dtype=np.float32)
    if not (np.abs(found) <= 128).all() or len(np.unique(found, axis=0)) < len(found):
        raise ConfigError(
            f"{path} holds centres beyond 128, not finite or twice the same; distinct a*b* were "
            "needed; check network.bins"
        )
    return found


def check_loss(network: ColorNetwork, config: TrainingConfig) -> None:
    """Refuse a loss that does not fit what the network predicts."""
    name, loss = config.network.family, config.loss
    classifies = isinstance(network.coding, BinCoding)
    if classifies != (loss.color == "cross_entropy"):
        needed = "cross_entropy" if classifies else "mse, smooth_l1 or huber"
        raise ConfigError(
            f"loss.color is {loss.color!r} for {name!r}; {needed} was needed for what this family "
            "predicts; mend the configuration"
        )
    if loss.rebalance and not isinstance(network.coding, AbBins):
        raise ConfigError(
            f"loss.rebalance came for {name!r}, which has no a*b* bins; olah2022-cnn or "
            "olah2022-unet was needed; leave it out"
        )


def read_state(path: Path) -> dict[str, Tensor]:
    """A state dict from ``.safetensors``, or from torch's own file without running its code.

    Raises:
        ConfigError: no such file, or no state dict in it.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # as of an array
        reason = str(error).strip().partition("\n")[0]
        if isinstance(error, pickle.UnpicklingError):  # torch would tell how to run the code
            reason = "it is damaged or holds other than tensors"
        raise ConfigError(
            f"{path} cannot be read as weights ({reason}); a state dict as .safetensors or .pth "
            "was needed; check network.encoder"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ConfigError(
            f"{path} holds a {type(state).__name__} that is no state dict; tensors by name were "
            "needed; save model.state_dict()"
        )
    return state

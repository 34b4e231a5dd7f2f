"""What a checkpoint, and the model exported from it, says of where its colours come from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from trtcolor.dataset import FilterCounts, PictureSet
from trtcolor_train.checkpoint import Checkpoint
from trtcolor_train.config import TrainingConfig


def seen_pictures(
    config: TrainingConfig, data_root: Path, pictures: PictureSet, counts: FilterCounts
) -> dict[str, Any]:
    """What is said of the training pictures, as plain data.

    Args:
        config: describes them, and names their place below ``data_root``.
        pictures, counts: as from `trtcolor.dataset.drop_colourless`.
    """
    assert pictures.mean_chroma is not None
    return {
        "description": config.data.description,
        # A path of this machine has no place in a published model.json.
        "source": "/".join((data_root / config.data.train).parts[-2:]),
        "train": asdict(counts),
        "fingerprint": pictures.fingerprint,
        "mean_chroma": [round(value, 4) for value in pictures.mean_chroma],
    }


def first_weights(config: TrainingConfig, given: Checkpoint | None) -> str:
    """What the weights are before the first step: random, an encoder's or another training's."""
    if given is not None:
        earlier = f", itself from {given.start}" if given.start else ""
        return f"{given.config.name} after {given.step} steps{earlier}"
    if config.network.encoder:
        return f"the encoder's weights in {Path(config.network.encoder).name}, the rest random"
    return "random weights"

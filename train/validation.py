"""Measuring a network in training on the validation pictures."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.dataset import PictureSet
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor_train.config import TrainingConfig
from trtcolor_train.data import validation_batches
from trtcolor_train.losses import joint_loss
from trtcolor_train.models.network import ColorNetwork

SHEET_PICTURES = 16


@dataclass(frozen=True)
class Validation:
    """Measured on the validation pictures at training size.

    Attributes:
        loss: the joint loss of all pictures; where it is a sum, of as many as a step's batch has.
        ciede2000: mean over pictures of the mean over pixels.
        ciede2000_grey: the same for leaving the pictures grey.
        colourfulness: Hasler-Suesstrunk, mean over pictures.
        colourfulness_original: the same of the originals.
        top1: share of pictures whose scene was named right; None without a classifier.
    """

    loss: float
    ciede2000: float
    ciede2000_grey: float
    colourfulness: float
    colourfulness_original: float
    top1: float | None

    def __str__(self) -> str:
        scenes = "" if self.top1 is None else f", top-1 {self.top1:.1%}"
        return (
            f"CIEDE2000 {self.ciede2000:.3f} (grey {self.ciede2000_grey:.3f}), colourfulness "
            f"{self.colourfulness:.1f} (originals {self.colourfulness_original:.1f}){scenes}"
        )


@torch.no_grad()
def validate(
    network: ColorNetwork,
    pictures: PictureSet,
    config: TrainingConfig,
    device: torch.device,
    batch_size: int,
) -> tuple[Validation, NDArray[np.uint8]]:
    """Measure on the first validation pictures; also a sheet grey | predicted | original.

    Args:
        network: in training mode, and left in it.
        pictures: of which the first ``training.validation_pictures`` are taken.
        config: says the loss and the precision.
        device: where the network is.
        batch_size: pictures at a time.

    Returns:
        The figures, and uint8 RGB (rows * S, 3 * S, 3).
    """
    size, scale = network.dimensions.training_size, network.dimensions.chroma_scale
    summed = config.loss.reduction == "sum"
    losses: list[float] = []  # summed over the pictures of a batch
    scores: list[tuple[float, float, float, float]] = []
    right: list[bool] = []
    rows: list[NDArray[np.uint8]] = []
    network.eval()
    for batch in validation_batches(
        pictures, size, batch_size, config.training.validation_pictures
    ):
        lightness = batch.lightness.to(device, memory_format=torch.channels_last)
        with autocast(device, config.training.precision):
            prediction = network(lightness)
        output = prediction.output.float()
        target = network.coding.target(batch.lab.to(device), scale)
        labels = None if batch.labels is None else batch.labels.to(device)
        color_loss = network.coding.loss(output, target, config.loss)
        terms = joint_loss(color_loss, prediction.class_logits, labels, config.loss)
        decoded = network.decode(output, lightness).cpu().numpy()
        losses.append(float(terms.total) * (1 if summed else len(batch.lab)))
        if prediction.class_logits is not None and labels is not None:
            right += (prediction.class_logits.argmax(1) == labels).tolist()
        for true_lab, chroma in zip(batch.lab.numpy(), decoded, strict=True):
            original = color.rgb_from_lab(true_lab.transpose(1, 2, 0))
            plane = np.ascontiguousarray(true_lab[0])
            coloured = color.merge_lab(plane, chroma, scale=scale)
            grey = color.merge_lab(plane, np.zeros_like(chroma), scale=scale)
            scores.append(
                (
                    mean_ciede2000(coloured, original),
                    mean_ciede2000(grey, original),
                    colourfulness(coloured),
                    colourfulness(original),
                )
            )
            if len(rows) < SHEET_PICTURES:
                rows.append(np.concatenate([grey, coloured, original], axis=1))
    network.train()
    mean = np.mean(scores, axis=0)
    measured = Validation(
        loss=sum(losses) / len(scores) * (config.training.batch_size if summed else 1),
        ciede2000=float(mean[0]),
        ciede2000_grey=float(mean[1]),
        colourfulness=float(mean[2]),
        colourfulness_original=float(mean[3]),
        top1=float(np.mean(right)) if right else None,
    )
    return measured, np.concatenate(rows)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Where the layers compute in bfloat16, if the precision says so."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)

"""From pictures to batches: decode, scale, crop, flip, age, convert, ahead of the training.

A batch is a function of (seed, step) and nothing else, so that a resumed training sees exactly
what an unbroken one would have seen, and so that several processes see together what one would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trtcolor import color
from trtcolor.dataset import PictureSet, Sample, decode
from trtcolor_train.ahead import by_processes, by_threads
from trtcolor_train.augment import aged_lightness
from trtcolor_train.config import Augmentation

Plane = NDArray[np.float32]


class Batch(NamedTuple):
    """One step's pictures.

    Attributes:
        lightness: (N, 1, S, S) float32, L* in 0..100 that the network sees, aged where the picture
            was chosen for it.
        lab: (N, 3, S, S) float32, the true CIE L*a*b* in real units.
        labels: (N,) int64, or None where a picture has none.
    """

    lightness: Tensor
    lab: Tensor
    labels: Tensor | None


def scaled_side(training_size: int) -> int:
    """Side that pictures are scaled to before the random crop: 8/7 (004, 3.4: 256 for 224)."""
    return round(training_size * 8 / 7)


def order(pictures: int, batch_size: int, step: int, seed: int) -> NDArray[np.int64]:
    """Indices of the pictures of a step: a new permutation each epoch, the rest left out.

    Where there are fewer pictures than a batch needs, they are repeated.
    """
    per_epoch = max(pictures // batch_size, 1)
    epoch, position = divmod(step, per_epoch)
    places = np.arange(position * batch_size, (position + 1) * batch_size)
    return _permutation(pictures, seed, epoch).take(places, mode="wrap")


@lru_cache(maxsize=2)  # two, as batches made ahead at an epoch's end belong to either
def _permutation(pictures: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(pictures)


def own_part(batch_size: int, rank: int, world: int) -> range:
    """Positions in a batch of the ``rank``-th of ``world`` contiguous parts.

    Raises:
        ValueError: ``world`` does not divide the batch.
    """
    if batch_size % world:
        raise ValueError(
            f"a batch of {batch_size} came for {world} processes; a multiple was needed; change "
            "either"
        )
    share = batch_size // world
    return range(rank * share, (rank + 1) * share)


def augmented(
    sample: Sample, training_size: int, augmentation: Augmentation, random: np.random.Generator
) -> tuple[Plane, Plane]:
    """A picture cropped, flipped and aged as chance and ``augmentation`` have it.

    Returns:
        The lightness to show, float32 (1, S, S), and the true L*a*b*, float32 (3, S, S).

    Raises:
        DataError: the picture cannot be read (any more).
    """
    side = scaled_side(training_size) if augmentation.crop else training_size
    rgb = decode(sample, side)
    y, x = random.integers(0, side - training_size + 1, size=2)
    rgb = rgb[y : y + training_size, x : x + training_size]
    if random.random() < 0.5 and augmentation.flip:
        rgb = rgb[:, ::-1]
    lab = _lab(rgb)
    if random.random() < augmentation.film:
        return aged_lightness(rgb, random)[None], lab
    return lab[:1], lab


def training_batch(
    pictures: PictureSet,
    training_size: int,
    batch_size: int,
    step: int,
    seed: int,
    augmentation: Augmentation,
    rank: int = 0,
    world: int = 1,
) -> Batch:
    """The batch of a step, or the part of it that one of several processes trains on.

    Args:
        pictures: what to choose from.
        training_size: S, in pixels.
        batch_size: pictures in the whole batch; ``world`` divides it.
        step: from 0.
        seed: of the order and of what is done to each picture.
        augmentation: what may be done to it.
        rank: gives the ``rank``-th of ``world`` contiguous parts of the batch.
        world: the number of processes.

    Raises:
        DataError: a picture cannot be read any more.
        ValueError: ``world`` does not divide the batch.
    """
    positions = own_part(batch_size, rank, world)
    indices = order(len(pictures), batch_size, step, seed)
    samples = [pictures.samples[indices[position]] for position in positions]
    # NumPy takes (seed, epoch) and (seed, epoch, 0, 0) for the same seed: the 1 tells these from
    # the generators of `order`.
    shown = [
        augmented(sample, training_size, augmentation, np.random.default_rng((seed, step, i, 1)))
        for i, sample in zip(positions, samples, strict=True)
    ]
    lab = torch.from_numpy(np.stack([truth for _, truth in shown]))
    if augmentation.film:
        lightness = torch.from_numpy(np.stack([seen for seen, _ in shown]))
    else:
        lightness = lab[:, :1].contiguous()  # or pinned memory would not reach the GPU in one copy
    return Batch(lightness, lab, _labels(samples))


def training_batches(
    pictures: PictureSet,
    training_size: int,
    batch_size: int,
    *,
    first: int,
    last: int,
    seed: int,
    augmentation: Augmentation,
    threads: int,
    processes: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """The batches of steps ``first`` to ``last - 1`` in order, made ahead.

    Args:
        pictures, training_size, batch_size, seed, augmentation, rank, world: see `training_batch`.
        first: step to begin with.
        last: step to end before.
        threads: how many make batches where ``processes`` is 0.
        processes: how many make batches; each does so in one thread.

    Returns:
        The batches, in pinned memory where there is a CUDA device to copy them to.

    Raises:
        DataError: a picture cannot be read any more.
        TrainingError: a process died.
    """
    make = partial(
        training_batch,
        pictures,
        training_size,
        batch_size,
        seed=seed,
        augmentation=augmentation,
        rank=rank,
        world=world,
    )
    steps = range(first, last)
    if processes:
        return by_processes(make, steps, processes)
    if torch.cuda.is_available():
        return by_threads(lambda step: _pinned(make(step)), steps, threads)
    return by_threads(make, steps, threads)


def validation_batches(
    pictures: PictureSet, training_size: int, batch_size: int, count: int
) -> Iterator[Batch]:
    """The first ``count`` pictures scaled to the training size, nothing else done to them.

    Raises:
        DataError: a picture cannot be read any more.
    """
    samples = pictures.samples[:count]
    for start in range(0, len(samples), batch_size):
        part = samples[start : start + batch_size]
        lab = torch.from_numpy(np.stack([_lab(decode(sample, training_size)) for sample in part]))
        yield Batch(lab[:, :1], lab, _labels(part))


def _lab(rgb: NDArray[np.uint8]) -> Plane:
    """(H, W, 3) sRGB -> (3, H, W) L*a*b*, by the calling thread alone: it is one of several."""
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    return color.lab_from_rgb(planes, layout="chw", threads=1)


def _labels(samples: Sequence[Sample]) -> Tensor | None:
    labels = [sample.label for sample in samples]
    return None if None in labels else torch.tensor(labels, dtype=torch.int64)


def _pinned(batch: Batch) -> Batch:
    labels = None if batch.labels is None else batch.labels.pin_memory()
    return Batch(batch.lightness.pin_memory(), batch.lab.pin_memory(), labels)

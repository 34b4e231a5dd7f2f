"""From pictures to batches: decode, scale, crop, flip, convert, ahead of the training.

A batch is a function of (seed, step) and nothing else, so that a resumed training sees exactly
what an unbroken one would have seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trtcolor import color
from trtcolor.dataset import PictureSet, Sample, decode

BATCHES_AHEAD = 4


class Batch(NamedTuple):
    """One step's pictures.

    Attributes:
        lab: (N, 3, S, S) float32, CIE L*a*b* in real units.
        labels: (N,) int64, or None where a picture has none.
    """

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
    permutation = np.random.default_rng((seed, epoch)).permutation(pictures)
    start = position * batch_size
    return np.resize(permutation, max(pictures, batch_size))[start : start + batch_size]


def augmented_lab(
    sample: Sample, training_size: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Scale to 8/7, crop at random, flip with probability 1/2 (004, 3.4): Lab (3, S, S)."""
    side = scaled_side(training_size)
    rgb = decode(sample, side)
    y, x = random.integers(0, side - training_size + 1, size=2)
    crop = rgb[y : y + training_size, x : x + training_size]
    if random.random() < 0.5:
        crop = crop[:, ::-1]
    return color.lab_from_rgb(np.ascontiguousarray(crop.transpose(2, 0, 1)), layout="chw")


def training_batch(
    pictures: PictureSet, training_size: int, batch_size: int, step: int, seed: int
) -> Batch:
    """The batch of a step."""
    indices = order(len(pictures), batch_size, step, seed)
    samples = [pictures.samples[i] for i in indices]
    random = np.random.default_rng((seed, step, 1))
    lab = np.stack([augmented_lab(sample, training_size, random) for sample in samples])
    return Batch(torch.from_numpy(lab), _labels(samples))


def training_batches(
    pictures: PictureSet,
    training_size: int,
    batch_size: int,
    *,
    first: int,
    last: int,
    seed: int,
    threads: int,
) -> Iterator[Batch]:
    """The batches of steps ``first`` to ``last - 1`` in order, made ahead by ``threads``."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Batch]] = deque()
        steps = iter(range(first, last))
        try:
            while True:
                while (
                    len(waiting) < max(BATCHES_AHEAD, threads)
                    and (step := next(steps, None)) is not None
                ):
                    waiting.append(
                        pool.submit(training_batch, pictures, training_size, batch_size, step, seed)
                    )
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def validation_batches(
    pictures: PictureSet, training_size: int, batch_size: int, count: int
) -> Iterator[Batch]:
    """The first ``count`` pictures scaled to the training size, neither cropped nor flipped."""
    samples = pictures.samples[:count]
    for start in range(0, len(samples), batch_size):
        part = samples[start : start + batch_size]
        lab = np.stack(
            [
                color.lab_from_rgb(
                    np.ascontiguousarray(decode(s, training_size).transpose(2, 0, 1)), layout="chw"
                )
                for s in part
            ]
        )
        yield Batch(torch.from_numpy(lab), _labels(part))


def _labels(samples: list[Sample]) -> Tensor | None:
    labels = [sample.label for sample in samples]
    return None if None in labels else torch.tensor(labels, dtype=torch.int64)

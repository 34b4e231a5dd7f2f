"""Training pictures held decoded in the device's memory, and batches made of them there.

A GPU trains a small network on thousands of pictures a second, more than processor cores decode.
Decoded, 22,000 pictures of 146x146 are 1.4 GB, which any such GPU holds. A batch is a function of
(seed, step) here too, but another one than that of data.py, and crops may be of any size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from trtcolor.dataset import PictureSet, Sample, decode, in_threads
from trtcolor.errors import TrainingError
from trtcolor_train import colorspace
from trtcolor_train.augment import Film, draw_film
from trtcolor_train.config import Augmentation
from trtcolor_train.data import Batch, order, own_part, scaled_side
from trtcolor_train.film import lightness_on_films


class ResidentPictures:
    """Decoded pictures on a device.

    Args:
        pictures: what to hold; all can be decoded.
        training_size: S, side of the crops in pixels.
        augmentation: what may be done to a picture.
        device: where they lie and batches are made.
        threads: how many decode.

    Attributes:
        size: S.
        pixels: (N, 3, side, side) uint8 sRGB on the device; the side is that of 8/7 S where crops
            are taken, else S.
        labels: (N,) int64 on the device, or None where a picture has none.

    Raises:
        DataError: a picture cannot be read any more.
        TrainingError: the device's memory cannot hold them.
    """

    def __init__(
        self,
        pictures: PictureSet,
        training_size: int,
        augmentation: Augmentation,
        device: torch.device,
        threads: int,
    ) -> None:
        self.size = training_size
        self.augmentation = augmentation
        self.device = device
        side = scaled_side(training_size) if augmentation.crop else training_size

        def planes(sample: Sample) -> NDArray[np.uint8]:
            return np.ascontiguousarray(decode(sample, side).transpose(2, 0, 1))

        decoded = np.stack(in_threads(planes, pictures.samples, threads))
        try:
            self.pixels = torch.from_numpy(decoded).to(device)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"{len(decoded)} pictures of {side}x{side} pixels, {decoded.nbytes / 1e9:.1f} GB, "
                f"came for the memory of {device} ({str(error).partition('. ')[0]}); room for all "
                "of them was needed; set training.resident to false"
            ) from None
        labels = [sample.label for sample in pictures.samples]
        self.labels = (
            None if None in labels else torch.tensor(labels, dtype=torch.int64, device=device)
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, step: int, batch_size: int, seed: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step, or the part of it that one of several processes trains on.

        Each picture is cropped to the training size, enlarged or reduced as `Augmentation` says,
        flipped and aged as chance has it. Processes see together what one would, but for the grain
        of aged pictures.

        Args:
            step, batch_size, seed, rank, world: as of `trtcolor_train.data.training_batch`.

        Returns:
            The batch, on the device.

        Raises:
            ValueError: ``world`` does not divide the batch.
        """
        part = own_part(batch_size, rank, world)
        mine = slice(part.start, part.stop)
        # As in data.py: another generator than that of the order.
        random = np.random.default_rng((seed, step, 2))
        chosen = torch.from_numpy(order(len(self), batch_size, step, seed)[mine]).to(self.device)
        crops = self._draw_crops(batch_size, random)[mine]
        rgb = self._cropped(self.pixels[chosen], crops)
        lab = colorspace.lab_from_rgb(rgb)
        # For the whole batch, so that every process goes on with the same random numbers.
        aged = np.flatnonzero(random.random(batch_size) < self.augmentation.film)
        films = {int(place): draw_film(random) for place in aged}
        films = {place - part.start: film for place, film in films.items() if place in part}
        grain = torch.Generator(self.device).manual_seed(int(random.integers(2**62)) + rank)
        lightness = _on_films(lab[:, :1], rgb, films, grain)
        return Batch(lightness, lab, None if self.labels is None else self.labels[chosen])

    def plain_batches(self, batch_size: int) -> Iterator[Batch]:
        """Every picture once, scaled to the training size, nothing else done to it."""
        for start in range(0, len(self), batch_size):
            rgb = self.pixels[start : start + batch_size].float() / 255.0
            if rgb.shape[-1] != self.size:
                rgb = F.interpolate(rgb, self.size, mode="bilinear", antialias=True)
            lab = colorspace.lab_from_rgb(rgb)
            labels = None if self.labels is None else self.labels[start : start + batch_size]
            yield Batch(lab[:, :1], lab, labels)

    def _draw_crops(self, count: int, random: np.random.Generator) -> NDArray[np.float64]:
        """(count, 4): side, top and left of each crop in pixels of the picture, mirrored or not."""
        held, wanted = self.pixels.shape[-1], self.augmentation
        largest, smallest = math.log(wanted.reach), -math.log(wanted.zoom)
        sides = self.size * np.exp(largest + (smallest - largest) * random.random(count))
        corners = random.random((2, count))
        mirrored = (random.random(count) < 0.5) & wanted.flip
        whole = sides == self.size
        if wanted.whole:
            whole |= random.random(count) < wanted.whole
            sides[whole] = self.size
        # Whole pixels, which nothing blurs, are each as likely. A crop larger than the picture
        # has it somewhere inside.
        at_pixels = np.floor(corners * (held - self.size + 1))
        corners = np.where(whole, at_pixels, corners * (held - sides))
        return np.stack([sides, *corners, mirrored], axis=1)

    def _cropped(self, pixels: Tensor, crops: NDArray[np.float64]) -> Tensor:
        """(N, 3, side, side) uint8 -> (N, 3, S, S) 0..1, bilinear, mirrored beyond the edges."""
        held = pixels.shape[-1]
        sides, tops, lefts, mirrored = crops.T
        theta = np.zeros((len(crops), 2, 3))
        theta[:, 0, 0] = np.where(mirrored, -1, 1) * sides / held
        theta[:, 1, 1] = sides / held
        theta[:, 0, 2] = (2 * lefts + sides) / held - 1
        theta[:, 1, 2] = (2 * tops + sides) / held - 1
        where = torch.from_numpy(theta.astype(np.float32)).to(self.device)
        grid = F.affine_grid(where, [len(crops), 3, self.size, self.size], align_corners=False)
        return F.grid_sample(
            pixels.float() / 255.0,
            grid,
            mode="bilinear",
            padding_mode="reflection",
            align_corners=False,
        )


def _on_films(
    lightness: Tensor, rgb: Tensor, films: Mapping[int, Film], grain: torch.Generator
) -> Tensor:
    """(N, 1, S, S) lightness of (N, 3, S, S) pictures, those with a film as on it."""
    if not films:
        return lightness
    where = torch.tensor(list(films), device=rgb.device)
    aged = lightness.clone()
    aged[where] = lightness_on_films(rgb[where], list(films.values()), grain)
    return aged

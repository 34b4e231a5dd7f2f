"""Ageing on whole batches of tensors: what augment.py does to one picture at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trtcolor_train.augment import Film, draw_film, lightness_on_film
from trtcolor_train.film import lightness_on_films


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 24, 40, 3), np.uint8)


def tensor(rgb: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rgb.transpose(0, 3, 1, 2).astype(np.float32) / 255)


def test_a_batch_on_films_drawn_at_random_is_each_picture_on_its_own() -> None:
    random = np.random.default_rng(2)
    films = [Film(), *(draw_film(random) for _ in range(7))]
    rgb = pictures(len(films))
    aged = lightness_on_films(tensor(rgb), films).numpy()
    assert aged.shape == (8, 1, 24, 40)
    for found, picture, film in zip(aged[:, 0], rgb, films, strict=True):
        np.testing.assert_allclose(found, lightness_on_film(picture, film), atol=2e-3)


@pytest.mark.parametrize("size", [0.0, 0.8])
def test_grain_is_as_strong_and_as_coarse_as_that_of_a_single_picture(size: float) -> None:
    film = Film(grain=5.0, grain_size=size)
    grey = np.full((4, 128, 128, 3), 119, np.uint8)  # L* 50, where grain is strongest
    generator = torch.Generator().manual_seed(3)
    aged = lightness_on_films(tensor(grey), [film] * 4, generator).numpy()
    plain = lightness_on_films(tensor(grey), [replace(film, grain=0.0)] * 4).numpy()
    grain = (aged - plain)[:, 0]
    assert grain.std() == pytest.approx(5.0, rel=0.05)
    reference = lightness_on_film(grey[0], film, np.random.default_rng(3)) - plain[0, 0]

    def neighbours(noise: np.ndarray) -> float:
        return float(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])

    assert neighbours(grain[0]) == pytest.approx(neighbours(reference), abs=0.05)
    assert abs(np.corrcoef(grain[0].ravel(), grain[1].ravel())[0, 1]) < 0.05

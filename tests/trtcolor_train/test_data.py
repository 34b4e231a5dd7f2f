"""Batches: a function of seed and step, whatever the threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.dataset import open_pictures
from trtcolor_train.data import order, scaled_side, training_batches, validation_batches


def batches(shards: Path, first: int, last: int, threads: int) -> list[torch.Tensor]:
    pictures = open_pictures(str(shards / "train-*.tar.gz"))
    return [
        batch.lab
        for batch in training_batches(
            pictures, 32, 4, first=first, last=last, seed=5, threads=threads
        )
    ]


def test_pictures_are_scaled_to_8_7_of_the_training_size() -> None:
    assert (scaled_side(224), scaled_side(112)) == (256, 128)


def test_batches_are_the_same_for_any_number_of_threads(shards: Path) -> None:
    one, three = batches(shards, 0, 9, 1), batches(shards, 0, 9, 3)
    assert len(one) == 9
    assert all(torch.equal(a, b) for a, b in zip(one, three, strict=True))


def test_a_later_start_gives_the_same_later_batches(shards: Path) -> None:
    whole, rest = batches(shards, 0, 9, 2), batches(shards, 6, 9, 2)
    assert all(torch.equal(a, b) for a, b in zip(whole[6:], rest, strict=True))


def test_batches_differ_from_step_to_step(shards: Path) -> None:
    first, second, *_ = batches(shards, 0, 2, 1)
    assert not torch.equal(first, second)


@given(
    pictures=st.integers(1, 60),
    batch_size=st.integers(1, 20),
    epoch=st.integers(0, 3),
    seed=st.integers(0, 9),
)
def test_an_epoch_shows_no_picture_twice(
    pictures: int, batch_size: int, epoch: int, seed: int
) -> None:
    steps = max(pictures // batch_size, 1)
    shown = np.concatenate(
        [order(pictures, batch_size, epoch * steps + i, seed) for i in range(steps)]
    )
    assert len(shown) == steps * batch_size
    assert shown.min() >= 0
    assert shown.max() < pictures
    if pictures >= batch_size:
        assert len(set(shown.tolist())) == len(shown)
    else:
        assert set(shown.tolist()) == set(range(pictures))


def test_validation_takes_the_first_pictures_unflipped(shards: Path) -> None:
    pictures = open_pictures(str(shards / "val-*.tar.gz"))
    parts = list(validation_batches(pictures, 32, 4, 6))
    assert [len(part.lab) for part in parts] == [4, 2]
    assert parts[0].labels is not None
    assert parts[0].labels.tolist() == [s.label for s in pictures.samples[:4]]
    assert 0 <= parts[0].lab[:, 0].min() <= parts[0].lab[:, 0].max() <= 100.001

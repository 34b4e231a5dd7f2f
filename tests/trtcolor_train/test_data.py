"""Batches: a function of seed and step, whatever makes them and however many share them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trtcolor import color
from trtcolor.dataset import PictureSet, decode, open_pictures
from trtcolor.errors import DataError, TrainingError
from trtcolor_train.config import Augmentation
from trtcolor_train.data import (
    Batch,
    order,
    scaled_side,
    training_batch,
    training_batches,
    validation_batches,
)

SIZE = 32
AGED = Augmentation(film=0.5)
PLAIN = Augmentation(crop=False, flip=False)


@pytest.fixture(scope="module")
def pictures(shards: Path) -> PictureSet:
    return open_pictures(str(shards / "train-*.tar.gz"))


def batches(
    pictures: PictureSet, first: int = 0, last: int = 5, **settings: Any
) -> Iterator[Batch]:
    settings = {"seed": 5, "augmentation": AGED, "threads": 1, **settings}
    return training_batches(pictures, SIZE, 4, first=first, last=last, **settings)


def assert_same(one: Batch, other: Batch) -> None:
    assert torch.equal(one.lightness, other.lightness)
    assert torch.equal(one.lab, other.lab)
    assert one.labels is not None
    assert other.labels is not None
    assert torch.equal(one.labels, other.labels)


def test_pictures_are_scaled_to_8_7_of_the_training_size() -> None:
    assert (scaled_side(224), scaled_side(112)) == (256, 128)


@pytest.mark.parametrize("augmentation", [AGED, PLAIN], ids=["aged", "plain"])
@pytest.mark.parametrize("kind", [{"threads": 3}, {"processes": 1}, {"processes": 2}], ids=str)
def test_batches_are_the_same_whatever_makes_them(
    kind: dict[str, int], augmentation: Augmentation, pictures: PictureSet
) -> None:
    state = torch.get_rng_state()
    found = list(batches(pictures, last=9, augmentation=augmentation, **kind))
    assert len(found) == 9
    for step, batch in enumerate(found):
        assert_same(batch, training_batch(pictures, SIZE, 4, step, 5, augmentation))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_later_start_gives_the_same_later_batches(pictures: PictureSet) -> None:
    whole, rest = list(batches(pictures, 0, 9)), list(batches(pictures, 6, 9, threads=2))
    for one, other in zip(whole[6:], rest, strict=True):
        assert_same(one, other)


def test_batches_differ_from_step_to_step_and_from_seed_to_seed(pictures: PictureSet) -> None:
    first, second = batches(pictures, 0, 2)
    (other,) = batches(pictures, 0, 1, seed=6)
    assert not torch.equal(first.lab, second.lab)
    assert not torch.equal(first.lab, other.lab)


@pytest.mark.parametrize("world", [2, 4])
def test_the_parts_of_several_processes_make_the_batch_of_one(
    world: int, pictures: PictureSet
) -> None:
    for step in range(3):
        whole = training_batch(pictures, SIZE, 8, step, 5, AGED)
        parts = [
            training_batch(pictures, SIZE, 8, step, 5, AGED, rank, world) for rank in range(world)
        ]
        assert all(len(part.lab) == 8 // world for part in parts)
        assert_same(whole, Batch(*(torch.cat(tensors) for tensors in zip(*parts, strict=True))))


def test_a_batch_that_the_processes_do_not_divide_is_refused(pictures: PictureSet) -> None:
    with pytest.raises(ValueError, match="a batch of 4 came for 3 processes"):
        training_batch(pictures, SIZE, 4, 0, 5, AGED, 0, 3)


def test_without_augmentation_pictures_are_scaled_straight_to_the_training_size(
    pictures: PictureSet,
) -> None:
    batch = training_batch(pictures, SIZE, 4, 2, 5, PLAIN)
    for index, lab in zip(order(len(pictures), 4, 2, 5), batch.lab, strict=True):
        truth = color.lab_from_rgb(decode(pictures.samples[index], SIZE))
        np.testing.assert_array_equal(lab.numpy().transpose(1, 2, 0), truth)
    assert torch.equal(batch.lightness, batch.lab[:, :1])


def test_a_crop_is_a_part_of_the_scaled_picture_and_crops_vary(pictures: PictureSet) -> None:
    only_one = PictureSet(pictures.samples[:1], pictures.classes)
    side = scaled_side(SIZE)
    scaled = color.lab_from_rgb(decode(only_one.samples[0], side)).transpose(2, 0, 1)
    batch = training_batch(only_one, SIZE, 40, 0, 5, Augmentation(flip=False))
    corners = [(y, x) for y in range(side - SIZE + 1) for x in range(side - SIZE + 1)]
    found = {
        (y, x)
        for lab in batch.lab.numpy()
        for y, x in corners
        if np.array_equal(lab, scaled[:, y : y + SIZE, x : x + SIZE])
    }
    assert len(found) > 15
    assert {y for y, _ in found} == {x for _, x in found} == set(range(side - SIZE + 1))


def test_about_half_of_the_pictures_are_mirrored(pictures: PictureSet) -> None:
    only_one = PictureSet(pictures.samples[:1], pictures.classes)
    batch = training_batch(only_one, SIZE, 60, 0, 5, Augmentation(crop=False))
    plain = training_batch(only_one, SIZE, 1, 0, 5, PLAIN).lab[0]
    mirrored = [torch.equal(lab, plain.flip(-1)) for lab in batch.lab]
    assert all(m or torch.equal(lab, plain) for m, lab in zip(mirrored, batch.lab, strict=True))
    assert 15 < sum(mirrored) < 45


def test_film_ages_its_share_of_the_lightness_and_never_the_truth(pictures: PictureSet) -> None:
    plain = training_batch(pictures, SIZE, 24, 0, 5, Augmentation())
    aged = training_batch(pictures, SIZE, 24, 0, 5, AGED)
    assert torch.equal(aged.lab, plain.lab)
    untouched = [torch.equal(a, b) for a, b in zip(aged.lightness, plain.lightness, strict=True)]
    assert 4 < sum(untouched) < 20
    # Aged from the same crop, mirrored or not: what is shown follows the truth.
    assert likeness(aged.lightness, aged.lab[:, :1]) > 0.9
    assert likeness(aged.lightness, aged.lab[:, :1].flip(-1)) < 0.5
    every = training_batch(pictures, SIZE, 24, 0, 5, Augmentation(film=1.0))
    assert not any(map(torch.equal, every.lightness, plain.lightness))


def likeness(shown: torch.Tensor, truth: torch.Tensor) -> float:
    """Median over pictures of the correlation between two batches."""
    pairs = zip(shown.flatten(1), truth.flatten(1), strict=True)
    return float(np.median([float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in pairs]))


@pytest.mark.parametrize("kind", [{}, {"processes": 1}], ids=str)
def test_a_picture_that_has_gone_in_the_middle_is_named(
    kind: dict[str, int], tmp_path: Path
) -> None:
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    made = batches(open_pictures(tmp_path), last=100, **kind)
    next(made)
    (tmp_path / "2.png").unlink()
    with pytest.raises(DataError, match=r"^2\.png could not be decoded \(.*No such file.*\); "):
        list(made)


def test_a_process_that_is_killed_is_told_in_one_sentence(pictures: PictureSet) -> None:
    made = batches(pictures, last=100_000, processes=1)
    handler = signal.getsignal(signal.SIGCHLD)
    next(made)
    assert signal.getsignal(signal.SIGCHLD) is handler
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)
    with pytest.raises(TrainingError, match=r"^a process that makes batches has died .*[^\n]$"):
        list(made)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads Linux's maps")
def test_closing_ends_the_processes_and_leaves_no_shared_memory(pictures: PictureSet) -> None:
    before = shared_memory()
    made = batches(pictures, last=100_000, processes=2)
    kept = next(made)
    assert len(multiprocessing.active_children()) == 2
    made.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []
    assert shared_memory() == before + 3  # the tensors of the batch in hand
    assert_same(kept, training_batch(pictures, SIZE, 4, 0, 5, AGED))
    del kept
    gc.collect()
    assert shared_memory() == before


def shared_memory() -> int:
    """How many pieces of torch's shared memory this process has, by its maps."""
    return Path("/proc/self/maps").read_text().count("/torch_")


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


def test_validation_takes_the_first_pictures_as_they_are(shards: Path) -> None:
    pictures = open_pictures(str(shards / "val-*.tar.gz"))
    parts = list(validation_batches(pictures, SIZE, 4, 6))
    assert [len(part.lab) for part in parts] == [4, 2]
    assert parts[0].labels is not None
    assert parts[0].labels.tolist() == [s.label for s in pictures.samples[:4]]
    for part in parts:
        assert torch.equal(part.lightness, part.lab[:, :1])
    truth = color.lab_from_rgb(decode(pictures.samples[5], SIZE))
    np.testing.assert_array_equal(parts[1].lab[1].numpy().transpose(1, 2, 0), truth)


def test_a_picture_without_a_class_leaves_its_batch_without_labels(pictures: PictureSet) -> None:
    mixed = [replace(pictures.samples[0], label=None), *pictures.samples[1:8]]
    parts = list(validation_batches(PictureSet(mixed, pictures.classes), SIZE, 4, 8))
    assert parts[0].labels is None
    assert parts[1].labels is not None

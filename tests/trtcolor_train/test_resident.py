"""Pictures held decoded: which batches are made of them, and how they are cropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trainings import refusal, settings, steps_of, trained, write_narrow_config

from trtcolor import color
from trtcolor.dataset import PictureSet, decode, open_pictures
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import Augmentation
from trtcolor_train.data import Batch, order, scaled_side, validation_batches
from trtcolor_train.resident import ResidentPictures

SIZE = 32
CPU = torch.device("cpu")
PLAIN = Augmentation(crop=False, flip=False)


@pytest.fixture(scope="module")
def pictures(shards: Path) -> PictureSet:
    return open_pictures(shards / "train-000.tar.gz")


def held(pictures: PictureSet, augmentation: Augmentation) -> ResidentPictures:
    return ResidentPictures(pictures, SIZE, augmentation, CPU, threads=2)


def lab_of(pictures: PictureSet, index: int, side: int) -> np.ndarray:
    return color.lab_from_rgb(decode(pictures.samples[index], side)).transpose(2, 0, 1)


def same(first: Batch, second: Batch) -> bool:
    return all(
        (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
        for a, b in zip(first, second, strict=True)
    )


def aged_of(batch: Batch) -> list[bool]:
    """Which of the pictures show another lightness than their own."""
    return (batch.lightness != batch.lab[:, :1]).flatten(1).any(dim=1).tolist()


def test_without_augmentation_a_batch_holds_the_pictures_of_its_step(pictures: PictureSet) -> None:
    resident = held(pictures, PLAIN)
    batch = resident.batch(step=3, batch_size=5, seed=1)
    chosen = order(len(pictures), 5, 3, 1)
    assert batch.labels is not None
    assert batch.labels.tolist() == [pictures.samples[i].label for i in chosen]
    for lab, index in zip(batch.lab.numpy(), chosen, strict=True):
        np.testing.assert_allclose(lab, lab_of(pictures, index, SIZE), atol=2e-3)
    assert torch.equal(batch.lightness, batch.lab[:, :1])


def test_a_crop_is_a_part_of_the_scaled_picture_mirrored_or_not(pictures: PictureSet) -> None:
    resident = held(pictures, Augmentation())
    side = scaled_side(SIZE)
    batch = resident.batch(step=0, batch_size=12, seed=5)
    mirrored = []
    places = set()
    for lab, index in zip(batch.lab.numpy(), order(len(pictures), 12, 0, 5), strict=True):
        whole = lab_of(pictures, index, side)
        found = [
            (flip, y, x)
            for flip in (False, True)
            for y in range(side - SIZE + 1)
            for x in range(side - SIZE + 1)
            if np.allclose(
                lab[:, :, ::-1] if flip else lab,
                whole[:, y : y + SIZE, x : x + SIZE],
                atol=2e-2,
            )
        ]
        assert len(found) == 1
        mirrored.append(found[0][0])
        places.add(found[0][1:])
    assert len(set(mirrored)) == 2
    assert len(places) > 5


def test_crops_at_whole_pixels_are_as_likely_at_the_edge(pictures: PictureSet) -> None:
    crops = held(pictures, Augmentation())._draw_crops(6000, np.random.default_rng(0))
    for corners in crops.T[1:3]:
        places, counts = np.unique(corners, return_counts=True)
        assert places.tolist() == list(range(scaled_side(SIZE) - SIZE + 1))
        np.testing.assert_allclose(counts, 6000 / len(places), rtol=0.1)


def test_zoom_enlarges_crops_up_to_its_factor(pictures: PictureSet) -> None:
    resident = held(pictures, Augmentation(zoom=2.0))
    random = np.random.default_rng(0)
    sides, tops, lefts, _ = resident._draw_crops(2000, random).T
    assert sides.min() == pytest.approx(SIZE / 2, rel=0.02)
    assert sides.max() == pytest.approx(SIZE, rel=0.02)
    assert np.median(sides) == pytest.approx(SIZE / np.sqrt(2), rel=0.03)  # even in the logarithm
    for corners in (tops, lefts):
        assert corners.min() >= 0
        assert (corners + sides).max() <= scaled_side(SIZE)
    # A ramp from left to right stays a ramp, its slope divided by the enlargement.
    ramp = np.tile(np.linspace(0, 255, scaled_side(SIZE)), (1, 3, scaled_side(SIZE), 1))
    crop = np.array([[16.0, 4.0, 10.0, 0.0]])
    (red,) = resident._cropped(torch.from_numpy(ramp.astype(np.uint8)), crop).numpy()[:, 0]
    slope = np.polyfit(np.arange(SIZE), red[8] * 255, 1)[0]
    assert slope == pytest.approx(255 / (scaled_side(SIZE) - 1) / 2, rel=0.02)


def test_reach_reduces_crops_and_mirrors_what_lies_beyond_the_picture(
    pictures: PictureSet,
) -> None:
    resident = held(pictures, Augmentation(crop=False, flip=False, reach=2.0))
    sides, tops, lefts, _ = resident._draw_crops(2000, np.random.default_rng(0)).T
    assert sides.min() == pytest.approx(SIZE, rel=0.02)
    assert sides.max() == pytest.approx(2 * SIZE, rel=0.02)
    for corners in (tops, lefts):  # the whole picture is inside
        assert corners.max() <= 0
        assert (corners + sides).min() >= SIZE
    step = np.zeros((1, 3, SIZE, SIZE), np.uint8)
    step[..., SIZE // 4 :] = 255
    crop = np.array([[2.0 * SIZE, 0.0, -SIZE, 0.0]])  # the picture is its right half, halved
    (red,) = resident._cropped(torch.from_numpy(step), crop).numpy()[:, 0]
    quarter = SIZE // 8
    expected = np.ones(SIZE, np.float32)
    expected[SIZE // 2 - quarter : SIZE // 2 + quarter] = 0
    np.testing.assert_allclose(red[SIZE // 2], expected, atol=1e-3)


def test_whole_pictures_keep_their_pixels_among_those_that_are_scaled(pictures: PictureSet) -> None:
    augmentation = Augmentation(crop=False, flip=False, zoom=1.5, reach=1.5, whole=0.3)
    resident = held(pictures, augmentation)
    sides, tops, lefts, _ = resident._draw_crops(4000, np.random.default_rng(0)).T
    whole = sides == SIZE
    assert whole.mean() == pytest.approx(0.3, abs=0.03)
    assert not tops[whole].any()
    assert not lefts[whole].any()
    batch, plain = resident.batch(0, 24, seed=1), held(pictures, PLAIN).batch(0, 24, seed=1)
    kept = [torch.allclose(a, b, atol=1e-2) for a, b in zip(batch.lab, plain.lab, strict=True)]
    assert 0 < sum(kept) < 24


def test_a_batch_is_a_function_of_seed_and_step(pictures: PictureSet) -> None:
    augmentation = Augmentation(film=0.5, zoom=1.5)
    first, second = held(pictures, augmentation), held(pictures, augmentation)
    assert same(first.batch(7, 6, seed=2), second.batch(7, 6, seed=2))
    assert not same(first.batch(7, 6, seed=2), first.batch(8, 6, seed=2))
    assert not same(first.batch(7, 6, seed=2), first.batch(7, 6, seed=3))


def test_processes_see_together_what_one_would(pictures: PictureSet) -> None:
    resident = held(pictures, Augmentation(zoom=1.5, film=0.5))
    whole = resident.batch(4, 6, seed=2)
    parts = [resident.batch(4, 6, seed=2, rank=rank, world=3) for rank in range(3)]
    # To rounding: the sampler's vectors are other ones in batches of another size.
    assert torch.allclose(torch.cat([part.lab for part in parts]), whole.lab, atol=1e-3)
    aged = aged_of(whole)
    assert 0 < sum(aged) < 6
    assert [one for part in parts for one in aged_of(part)] == aged
    with pytest.raises(ValueError, match="a batch of 6 came for 4 processes"):
        resident.batch(4, 6, seed=2, rank=0, world=4)


def test_film_ages_about_its_share_of_the_pictures_and_no_colours(pictures: PictureSet) -> None:
    aged = held(pictures, Augmentation(film=0.5, crop=False, flip=False))
    plain = held(pictures, PLAIN)
    changed = []
    for step in range(10):
        batch, truth = aged.batch(step, 20, seed=1), plain.batch(step, 20, seed=1)
        assert torch.equal(batch.lab, truth.lab)
        changed += aged_of(batch)
    assert 70 <= sum(changed) <= 130


def test_plain_batches_are_those_of_a_validation(pictures: PictureSet) -> None:
    loaded = list(validation_batches(pictures, SIZE, 8, len(pictures)))
    resident = list(held(pictures, PLAIN).plain_batches(8))
    assert len(loaded) == len(resident) == 4
    for first, second in zip(loaded, resident, strict=True):
        assert torch.allclose(first.lab, second.lab, atol=2e-3)
        assert first.labels is not None
        assert second.labels is not None
        assert torch.equal(first.labels, second.labels)


def test_a_training_on_resident_pictures_learns_counts_its_bins_and_resumes(
    shards: Path, tmp_path: Path
) -> None:
    config = write_narrow_config(
        tmp_path,
        "trtcolor-base",
        loss={"color": "cross_entropy", "alpha": 0.1},
        augmentation={"film": 0.3, "zoom": 1.3},
        optimizer={"name": "adamw", "learning_rate": 3e-3},
        training={"steps": 40, "resident": True},
    )
    assert trained(config, shards, tmp_path / "whole").exit_code == 0
    losses = [entry["loss"] for entry in steps_of(tmp_path / "whole")]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
    weights = load_checkpoint(tmp_path / "whole" / "checkpoint.safetensors").model[
        "coding.class_weights"
    ]
    assert weights.max() > 5 * weights.min() > 0
    half = settings("training.steps=20")
    assert trained(config, shards, tmp_path / "broken", *half).exit_code == 0
    assert trained(config, shards, tmp_path / "broken", "--resume").exit_code == 0
    assert steps_of(tmp_path / "broken") == steps_of(tmp_path / "whole")


def test_pictures_beyond_the_devices_memory_are_one_sentence(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    config = write_narrow_config(
        tmp_path, "olah2022-regression", loss={"alpha": 0}, training={"resident": True}
    )
    monkeypatch.setattr(torch, "from_numpy", full)
    said = refusal(config, shards, tmp_path / "run")
    assert "0.0 GB, came for the memory of cpu (CUDA out of memory); room for all" in said
    assert said.endswith("set training.resident to false")


@pytest.mark.parametrize("change", ["training.resident=false", "augmentation.zoom=1.2"])
def test_what_batches_are_made_of_does_not_change_on_resuming(
    shards: Path, tmp_path: Path, change: str
) -> None:
    config = write_narrow_config(
        tmp_path, "olah2022-regression", loss={"alpha": 0}, training={"resident": True}
    )
    run = tmp_path / "run"
    assert trained(config, shards, run, *settings("training.steps=1")).exit_code == 0
    assert "another configuration" in refusal(config, shards, run, "--resume", *settings(change))


def test_zoom_is_refused_where_the_loader_does_not_know_it(shards: Path, tmp_path: Path) -> None:
    config = write_narrow_config(
        tmp_path, "lee2016", loss={"color": "mse"}, augmentation={"zoom": 1.5}
    )
    said = refusal(config, shards, tmp_path / "run")
    assert "augmentation.zoom is 1.5 and training.resident false" in said

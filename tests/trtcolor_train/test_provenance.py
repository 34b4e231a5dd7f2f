"""What a checkpoint says of where its weights began."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from trtcolor.dataset import FilterCounts, PictureSet
from trtcolor_train.checkpoint import Checkpoint
from trtcolor_train.config import Data, Network, Training, TrainingConfig
from trtcolor_train.provenance import first_weights, seen_pictures

CONFIG = TrainingConfig("mine", Network("olah2022-regression"), Data("a/b", "c"), Training(steps=9))


def earlier(start: str | None) -> Checkpoint:
    state = torch.get_rng_state()
    return Checkpoint(CONFIG, {}, 40, {}, {}, (), state, {}, start=start)


@pytest.mark.parametrize(
    ("encoder", "given", "said"),
    [
        ("", None, "random weights"),
        ("weights/resnet18.pth", None, "the encoder's weights in resnet18.pth, the rest random"),
        ("", earlier(None), "mine after 40 steps"),
        ("", earlier("random weights"), "mine after 40 steps, itself from random weights"),
    ],
)
def test_the_first_weights_are_named(encoder: str, given: Checkpoint | None, said: str) -> None:
    network = Network("olah2022-regression", encoder=encoder)
    assert first_weights(replace(CONFIG, network=network), given) == said


def test_no_path_of_the_machine_is_kept() -> None:
    pictures = PictureSet([], fingerprint="f", mean_chroma=(1.23456, -2.0))
    seen = seen_pictures(CONFIG, Path("/home/somebody"), pictures, FilterCounts(3, 1, 0))
    assert seen["source"] == "a/b"
    assert seen["mean_chroma"] == [1.2346, -2.0]
    assert seen["train"] == {"kept": 3, "colourless": 1, "unreadable": 0}

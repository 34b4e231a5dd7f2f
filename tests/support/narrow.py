"""Every family narrowed until tests are quick, its structure kept."""

from __future__ import annotations

from typing import Any

from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork

NARROW: dict[str, dict[str, Any]] = {
    "iizuka2016": {
        "classes": 7,
        "training_size": 64,
        "low": [[8, 2], [8, 1], [16, 2], [16, 1], [16, 2], [24, 1]],
        "mid": [16, 8],
        "global_convolutions": [[16, 2], [16, 1], [16, 2], [16, 1]],
        "global_layers": [32, 16, 8],
        "fusion": 16,
        "colorization": [16, 0, 8, 8, 0, 8],
        "classifier": 16,
    },
    "iizuka2016-baseline": {
        "training_size": 64,
        "low": [[8, 2], [8, 1], [16, 2], [16, 1], [16, 2], [24, 1]],
        "mid": [16, 8],
        "fusion": 16,
        "colorization": [16, 0, 8, 8, 0, 8],
    },
    "lee2016": {
        "classes": 7,
        "training_size": 32,
        "low": [[8, 2], [8, 1], [16, 2], [16, 1]],
        "mid": [16, 8],
        "global_convolutions": [[16, 2], [16, 1], [16, 2], [16, 1]],
        "global_layers": [32, 24, 16],
        "fusion": 16,
        "colorization": [8, 8, 0, 8],
        "classifier": 16,
    },
    "hwang2016-regression": {
        "training_size": 32,
        "encoder": [[4, 4], [6, 6], [8, 8], [12], [12]],
    },
    "hwang2016-classification": {
        "training_size": 32,
        "encoder": [[4, 4], [6, 6], [8, 8], [12], [12]],
        "head": [16, 8],
    },
    "olah2022-regression": {
        "training_size": 32,
        "encoder": [8, 12],
        "decoder": [12, 0, 8, 0, 8, 0],
    },
    "olah2022-cnn": {
        "training_size": 32,
        "encoder": [[8, 2], [12, 2], [16, 2], [16, 1]],
        "decoder": [16, 12],
    },
    "olah2022-unet": {
        "training_size": 32,
        "encoder": [[8, 1], [12, 2], [16, 2], [16, 2]],
        "decoder": [16, 12, 8],
    },
    "trtcolor-base": {
        "classes": 7,
        "training_size": 32,
        "encoder": [[8, 1], [12, 0], [16, 1]],
        "decoder": [0, 1],
        "global_layers": [24, 16],
    },
}


def narrow_network(name: str) -> ColorNetwork:
    """A freshly initialised narrow network of a family."""
    return family(name).build(NARROW[name])

"""Small bundles and a few pictures."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch
from family_bundles import family_bundle

from trtcolor.bundle import Bundle
from trtcolor.demo import photographs
from trtcolor.precision.pictures import Pictures, find_pictures

torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Of colour bins, with global features: it has all three graphs."""
    return _bundle("trtcolor-base", tmp_path_factory)


@pytest.fixture(scope="session")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Of u*v*, which take much arithmetic to become a*b*; a local graph alone."""
    return _bundle("hwang2016-regression", tmp_path_factory)


@pytest.fixture(scope="session")
def few() -> Pictures:
    """Some of the default pictures."""
    if not photographs():
        pytest.skip("scikit-image, which has the photographs, is not installed")
    whole = find_pictures()
    return replace(whole, calibration=whole.calibration[:6], gate=whole.gate[:4])


def _bundle(family: str, factory: pytest.TempPathFactory) -> Bundle:
    if not photographs():
        pytest.skip("scikit-image, which has the photographs, is not installed")
    return family_bundle(family, factory)

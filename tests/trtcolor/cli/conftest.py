"""A picture and a model for the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from noise import PIXELS
from PIL import Image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.fixture
def bundle(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("scenes", global_size=32, classes=("sea", "town", "wood"))

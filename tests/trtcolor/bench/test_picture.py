"""The frames that are timed are pictures."""

from __future__ import annotations

import numpy as np
import pytest

from trtcolor import demo
from trtcolor.bench.picture import grey_frames


def test_the_picture_is_a_photograph_or_said_to_be_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    (photograph,), name = grey_frames((64, 96), 1)
    assert name == "astronaut.png of scikit-image"
    monkeypatch.setattr(demo, "photographs", lambda: [])
    (noise,), name = grey_frames((64, 96), 1)
    assert name.startswith("1/f noise")
    np.testing.assert_array_equal(noise, grey_frames((64, 96), 1)[0][0])
    for frame in (photograph, noise):
        assert frame.shape == (64, 96)
        assert frame.dtype == np.uint8
        assert 20 < frame.std() < 100


def test_no_two_frames_of_a_batch_are_equal() -> None:
    frames, _ = grey_frames((32, 48), 4)
    assert len({frame.tobytes() for frame in frames}) == 4

"""Pictures to calibrate on and pictures to judge by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trtcolor.demo import photographs
from trtcolor.errors import DataError
from trtcolor.precision.pictures import CALIBRATION, GATE, find_pictures, pictures_of


def write(folder: Path, count: int, *, seed: int = 0) -> Path:
    """Grey pictures of noise, each of another size."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for number in range(count):
        pixels = rng.integers(0, 256, (16, 20 + number), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return folder


@pytest.mark.skipif(not photographs(), reason="scikit-image is not installed")
def test_no_pixel_of_the_photographs_is_in_both_parts() -> None:
    pictures = find_pictures()
    assert len(pictures.calibration) == len(pictures.gate) == 3 * len(photographs())
    for mine in pictures.calibration[::3]:  # the whole halves
        for other in pictures.gate[::3]:
            rows = min(len(mine), len(other))
            columns = min(mine.shape[1], other.shape[1])
            assert not np.array_equal(mine[:rows, :columns], other[:rows, :columns])
    assert pictures.calibration_sha256 != pictures.gate_sha256
    assert find_pictures() is not pictures
    assert find_pictures().calibration_sha256 == pictures.calibration_sha256


def test_a_third_of_the_users_pictures_is_for_the_gate(tmp_path: Path) -> None:
    pictures = find_pictures(write(tmp_path / "grey", 9))
    widths = [sorted(p.shape[1] for p in part) for part in (pictures.calibration, pictures.gate)]
    assert widths == [[20, 22, 23, 25, 26, 28], [21, 24, 27]]


def test_of_many_pictures_some_are_taken_from_end_to_end(tmp_path: Path) -> None:
    pictures = find_pictures(write(tmp_path / "many", 200))
    assert (len(pictures.calibration), len(pictures.gate)) == (CALIBRATION, GATE)
    assert pictures.calibration[0].shape[1] == 20
    assert pictures.calibration[-1].shape[1] == 219


def test_the_digest_is_that_of_the_pictures(tmp_path: Path) -> None:
    folders = write(tmp_path / "a", 4), write(tmp_path / "b", 4), write(tmp_path / "c", 4, seed=1)
    first, same, other = (find_pictures(folder).calibration_sha256 for folder in folders)
    assert first == same
    assert first != other


def test_pictures_of_one_tone_and_damaged_ones_are_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path / "mixed", 2)
    Image.fromarray(np.full((16, 16), 99, np.uint8)).save(folder / "000a.png")
    (folder / "000b.png").write_bytes(b"no picture")
    pictures = find_pictures(folder)
    assert (len(pictures.calibration), len(pictures.gate)) == (1, 1)


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 of the pictures"):
        find_pictures(write(tmp_path / "one", 1))


def test_two_sets_of_data_are_the_two_parts(tmp_path: Path) -> None:
    pictures = pictures_of(
        str(write(tmp_path / "a", 5)), str(write(tmp_path / "b", 5)), limits=(2, 3)
    )
    assert (len(pictures.calibration), len(pictures.gate)) == (2, 3)


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (10, 10), np.uint8)
        large = Image.fromarray(pixels).resize((3000, 1500))
        large.save(tmp_path / "large" / f"{number}.png")
    assert find_pictures(tmp_path / "large").gate[0].shape == (1024, 2048)

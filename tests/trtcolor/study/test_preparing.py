"""Studies prepared from real bundles and pictures."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colour_folders import fill, grey_file, one_colour
from numpy.typing import NDArray
from PIL import Image

from trtcolor import color
from trtcolor.errors import DataError, OutputExistsError, UnknownModelError
from trtcolor.study.folder import PICTURES, Study, open_study
from trtcolor.study.pictures import prepared_picture
from trtcolor.study.preparing import Settings, prepare_study

MakeBundle = Callable[..., Path]


def shown(study: Study, scene: int, approach: int) -> NDArray[np.uint8]:
    return np.asarray(Image.open(study.picture_file(scene, approach)))


@pytest.fixture
def bundles(make_bundle: MakeBundle) -> list[Path]:
    return [
        make_bundle("proposed", family="iizuka2016", weights=one_colour(20, 20)),
        make_bundle("plain", family="iizuka2016-baseline", weights=one_colour(-20, 20)),
    ]


def test_each_scene_has_a_version_of_each_approach(bundles: list[Path], tmp_path: Path) -> None:
    data = fill(tmp_path / "data", 4)
    told: list[tuple[int, int]] = []
    study = prepare_study(
        bundles,
        data,
        tmp_path / "study",
        Settings(pictures=3, seed=5),
        progress=lambda done, wanted: told.append((done, wanted)),
    )
    assert open_study(tmp_path / "study") == study
    assert [a.name for a in study.approaches] == ["ground truth", "proposed", "plain"]
    assert [a.system for a in study.approaches] == ["Ground Truth", "Proposed", "Baseline"]
    assert len(study.scenes) == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    for number, scene in enumerate(study.scenes):
        original = prepared_picture(np.asarray(Image.open(data / scene.name)))
        np.testing.assert_array_equal(shown(study, number, 0), original)
        lightness = color.lightness_from_rgb(original)
        for approach in (1, 2):
            version = shown(study, number, approach)
            assert (version != original).any()
            assert np.abs(color.lightness_from_rgb(version) - lightness).max() < 0.6


def test_no_file_tells_by_its_name_length_or_form_what_it_is(
    bundles: list[Path], tmp_path: Path
) -> None:
    study = prepare_study(bundles, fill(tmp_path / "data"), tmp_path / "study")
    files = list((study.folder / PICTURES).iterdir())
    assert len(files) == 12
    assert len({file.stat().st_size for file in files}) == 1
    heads = {file.read_bytes()[:41] for file in files}  # signature, IHDR, and the first chunk's
    assert len(heads) == 1
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (224, 224))
            assert image.info == {}


def test_pictures_are_drawn_by_the_seed(bundles: list[Path], tmp_path: Path) -> None:
    data = fill(tmp_path / "data", 12)

    def drawn(name: str, seed: int | None) -> list[str]:
        chosen = Settings(pictures=4, seed=seed)
        study = prepare_study(bundles[:1], data, tmp_path / name, chosen)
        return [scene.name for scene in study.scenes]

    assert drawn("a", 1) == drawn("b", 1)
    assert drawn("c", 2) != drawn("d", 1)


def test_grey_and_broken_pictures_are_passed_over_and_counted(
    bundles: list[Path], tmp_path: Path
) -> None:
    data = fill(tmp_path / "data", 3, grey=grey_file(), broken=b"no picture")
    study = prepare_study(bundles, data, tmp_path / "study", Settings(pictures=10))
    assert sorted(scene.name for scene in study.scenes) == ["0.png", "1.png", "2.png"]
    assert study.counts == {"kept": 3, "colourless": 1, "unreadable": 1, "enlarged": 3}


def test_a_study_is_its_owners_alone(bundles: list[Path], tmp_path: Path) -> None:
    study = prepare_study(bundles, fill(tmp_path / "data"), tmp_path / "study")
    assert stat.S_IMODE(study.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((study.folder / "secret").stat().st_mode) == 0o600


def test_what_cannot_be_prepared_leaves_nothing(bundles: list[Path], tmp_path: Path) -> None:
    data = fill(tmp_path / "data", 0, grey=grey_file())
    with pytest.raises(DataError, match=r"no colour picture in .*\(1 grey or low-variance"):
        prepare_study(bundles, data, tmp_path / "study")
    with pytest.raises(UnknownModelError):
        prepare_study(["nothing"], data, tmp_path / "study")
    with pytest.raises(ValueError, match="no models"):
        prepare_study([], data, tmp_path / "study")
    with pytest.raises(DataError, match="the class 'sea'"):
        prepare_study(bundles, data, tmp_path / "study", Settings(only_class="sea"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "plain", "proposed"]


def test_what_is_there_is_never_replaced(bundles: list[Path], tmp_path: Path) -> None:
    data = fill(tmp_path / "data")
    prepare_study(bundles, data, tmp_path / "study")
    with pytest.raises(OutputExistsError):
        prepare_study(bundles, data, tmp_path / "study")


def test_a_class_of_the_data_can_be_chosen(bundles: list[Path], tmp_path: Path) -> None:
    fill(tmp_path / "data" / "sea", 2)
    fill(tmp_path / "data" / "town", 2)
    chosen = Settings(only_class="sea", saturation=0.0)
    study = prepare_study(bundles, tmp_path / "data", tmp_path / "study", chosen)
    assert sorted(scene.name for scene in study.scenes) == ["sea/0.png", "sea/1.png"]
    grey = shown(study, 0, 1)
    assert (grey[..., 0] == grey[..., 1]).all()


@pytest.mark.parametrize("settings", [{"pictures": 0}, {"render": "half"}])
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="was needed"):
        Settings(**settings)  # type: ignore[arg-type]

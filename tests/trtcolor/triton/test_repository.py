"""What is written is a repository that the server's rules allow, and one that colours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from served_models import Refused, Repository

from trtcolor.bundle import file_sha256
from trtcolor.colorizer import Colorizer
from trtcolor.errors import ExportError, OutputExistsError
from trtcolor.triton import placing
from trtcolor.triton.repository import export_triton
from trtcolor.triton.serving import Serving

MakeBundle = Callable[..., Path]
SMALL = Serving(max_batch=4, warm_up=((24, 32),))


def frames(count: int, height: int = 50, width: int = 70) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


def listing(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def plain(make_bundle: MakeBundle) -> Path:
    """A network without global features."""
    return make_bundle("plain")


@pytest.fixture
def described(make_bundle: MakeBundle) -> Path:
    """A network with global features that names scenes."""
    return make_bundle("described", global_size=32, classes=("beach", "city\nby night"))


def test_a_network_without_global_features_is_one_model(plain: Path, tmp_path: Path) -> None:
    exported = export_triton(plain, tmp_path / "repository", serving=SMALL)
    assert exported.name == "plain"
    assert exported.paths == (tmp_path / "repository" / "plain",)
    assert exported.validated
    assert set(listing(tmp_path / "repository")) == {"plain/config.pbtxt", "plain/1/model.onnx"}


def test_one_with_global_features_is_two_and_an_ensemble(described: Path, tmp_path: Path) -> None:
    exported = export_triton(described, tmp_path / "repository", serving=SMALL)
    assert [path.name for path in exported.paths] == [
        "described_features",
        "described_paint",
        "described",
    ]
    assert set(listing(tmp_path / "repository")) == {
        "described/1/README",
        "described/config.pbtxt",
        "described/labels.txt",
        "described_features/1/model.onnx",
        "described_features/config.pbtxt",
        "described_features/labels.txt",
        "described_paint/1/model.onnx",
        "described_paint/config.pbtxt",
    }


@pytest.mark.parametrize("name", ["plain", "described"])
def test_a_batch_comes_back_in_the_colorizers_colours(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bundle = request.getfixturevalue(name)
    export_triton(bundle, tmp_path / "repository", serving=SMALL)
    taken = frames(3)
    found = Repository(tmp_path / "repository").infer(name, {"frames": taken}, ("rgb",))["rgb"]
    with Colorizer(bundle) as colorizer:
        expected = [colorizer.colorize(frame) for frame in taken]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_features_of_one_picture_give_another_its_style(described: Path, tmp_path: Path) -> None:
    export_triton(described, tmp_path / "repository", serving=SMALL)
    repository = Repository(tmp_path / "repository")
    style, picture = frames(2) // np.array([8, 1], np.uint8).reshape(2, 1, 1, 1)
    features = repository.infer("described_features", {"frames": style[None]}, ())
    given = {"frames": picture[None], "global_features": features["global_features"]}
    found = repository.infer("described_paint", given, ())["rgb"][0]
    with Colorizer(described) as colorizer:
        own = colorizer.colorize(picture)
        expected = colorizer.colorize(picture, global_features=colorizer.global_features(style))
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(found.astype(int) - own).max() > 1


def test_settings_are_in_the_graphs(plain: Path, tmp_path: Path) -> None:
    settings = {"render": 16, "gamut": "clip"}
    export_triton(plain, tmp_path / "grey", serving=SMALL, saturation=3, channels=1, **settings)
    taken = frames(1)[..., :1]
    found = Repository(tmp_path / "grey").infer("plain", {"frames": taken}, ())["rgb"][0]
    with Colorizer(plain, **settings) as colorizer:
        expected = colorizer.colorize(taken[0], saturation=3)
        usual = colorizer.colorize(taken[0])
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(found.astype(int) - usual).max() > 1


def test_what_a_request_may_be_is_what_the_configuration_says(plain: Path, tmp_path: Path) -> None:
    export_triton(plain, tmp_path / "repository", serving=SMALL)
    repository = Repository(tmp_path / "repository")
    with pytest.raises(Refused, match="batch-size must be <= 4"):
        repository.infer("plain", {"frames": frames(5)}, ())
    with pytest.raises(Refused, match="unexpected shape"):
        repository.infer("plain", {"frames": frames(1)[..., :1]}, ())


def test_scenes_are_named_a_line_each(described: Path, tmp_path: Path) -> None:
    export_triton(described, tmp_path / "repository", serving=SMALL)
    labels = Repository(tmp_path / "repository").models["described"].labels
    assert labels == {"class_logits": ["beach", "city by night"]}


def test_one_model_takes_grey_frames_and_rgb(plain: Path, tmp_path: Path) -> None:
    export_triton(plain, tmp_path / "repository", serving=SMALL, channels=None)
    repository = Repository(tmp_path / "repository")
    taken = frames(1)[..., :1]
    grey = repository.infer("plain", {"frames": taken}, ())["rgb"]
    rgb = repository.infer("plain", {"frames": taken.repeat(3, axis=3)}, ())["rgb"]
    assert np.abs(grey.astype(int) - rgb).max() <= 1


def test_a_network_that_takes_one_picture_at_a_time_is_served_so(
    plain: Path, tmp_path: Path
) -> None:
    model = onnx.load(plain / "local.onnx", load_external_data=False)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, plain / "local.onnx")
    spec = json.loads((plain / "model.json").read_text())
    spec["files"]["local.onnx"] = file_sha256(plain / "local.onnx")
    (plain / "model.json").write_text(json.dumps(spec))
    export_triton(plain, tmp_path / "repository", serving=SMALL)
    repository = Repository(tmp_path / "repository")
    assert repository.infer("plain", {"frames": frames(1)}, ())["rgb"].shape == (1, 50, 70, 3)
    with pytest.raises(Refused, match="unexpected shape"):
        repository.infer("plain", {"frames": frames(2)}, ())


def test_it_says_where_it_comes_from(plain: Path, tmp_path: Path) -> None:
    export_triton(plain, tmp_path / "repository", name="film", render="full", serving=SMALL)
    config = Repository(tmp_path / "repository").models["film"].config
    texts = {key: value.string_value for key, value in config.parameters.items()}
    assert texts["trtcolor_model"] == "plain"
    assert texts["trtcolor_version"] == "1"
    assert texts["trtcolor_render"] == "full"
    assert texts["trtcolor_licence"] == "Apache-2.0"


def test_models_of_other_names_are_left_alone(plain: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    export_triton(plain, repository, name="first", serving=SMALL)
    before = listing(repository)
    export_triton(plain, repository, name="second", serving=SMALL)
    after = listing(repository)
    assert {key: after[key] for key in before} == before
    assert {path.name for path in repository.iterdir()} == {"first", "second"}


def test_a_name_that_is_taken_is_refused_and_nothing_changes(
    described: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    export_triton(described, repository, serving=SMALL)
    before = listing(tmp_path)
    with pytest.raises(OutputExistsError, match="described_features is there already"):
        export_triton(described, repository, serving=SMALL)
    assert listing(tmp_path) == before


def test_overwriting_replaces_the_whole_model(plain: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    export_triton(plain, repository, serving=SMALL)
    stale = repository / "plain" / "2" / "model.onnx"
    stale.parent.mkdir()
    stale.write_bytes(b"")
    export_triton(plain, repository, serving=Serving(max_batch=2), overwrite=True)
    assert not stale.parent.exists()
    assert Repository(repository).models["plain"].config.max_batch_size == 2


def test_what_is_no_model_is_never_overwritten(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "repository" / "plain").mkdir(parents=True)
    with pytest.raises(ExportError, match="no model of Triton's"):
        export_triton(plain, tmp_path / "repository", serving=SMALL, overwrite=True)


def test_a_repository_that_is_a_file_is_refused(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is no folder"):
        export_triton(plain, tmp_path / "file", serving=SMALL)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "two words", "x" * 101])
def test_a_name_that_is_none_for_a_folder_is_refused(
    name: str, plain: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="came as a model's name"):
        export_triton(plain, tmp_path / "repository", name=name)
    assert not (tmp_path / "repository").exists()


@pytest.mark.parametrize("failing", [1, 2, 3, 4, 5, 6])
def test_what_goes_wrong_on_the_way_in_leaves_the_repository_as_it_was(
    failing: int, described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    export_triton(described, repository, serving=SMALL)
    before = listing(tmp_path)
    renamed = []

    def rename(source: Path, target: Path, real: Callable[..., None] = os.rename) -> None:
        renamed.append(target)
        if len(renamed) == failing:
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(placing.os, "rename", rename)
    with pytest.raises(OSError, match="No space"):
        export_triton(described, repository, serving=Serving(), overwrite=True)
    assert listing(tmp_path) == before


def test_a_new_repository_that_could_not_be_filled_is_not_left(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(placing.os, "rename", rename)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(OSError, match="No space"):
        export_triton(plain, tmp_path / "repository", serving=SMALL)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_models_are_put_together_inside_where_nothing_beside_can_be_written(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    monkeypatch.setattr(placing.os, "access", lambda path, mode: False)
    with placing.staging(repository) as staged:
        assert staged.parent == repository
    assert not list(repository.iterdir())
    export_triton(plain, repository, serving=SMALL)
    assert [path.name for path in repository.iterdir()] == ["plain"]


def test_models_are_put_together_outside_the_repository(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    seen = []
    monkeypatch.setattr(
        "trtcolor.triton.repository.check_models",
        lambda *a, **k: seen.append({path.name for path in repository.iterdir()}),
    )
    export_triton(plain, repository, serving=SMALL)
    assert seen == [set()]

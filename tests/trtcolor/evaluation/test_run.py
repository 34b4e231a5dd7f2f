"""Evaluation: figures that can be computed another way, honest counts, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colour_folders import fill, grey_file, no_chroma, one_colour, picture
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from trtcolor import color
from trtcolor.colorizer import Colorizer
from trtcolor.dataset import Sample, decode
from trtcolor.errors import BackendError, DataError, UnknownModelError
from trtcolor.evaluation.result import Evaluation, Row, Settings
from trtcolor.evaluation.run import evaluate
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.predictor import Predictor

MakeBundle = Callable[..., Path]
SCENES = tuple(f"scene{index}" for index in range(7))


def figure(found: Evaluation, row: Row, name: str) -> float:
    return found.figures(row)[name].value


def bundle_figures(found: Evaluation) -> dict[str, float]:
    (row,) = found.bundles
    return {name: figure.value for name, figure in found.figures(row).items()}


def test_figures_are_those_of_another_implementation(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model, data = make_bundle(global_size=32), fill(tmp_path / "data", 3)
    found = evaluate([model], data, Settings(saturation=0.7))
    expected: dict[str, list[float]] = {}
    with Colorizer(model) as colorizer:
        for index in range(3):
            original = picture(index)
            coloured = colorizer.colorize(original, saturation=0.7)
            labs = [color.lab_from_rgb(p).astype(float) for p in (original, coloured)]
            difference = deltaE_ciede2000(*labs)
            (a, b), (true_a, true_b) = (np.moveaxis(lab[..., 1:], 2, 0) for lab in labs[::-1])
            strong = np.hypot(true_a, true_b) > 10
            directions = np.cos(np.arctan2(b, a) - np.arctan2(true_b, true_a))
            moved = np.abs(labs[1][..., 0] - labs[0][..., 0])
            for name, value in {
                "ciede2000": difference.mean(),
                "ciede2000_p90": np.percentile(difference, 90),
                "psnr": peak_signal_noise_ratio(original, coloured),
                "ssim": structural_similarity(
                    original,
                    coloured,
                    channel_axis=2,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                    data_range=255,
                ),
                "chroma_cosine": directions[strong].mean(),
                "chroma_l1": np.abs(labs[0] - labs[1])[..., 1:].mean() / 128,
                "chroma_l2": ((labs[0] - labs[1])[..., 1:] ** 2).mean() / 128**2,
                "colourfulness": colourfulness(coloured),
                "colourfulness_error": abs(colourfulness(coloured) - colourfulness(original)),
                "lightness_error": moved.mean(),
                "lightness_error_max": moved.max(),
            }.items():
                expected.setdefault(name, []).append(value)
    (row,) = found.bundles
    for name, values in expected.items():
        whole = max(values) if name.endswith("max") else np.mean(values)
        assert figure(found, row, name) == pytest.approx(whole, rel=1e-3, abs=1e-4), name
        assert row.values[name] == pytest.approx(values, rel=1e-3, abs=1e-4), name


def test_rows_are_the_originals_grey_and_each_bundle(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    models = [make_bundle("first"), make_bundle("second", seed=1)]
    found = evaluate(models, fill(tmp_path / "data"))
    assert [(row.name, row.kind) for row in found.rows] == [
        ("originals", "originals"),
        ("grey", "grey"),
        ("first", "bundle"),
        ("second", "bundle"),
    ]
    for model, row in zip(models, found.bundles, strict=True):
        (alone,) = (single := evaluate([model], tmp_path / "data")).bundles
        assert row.values == alone.values
        assert found.figures(row) == single.figures(alone)


def test_bundles_of_one_name_are_told_apart_by_their_folders(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    models = [make_bundle("same", models=tmp_path / name) for name in ("a", "b")]
    moved = [model.rename(model.parent / f"in-{model.parent.name}") for model in models]
    found = evaluate([*moved, moved[0]], fill(tmp_path / "data", 1))
    assert [row.name for row in found.bundles] == ["same (in-a)", "same (in-b)", "same (in-a)'"]


def test_a_network_without_colours_is_exactly_as_good_as_grey(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    found = evaluate([make_bundle(weights=no_chroma())], fill(tmp_path / "data"))
    grey, bundle = found.rows[1:]
    assert bundle.values == grey.values
    figures = bundle_figures(found)
    assert figures["ciede2000_ratio"] == 1
    assert figures["colourfulness"] == figures["chroma_cosine"] == figures["out_of_gamut"] == 0
    assert figures["saturation_difference"] == 1
    assert figures["ciede2000"] > 5


def test_a_network_that_predicts_one_colour_has_the_figures_of_the_mean_colour(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    training = {"data": {"mean_chroma": [30.0, -45.5]}}
    model = make_bundle(weights=one_colour(30, -45.5), training=training)
    found = evaluate([model], fill(tmp_path / "data"))
    mean, bundle = found.rows[2:]
    assert (mean.name, mean.kind) == ("mean colour", "mean colour")
    for name, values in mean.values.items():
        assert bundle.values[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name
    assert figure(found, mean, "out_of_gamut") > 0


def test_lightness_is_kept_to_the_rounding_of_eight_bits(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    figures = bundle_figures(evaluate([make_bundle()], fill(tmp_path / "data")))
    assert 0 < figures["lightness_error"] < figures["lightness_error_max"] <= 0.6


def test_grey_and_unreadable_pictures_are_left_out_and_counted(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    data = fill(tmp_path / "data", 2, broken=b"no picture", grey=grey_file())
    found = evaluate([make_bundle()], data)
    assert found.keys == ("0.png", "1.png")
    assert (found.counts.kept, found.counts.colourless, found.counts.unreadable) == (2, 1, 1)
    assert found.unreadable == ("broken.png",)


def test_data_without_a_colour_picture_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model, data = make_bundle(), fill(tmp_path / "data", 0, grey=grey_file(), a=b"no picture")
    with pytest.raises(DataError, match=r"no colour picture in .*1 grey.*, 1 unreadable: a\.png\)"):
        evaluate([model], data)
    many = fill(tmp_path / "many", 0, **dict.fromkeys("abcdef", b""))
    with pytest.raises(DataError, match=r"6 unreadable: a\.png, .*, e\.png, \.\.\); readable"):
        evaluate([model], many)


def test_an_empty_folder_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture in"):
        evaluate([make_bundle()], fill(tmp_path / "data", 0))


def test_no_models_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no models came"):
        evaluate([], tmp_path)
    with pytest.raises(UnknownModelError):
        evaluate(["no such model"], fill(tmp_path / "data"))


def test_a_limit_takes_the_first_pictures_and_progress_counts_them(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    data = fill(tmp_path / "data", 5)
    found = evaluate(
        [make_bundle()], data, Settings(limit=3), progress=lambda *done: seen.append(done)
    )
    assert found.keys == ("0.png", "1.png", "2.png")
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_number_of_threads_changes_nothing(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model, data = make_bundle(global_size=32), fill(tmp_path / "data", 6)
    one, four = (evaluate([model], data, threads=threads) for threads in (1, 4))
    assert one.rows == four.rows


def test_a_size_scales_pictures_before_everything_as_training_does(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    found = evaluate([make_bundle()], fill(tmp_path / "data", 2), Settings(size=24), show=2)
    for index, shown in enumerate(found.shown):
        scaled = decode(Sample("", tmp_path / "data" / f"{index}.png", None), 24)
        assert scaled.shape == (24, 24, 3)
        np.testing.assert_array_equal(shown[-1], scaled)


def test_one_class_alone_may_be_measured(make_bundle: MakeBundle, tmp_path: Path) -> None:
    for name in ("sea", "wood"):
        fill(tmp_path / "data" / name, 3)
    found = evaluate([make_bundle()], tmp_path / "data", Settings(only_class="wood", limit=2))
    assert found.keys == ("wood/0.png", "wood/1.png")
    with pytest.raises(DataError, match="'town' was asked for and the data have the classes sea, "):
        evaluate([make_bundle("b")], tmp_path / "data", Settings(only_class="town"))


def scene_folder(folder: Path, model: Path, *, wrong: int, names: tuple[str, ...] = SCENES) -> Path:
    """Pictures in folders named as the model classifies them, and some in another one's."""
    folder.mkdir()
    (folder / "classes.txt").write_text("\n".join(names) + "\n")
    with Colorizer(model) as colorizer:
        for index in range(6):
            named = [name for name, _ in colorizer.classify(picture(index), top=len(SCENES))]
            truth = named[-1] if index < wrong else named[1] if index == wrong else named[0]
            (folder / truth).mkdir(exist_ok=True)
            Image.fromarray(picture(index)).save(folder / truth / f"{index}.png")
    return folder


@pytest.mark.parametrize("global_size", [32, 16])
def test_scene_accuracy_counts_first_and_first_five_places(
    global_size: int, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(global_size=global_size, classes=SCENES)
    data = scene_folder(tmp_path / "data", model, wrong=2)
    found = evaluate([model], data, Settings(render=32))
    figures = bundle_figures(found)
    assert (figures["top1"], figures["top5"]) == (3 / 6, 4 / 6)
    (row,) = found.bundles
    assert sorted(rank for rank in row.values["rank"] if rank) == [1, 1, 1, 2, 7, 7]


def test_the_order_of_class_names_may_differ(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model = make_bundle(global_size=32, classes=SCENES)
    data = scene_folder(tmp_path / "data", model, wrong=2, names=SCENES[::-1])
    assert bundle_figures(evaluate([model], data))["top1"] == 3 / 6


def test_pictures_without_a_label_do_not_count_for_the_scenes(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(global_size=32, classes=SCENES)
    data = scene_folder(tmp_path / "data", model, wrong=2)
    Image.fromarray(picture(9)).save(data / "unlabelled.png")
    found = evaluate([model], data)
    (row,) = found.bundles
    assert found.counts.kept == 7
    assert found.figures(row)["top1"].pictures == 6


@pytest.mark.parametrize(
    ("classes", "names", "reason"),
    [
        ((), SCENES, "the model has no scene classifier"),
        (SCENES, (*SCENES, "more"), "are not the model's (the model does not know 'more')"),
        (SCENES, SCENES[:-1], "are not the model's (the data does not know 'scene6')"),
        (SCENES, None, "the data has no labels"),
    ],
)
def test_scene_accuracy_is_left_out_with_a_reason(
    classes: tuple[str, ...],
    names: tuple[str, ...] | None,
    reason: str,
    make_bundle: MakeBundle,
    tmp_path: Path,
) -> None:
    model = make_bundle(global_size=32, classes=classes)
    data = fill(tmp_path / "data" / (SCENES[0] if names else ""))
    if names:
        data = data.parent
        (data / "classes.txt").write_text("\n".join(names))
    found = evaluate([model], data)
    (row,) = found.bundles
    (said,) = (line for line in row.left_out if line.startswith("scene accuracy left out: "))
    assert reason in said
    assert "top1" not in bundle_figures(found)


def test_a_bundle_that_does_not_name_its_classes_says_so(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(global_size=32, classes=SCENES)
    spec = json.loads((model / "model.json").read_text()) | {"classes": []}
    (model / "model.json").write_text(json.dumps(spec))
    fill(tmp_path / "data" / "sea")
    (row,) = evaluate([model], tmp_path / "data").bundles
    assert "scene accuracy left out: the bundle does not name its classes" in row.left_out


def test_a_failing_network_stops_the_evaluation(make_bundle: MakeBundle, tmp_path: Path) -> None:
    broken = {"low_bias": np.full(2, np.nan, np.float32)}
    with pytest.raises(BackendError, match="not finite"):
        evaluate([make_bundle(weights=broken)], fill(tmp_path / "data"))


@pytest.mark.parametrize("name", ["limit", "size"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0"):
        Settings(**{name: 0})
    with pytest.raises(ValueError, match="threads is 0"):
        evaluate(["tiny"], "data", threads=0)


def test_the_network_runs_once_a_picture(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_bundle(global_size=32, classes=SCENES, bins=12)
    data = fill(tmp_path / "data" / SCENES[0], 3).parent
    (data / "classes.txt").write_text("\n".join(SCENES))
    runs: list[str] = []
    run = Predictor._run

    def counted(self: Predictor, graph: str, *rest: object) -> dict[str, NDArray[np.float32]]:
        runs.append(graph)
        return run(self, graph, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "_run", counted)
    found = evaluate([model], data, Settings(size=32))
    assert runs == ["joint"] * 3
    assert "top1" in bundle_figures(found)

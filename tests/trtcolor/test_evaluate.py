"""Evaluation: figures that can be computed another way, honest counts, and a sheet."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000
from skimage.metrics import peak_signal_noise_ratio

from trtcolor import __version__, color
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError, DataError, OutputExistsError
from trtcolor.evaluate import evaluate
from trtcolor.images import read_picture
from trtcolor.metrics.colourfulness import colourfulness

MakeBundle = Callable[..., Path]
SCENES = tuple(f"scene{index}" for index in range(7))


def picture(seed: int) -> NDArray[np.uint8]:
    """Smooth, colourful and of its own."""
    small = np.random.default_rng(seed).integers(30, 226, (4, 5, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((40, 32), Image.Resampling.BICUBIC))


def fill(folder: Path, count: int = 4, **others: bytes) -> Path:
    """A flat folder of pictures 0.png, 1.png, ... and of these other files."""
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(picture(index)).save(folder / f"{index}.png")
    for name, content in others.items():
        (folder / f"{name}.png").write_bytes(content)
    return folder


def grey_file() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture(0)[..., 0]).save(stream, "PNG")
    return stream.getvalue()


def no_chroma() -> dict[str, NDArray[np.float32]]:
    """Weights of a network that leaves everything grey."""
    return {"low": np.zeros((2, 1, 3, 3), np.float32), "low_bias": np.zeros(2, np.float32)}


def test_figures_are_those_of_another_implementation(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model, data = make_bundle(global_size=32), fill(tmp_path / "data", 3)
    found = evaluate(model, data, saturation=0.7)
    expected: dict[str, list[float]] = {}
    with Colorizer(model) as colorizer:
        for index in range(3):
            original = picture(index)
            coloured = colorizer.colorize(original, saturation=0.7)
            grey = colorizer.colorize(original, saturation=0)
            labs = [color.lab_from_rgb(p).astype(float) for p in (original, coloured, grey)]
            difference = deltaE_ciede2000(labs[0], labs[1])
            moved = np.abs(labs[1][..., 0] - labs[0][..., 0])
            for name, value in {
                "ciede2000": difference.mean(),
                "ciede2000_p90": np.percentile(difference, 90),
                "ciede2000_grey": deltaE_ciede2000(labs[0], labs[2]).mean(),
                "psnr": peak_signal_noise_ratio(original, coloured),
                "psnr_grey": peak_signal_noise_ratio(original, grey),
                "colourfulness": colourfulness(coloured),
                "colourfulness_original": colourfulness(original),
                "lightness_error": moved.mean(),
                "lightness_error_max": moved.max(),
            }.items():
                expected.setdefault(name, []).append(value)
    figures = found.figures()
    for name, values in expected.items():
        whole = max(values) if name.endswith("max") else np.mean(values)
        assert figures[name] == pytest.approx(whole, rel=1e-4, abs=1e-4), name
        assert [p.values[name] for p in found.pictures] == pytest.approx(values, rel=1e-4, abs=1e-4)
    assert figures["ciede2000_ratio"] == figures["ciede2000"] / figures["ciede2000_grey"]
    assert (
        figures["colourfulness_ratio"]
        == figures["colourfulness"] / figures["colourfulness_original"]
    )


def test_a_network_without_colours_is_exactly_as_good_as_grey(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    figures = evaluate(make_bundle(weights=no_chroma()), fill(tmp_path / "data")).figures()
    assert figures["ciede2000_ratio"] == 1
    assert figures["psnr"] == figures["psnr_grey"]
    assert figures["colourfulness"] == 0
    assert figures["ciede2000"] > 5


def test_lightness_is_kept_to_the_rounding_of_eight_bits(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    figures = evaluate(make_bundle(), fill(tmp_path / "data")).figures()
    assert 0 < figures["lightness_error"] < figures["lightness_error_max"] <= 0.6


def test_grey_and_unreadable_pictures_are_left_out_and_counted(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    data = fill(tmp_path / "data", 2, broken=b"no picture", grey=grey_file())
    found = evaluate(make_bundle(), data)
    assert [p.key for p in found.pictures] == ["0.png", "1.png"]
    assert (found.counts.kept, found.counts.colourless, found.counts.unreadable) == (2, 1, 1)
    assert found.unreadable == ("broken.png",)
    assert "2 pictures kept, 1 grey or low-variance dropped, 1 unreadable" in found.table()


def test_data_without_a_colour_picture_is_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no colour picture in"):
        evaluate(make_bundle(), fill(tmp_path / "data", 0, grey=grey_file()))


def test_a_limit_takes_the_first_pictures_and_progress_counts_them(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    data = fill(tmp_path / "data", 5)
    found = evaluate(make_bundle(), data, limit=3, progress=lambda *done: seen.append(done))
    assert [p.key for p in found.pictures] == ["0.png", "1.png", "2.png"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert found.figures()["limit"] == 3


def test_the_number_of_threads_changes_nothing(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model, data = make_bundle(global_size=32), fill(tmp_path / "data", 6)
    one, four = (evaluate(model, data, threads=threads) for threads in (1, 4))
    assert one.pictures == four.pictures


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


def test_scene_accuracy_counts_first_and_first_five_places(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(global_size=32, classes=SCENES)
    found = evaluate(model, scene_folder(tmp_path / "data", model, wrong=2))
    figures = found.figures()
    assert figures["top1"] == 3 / 6
    assert figures["top5"] == 4 / 6
    assert sorted(p.rank for p in found.pictures if p.rank is not None) == [0, 0, 1, 1, 1, 2]
    assert found.no_scenes is None
    assert "top1" in found.table()


def test_the_order_of_class_names_may_differ(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model = make_bundle(global_size=32, classes=SCENES)
    data = scene_folder(tmp_path / "data", model, wrong=2, names=SCENES[::-1])
    assert evaluate(model, data).figures()["top1"] == 3 / 6


@pytest.mark.parametrize(
    ("classes", "names", "reason"),
    [
        ((), SCENES, "the model has no scene classifier"),
        (SCENES, (*SCENES, "more"), "the data's classes are not the model's"),
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
    found = evaluate(model, data)
    assert found.no_scenes == reason
    assert f"scene accuracy left out: {reason}" in found.table()
    assert "top1" not in found.figures()


def test_the_sheet_shows_grey_coloured_and_original_of_the_first_pictures(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model, data = make_bundle(), fill(tmp_path / "data", 7)
    evaluate(model, data, sheet=tmp_path / "five.png", sheet_pictures=5)
    evaluate(model, data, sheet=tmp_path / "four.png", sheet_pictures=4)
    five, four = (read_picture(tmp_path / f"{n}.png").pixels.astype(int) for n in ("five", "four"))
    assert five.shape[0] > four.shape[0]  # the fifth begins a row
    assert five.shape[1] == four.shape[1] == 12 * 80 + 13 * 8  # 40 pixels wide, twice enlarged
    saturation = np.ptp(four, axis=2)
    for column in range(12):
        left = 8 + 88 * column
        assert (saturation[:, left : left + 80].max() == 0) == (column % 3 == 0)


def test_an_existing_sheet_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        evaluate("no such model", tmp_path / "no data", sheet=tmp_path / "sheet.png")


def test_the_json_has_every_picture_and_where_it_all_came_from(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model, data = make_bundle(), fill(tmp_path / "data", 2)
    found = evaluate(model, data, render=16)
    entries = json.loads(found.to_json())
    assert entries["trtcolor"] == __version__
    assert entries["model"] == "tiny"
    assert set(entries["files"]) == {"local.onnx", "weights.bin"}
    assert entries["data"] == str(data)
    assert entries["settings"] == {"limit": None, "saturation": 1.0, "render": 16}
    assert [p["key"] for p in entries["pictures"]] == ["0.png", "1.png"]
    assert entries["pictures"][0]["values"] == found.pictures[0].values
    assert entries["figures"] == found.figures()
    assert entries["seconds"] > 0


def test_a_failing_network_stops_the_evaluation(make_bundle: MakeBundle, tmp_path: Path) -> None:
    broken = {"low_bias": np.full(2, np.nan, np.float32)}
    with pytest.raises(BackendError, match="not finite"):
        evaluate(make_bundle(weights=broken), fill(tmp_path / "data"))


@pytest.mark.parametrize("name", ["limit", "threads", "sheet_pictures"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0"):
        evaluate("tiny", "data", **{name: 0})  # type: ignore[arg-type]

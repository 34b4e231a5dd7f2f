"""The bundled default model: whole, small, and as good as its card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trtcolor import color
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs, run_demo
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import evaluate
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.resize import resize_plane

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (DATA / "miniplaces").is_dir(), reason=f"the pictures in {DATA.parent.name}/data are absent"
)
needs_photographs = pytest.mark.skipif(
    not photographs(), reason="scikit-image, which has the photographs, is not installed"
)


def test_the_bundle_is_whole_and_at_most_15_megabytes() -> None:
    bundle = open_bundle("default")
    assert sum(file.stat().st_size for file in bundle.path.iterdir()) <= 15_000_000
    assert bundle.spec.has_global_features
    assert len(bundle.spec.classes) == 100
    assert "non-commercial" in bundle.spec.licence


@needs_photographs
def test_the_demo_writes_a_sheet_with_colours(tmp_path: Path) -> None:
    lines: list[str] = []
    sheet = run_demo(tmp_path / "sheet.png", say=lines.append)
    pixels = np.asarray(Image.open(sheet))
    width = pixels.shape[1] // 3
    grey, coloured, _ = (pixels[:, i * width : (i + 1) * width] for i in range(3))
    assert colourfulness(coloured) > colourfulness(grey) + 3
    assert str(sheet) in lines[-1]
    assert sum(" ms" in line for line in lines) == len(photographs())


@needs_photographs
def test_another_style_gives_other_colours() -> None:
    pictures = [np.asarray(Image.open(file).convert("L")) for file in photographs()[:2]]
    with Colorizer() as colorizer:
        style = colorizer.global_features(pictures[1])
        own = colorizer.colorize(pictures[0])
        styled = colorizer.colorize(pictures[0], global_features=style)
    assert mean_ciede2000(own, styled) > 0.5


@needs_photographs
def test_a_tile_with_the_halo_around_it_has_the_colours_of_the_whole_picture() -> None:
    bundle = open_bundle("default")
    rule = bundle.spec.size
    assert rule.halo is not None
    middle = -(-rule.halo // rule.multiple) * rule.multiple + rule.multiple
    width = 2 * middle
    grey = np.asarray(Image.open(photographs()[0]).convert("L"))[: 2 * rule.multiple, :width]
    lightness = color.lightness_from_grey(grey)[None, None]
    runner = OnnxRuntimeRunner(bundle)
    square = resize_plane(lightness[0, 0], (rule.training_size, rule.training_size))[None, None]
    (features,) = runner.run("global", {"lightness": square}, ["global_features"])

    def right_half(context: int) -> np.ndarray:
        """Chroma right of the middle, of a tile with so many pixels to its left."""
        tile = np.ascontiguousarray(lightness[..., middle - context :])
        inputs = {"lightness": tile, "global_features": features}
        return runner.run("local", inputs, ["chroma"])[0][..., context // rule.chroma_scale :]

    np.testing.assert_allclose(right_half(rule.halo), right_half(middle), atol=1e-3)
    assert np.abs(right_half(rule.multiple) - right_half(middle)).max() > 0.01


@needs_data
def test_it_beats_the_grey_picture_on_validation_pictures_as_its_card_says() -> None:
    card = open_bundle("default").spec.metrics
    data = DATA / "miniplaces" / "val-000.tar.gz"
    found = evaluate(["default"], data, Settings(limit=300))
    figures = found.flat(found.bundles[0])
    assert card["ciede2000_ratio"] <= 0.97
    assert card["colourfulness_ratio"] >= 1 / 3
    # 300 of the card's pictures: near its figures, not equal to them.
    assert figures["ciede2000_ratio"] == pytest.approx(card["ciede2000_ratio"], abs=0.04)
    assert figures["colourfulness_ratio"] == pytest.approx(card["colourfulness_ratio"], abs=0.08)
    assert figures["lightness_error_max"] <= 0.6


@needs_data
@pytest.mark.parametrize("picture", sorted((DATA / "photos" / "historic").glob("*")), ids=str)
def test_a_historic_photograph_keeps_its_luminance(picture: Path) -> None:
    from trtcolor import color
    from trtcolor.images import read_picture

    pixels = read_picture(picture).pixels
    with Colorizer() as colorizer:
        frame = colorizer.prepare(pixels)
        coloured = colorizer.merge(frame, colorizer.predict(frame))
    moved = np.abs(color.lightness_from_rgb(coloured[..., :3]) - frame.frame.lightness)
    assert moved.max() <= 0.6
    assert colourfulness(coloured[..., :3]) > 1

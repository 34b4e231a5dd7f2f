"""A frame coloured in tiles has the colours of one seen whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from trtcolor import Colorizer
from trtcolor.cli import main
from trtcolor.spec import SizeRule

MakeBundle = Callable[..., Path]
SCENES = ("abbey", "beach")


def grey(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def tileable(make_bundle: MakeBundle, scale: int = 2, **entries: Any) -> Path:
    """A network that looks one sample far: a halo of 8 is enough."""
    rule = SizeRule(8, scale, 32, 16, None, 8, 100)
    return make_bundle(scale=scale, size=rule, global_size=16, **entries)


def count_runs(colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what the local graph is given from now on."""
    seen: list[tuple[int, ...]] = []
    run = colorizer._runner.run

    def counted(graph: str, inputs: Any, outputs: Any) -> Any:
        if graph == "local":
            seen.append(inputs["lightness"].shape)
        return run(graph, inputs, outputs)

    monkeypatch.setattr(colorizer._runner, "run", counted)
    return seen


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("size", [(64, 96), (71, 53), (1, 200), (129, 40)])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_tiles_give_what_the_whole_frame_gives(
    size: tuple[int, int],
    scale: int,
    backend: str,
    make_bundle: MakeBundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tileable(make_bundle, scale)
    whole = Colorizer(folder, backend=backend)
    tiled = Colorizer(folder, backend=backend, memory=24 * 32 * 100)
    shapes = count_runs(tiled, monkeypatch)
    frame = grey(*size)
    prepared = whole.prepare(frame)
    np.testing.assert_allclose(tiled.predict(prepared), whole.predict(prepared), atol=1e-4)
    assert len(shapes) > 1
    assert len(set(shapes)) == 1
    assert shapes[0][2] * shapes[0][3] <= 24 * 32
    np.testing.assert_allclose(
        tiled.colorize(frame).astype(int), whole.colorize(frame).astype(int), atol=1
    )


def test_scores_of_bins_and_scenes_are_those_of_the_whole_frame(make_bundle: MakeBundle) -> None:
    folder = tileable(make_bundle, bins=5, classes=SCENES)
    whole, tiled = Colorizer(folder), Colorizer(folder, memory=24 * 24 * 100)
    prepared = whole.prepare(grey(61, 75))
    expected, found = whole.predict_all(prepared), tiled.predict_all(prepared)
    assert expected.bin_logits is not None
    assert found.bin_logits is not None
    assert found.bin_logits.shape == (5, 31, 38)
    np.testing.assert_allclose(found.bin_logits, expected.bin_logits, atol=1e-4)
    np.testing.assert_allclose(found.chroma, expected.chroma, atol=1e-4)
    np.testing.assert_array_equal(found.class_logits, expected.class_logits)


def test_global_features_that_were_given_reach_every_tile(make_bundle: MakeBundle) -> None:
    folder = tileable(make_bundle)
    whole, tiled = Colorizer(folder), Colorizer(folder, memory=24 * 24 * 100)
    prepared = whole.prepare(grey(64, 64), global_features=np.array([9.0, -4.0, 2.0]))
    np.testing.assert_allclose(tiled.predict(prepared), whole.predict(prepared), atol=1e-4)


def test_the_joint_graph_is_never_tiled(make_bundle: MakeBundle) -> None:
    folder = tileable(make_bundle)
    prepared = Colorizer(folder).prepare(grey(16, 16))
    assert prepared.graph == "joint"
    found = Colorizer(folder, memory=1).predict(prepared)
    np.testing.assert_array_equal(found, Colorizer(folder).predict(prepared))


def test_a_large_frame_is_tiled_without_being_asked(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = SizeRule(8, 2, 32, None, None, 8, 16000)
    with Colorizer(make_bundle(size=rule)) as colorizer:
        shapes = count_runs(colorizer, monkeypatch)
        colorizer.predict(colorizer.prepare(grey(200, 200)))
    assert len(shapes) > 1  # its maps would take 640 MB


def test_a_gpu_is_given_tiles_only_where_memory_is_named(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tileable(make_bundle)
    for memory, runs in ((None, 1), (24 * 24 * 100, 9)):
        colorizer = Colorizer(folder, memory=memory)
        monkeypatch.setattr(colorizer._runner, "device", "cuda:0")
        shapes = count_runs(colorizer, monkeypatch)
        monkeypatch.setattr("trtcolor.memory.available_memory", lambda: 0)
        monkeypatch.setattr("trtcolor.memory.SMALL", 0)
        colorizer.predict(colorizer.prepare(grey(40, 40)))
        assert len(shapes) == runs


def test_memory_is_refused_for_a_model_that_cannot_be_tiled(make_bundle: MakeBundle) -> None:
    with pytest.raises(ValueError, match=r"'tiny' cannot be tiled; .* bound the size by render"):
        Colorizer(make_bundle(), memory=10**9)


def test_memory_for_less_than_a_tile_is_refused(make_bundle: MakeBundle) -> None:
    with (
        Colorizer(tileable(make_bundle), memory=5) as colorizer,
        pytest.raises(ValueError, match=r"the smallest tile of this model takes"),
    ):
        colorizer.colorize(grey(64, 64))


def test_colorize_takes_a_limit_of_memory(make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.fromarray(grey(60, 70)).save(tmp_path / "grey.png")
    folder, source = tileable(make_bundle), str(tmp_path / "grey.png")

    def colorize(output: str, *options: str) -> Any:
        target = str(tmp_path / output)
        arguments = ["colorize", source, "-o", target, "--model", str(folder), *options]
        return CliRunner().invoke(main, arguments)

    assert colorize("whole.png").exit_code == 0
    assert colorize("tiled.png", "--memory", "100kB").exit_code == 0
    whole, tiled = (np.asarray(Image.open(tmp_path / n)) for n in ("whole.png", "tiled.png"))
    np.testing.assert_allclose(tiled.astype(int), whole.astype(int), atol=1)
    refused = colorize("none.png", "--memory", "plenty")
    assert refused.exit_code == 2
    assert "'plenty' is no amount of memory" in refused.output
    assert not (tmp_path / "none.png").exists()

"""Models on a clip: figures that can be computed another way, shots, clips without colours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clips import grainy, scene, write_clip
from numpy.typing import NDArray

from trtcolor import __version__, color
from trtcolor.colorizer import Colorizer
from trtcolor.errors import UnknownModelError, VideoError
from trtcolor.evaluation.clip import ClipEvaluation, ClipFigures, evaluate_clip
from trtcolor.metrics.clips import color_distribution_consistency
from trtcolor.metrics.colourfulness import colourfulness

MakeBundle = Callable[..., Path]
Frame = NDArray[np.uint8]

SHOTS = [[grainy(scene(seed), 10 * seed + index) for index in range(6)] for seed in (1, 2, 3)]
FRAMES = [frame for shot in SHOTS for frame in shot]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", FRAMES)


def row(found: ClipEvaluation, name: str) -> ClipFigures:
    (figures,) = [row for row in found.rows if row.name == name]
    return figures


def mean_consistency(shots: list[list[Frame]]) -> float:
    values = [color_distribution_consistency(shot) for shot in shots]
    return float(np.average(values, weights=[len(shot) for shot in shots]))


def test_figures_are_those_of_the_frames_coloured_one_by_one(
    make_bundle: MakeBundle, clip: Path
) -> None:
    models = [make_bundle("first", seed=1), make_bundle("second", seed=2, global_size=32)]
    found = evaluate_clip(models, clip, saturation=0.6)
    assert (found.frames, found.shot_frames) == (18, (6, 6, 6))
    assert [row.name for row in found.rows] == ["grey", "first", "second", "original"]
    for model in models:
        with Colorizer(model) as colorizer:
            shots = [[colorizer.colorize(f, saturation=0.6) for f in shot] for shot in SHOTS]
            grey = [colorizer.colorize(frame, saturation=0) for frame in FRAMES]
        figures = row(found, model.name)
        coloured = [frame for shot in shots for frame in shot]
        luma = np.array([299, 587, 114]) / 1000
        moved = [abs(c @ luma - g @ luma) for c, g in zip(coloured, grey, strict=True)]
        assert figures.consistency == pytest.approx(mean_consistency(shots))
        each = [color_distribution_consistency(shot) for shot in shots]
        assert figures.shot_consistency == pytest.approx(each)
        assert figures.colourfulness == pytest.approx(np.mean([*map(colourfulness, coloured)]))
        assert figures.luma_error == pytest.approx(np.mean(moved), abs=1e-4)
        assert figures.luma_error_max == pytest.approx(np.max(moved), abs=1e-3)
        assert set(figures.files) >= {"local.onnx", "weights.bin"}


def test_grey_frames_and_the_clips_own_colours_are_rows_of_their_own(
    make_bundle: MakeBundle, clip: Path
) -> None:
    found = evaluate_clip([make_bundle()], clip)
    grey, original = row(found, "grey"), row(found, "original")
    assert (grey.colourfulness, grey.luma_error, grey.luma_error_max) == (0, 0, 0)
    assert original.luma_error is None
    assert original.colourfulness == pytest.approx(np.mean([*map(colourfulness, FRAMES)]))
    assert original.consistency == pytest.approx(mean_consistency(SHOTS))
    # A grey's three histograms are one, that of the sRGB code of L*.
    planes = [
        color.merge_lab(color.lightness_from_rgb(f), np.zeros((2, 1, 1), np.float32), scale=None)
        for f in SHOTS[0]
    ]
    assert grey.shot_consistency[0] == pytest.approx(color_distribution_consistency(planes))


def test_a_clip_without_colours_has_no_row_of_its_own(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "grey.mkv", FRAMES, grey=True)
    found = evaluate_clip([make_bundle()], clip)
    assert [row.name for row in found.rows] == ["grey", "tiny"]
    assert found.shot_frames == (6, 6, 6)
    assert row(found, "tiny").colourfulness > 1
    assert "original" not in found.table()


def test_the_same_model_twice_has_two_names(make_bundle: MakeBundle, clip: Path) -> None:
    model = make_bundle("tiny")
    found = evaluate_clip([model, model], clip, limit=2)
    assert [row.name for row in found.rows[1:3]] == ["tiny (tiny)", "tiny (tiny)'"]
    assert found.table().startswith(f"{found.clip}: 2 frames, 1 shot\n")


def test_a_limit_takes_the_first_frames_and_progress_counts_them(
    make_bundle: MakeBundle, clip: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    found = evaluate_clip([make_bundle()], clip, limit=8, progress=lambda *n: seen.append(n))
    assert (found.frames, found.shot_frames) == (8, (6, 2))
    assert seen == [(done, 8) for done in range(1, 9)]


def test_a_single_frame_has_no_consistency(make_bundle: MakeBundle, clip: Path) -> None:
    found = evaluate_clip([make_bundle()], clip, limit=1)
    assert [row.consistency for row in found.rows] == [None, None, None]
    assert found.rows[1].shot_consistency == (None,)
    (line,) = [line for line in found.table().splitlines() if line.startswith("tiny")]
    assert line.split()[1] == "-"
    assert json.loads(found.to_json())["rows"][1]["consistency"] is None


def test_the_json_has_every_row_and_where_it_came_from(make_bundle: MakeBundle, clip: Path) -> None:
    found = evaluate_clip([make_bundle()], clip, render=16, limit=9)
    entries = json.loads(found.to_json())
    assert entries["trtcolor"] == __version__
    assert entries["clip"] == "/".join(clip.parts[-2:])  # no path of this machine
    assert entries["settings"] == {"limit": 9, "saturation": 1.0, "render": 16}
    assert entries["shot_frames"] == [6, 3]
    assert [row["name"] for row in entries["rows"]] == ["grey", "tiny", "original"]
    assert entries["rows"][1]["consistency"] == found.rows[1].consistency
    assert entries["seconds"] > 0


def test_bad_arguments_are_refused(make_bundle: MakeBundle, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model came"):
        evaluate_clip([], clip)
    with pytest.raises(ValueError, match="limit is 0"):
        evaluate_clip([make_bundle()], clip, limit=0)
    with pytest.raises(VideoError, match="cannot be opened"):
        evaluate_clip(["tiny"], tmp_path / "none.mp4")
    with pytest.raises(UnknownModelError):
        evaluate_clip([tmp_path / "no model"], clip)

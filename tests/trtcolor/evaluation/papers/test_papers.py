"""The papers' tables: every row as printed, ours below it, dashes where nothing was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from colour_folders import fill, picture
from PIL import Image

from trtcolor.errors import DataError
from trtcolor.evaluation.papers.comparison import Block, Comparison, duration
from trtcolor.evaluation.papers.run import compare_with_paper
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.table import WIDTH
from trtcolor.papers import (
    HWANG_TABLE_2,
    IIZUKA_FIGURE_5,
    IIZUKA_TABLE_2,
    OLAH_CROSS,
    OLAH_SAME,
    Printed,
)

MakeBundle = Callable[..., Path]
SCENES = ("opencountry", "tallbuilding", "coast")
CENTRES = [[10 * i - 60, 55 - 10 * i] for i in range(12)]
AB = {"kind": "mode", "bins": 12, "space": "ab", "centres": CENTRES}
WEIGHTED = AB | {"class_weights": [1.0 + i for i in range(12)]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pictures of three classes."""
    for index in range(6):
        folder = tmp_path / "pictures" / SCENES[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(index)).save(folder / f"{index}.png")
    return tmp_path / "pictures"


def trained(description: str = "", **entries: Any) -> dict[str, Any]:
    return {
        "steps": 300,
        "batch_size": 32,
        "seconds": 750.4,
        "start": "random weights",
        "data": {"description": description, "train": {"kept": 2119}},
        **entries,
    }


def compared(paper: str, models: list[Path], data: Path, **options: Any) -> Comparison:
    return compare_with_paper(paper, models, data, Settings(), **options)


def below(block: Block, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Rows of ours below a paper's row."""
    names = [row for row, _ in block.rows]
    found = []
    for row, cells in block.rows[names.index(name) + 1 :]:
        if not row.startswith("  ours"):
            break
        found.append((row.strip(), cells))
    return found


@pytest.mark.parametrize(
    "printed", [HWANG_TABLE_2, OLAH_SAME, OLAH_CROSS, IIZUKA_TABLE_2, IIZUKA_FIGURE_5]
)
def test_every_printed_row_has_a_cell_for_every_column(printed: Printed) -> None:
    assert all(len(cells) == len(printed.columns) for cells in printed.rows.values())


def test_001_stands_beside_regression_and_classification(
    make_bundle: MakeBundle, data: Path
) -> None:
    models = [
        make_bundle("bins", family="hwang2016-classification", training=trained("MIT")),
        make_bundle("other", training={}),
    ]
    found = compared("001", models, data)
    (evaluation,) = found.evaluations
    assert (evaluation.settings.size, evaluation.settings.only_class) == (224, "opencountry")
    assert evaluation.keys == ("opencountry/0.png", "opencountry/3.png")
    (block,) = found.blocks
    rows = dict(block.rows)
    assert rows["Classification"] == ("34.64%", "24.14%", "6.5%")
    assert rows["Regression"] == ("12.92%", "19.02%", "85.8%")
    ((name, cells),) = below(block, "Classification")
    figures = evaluation.figures(evaluation.bundles[0])
    assert name == "ours [1] bins"
    assert cells == (
        f"{figures['accuracy_u'].value:.2%}",
        f"{figures['accuracy_v'].value:.2%}",
        f"{figures['saturation_difference'].value:.1%}",
    )
    assert below(block, "Regression") == [("ours", ("-", "-", "-"))]
    names = [row for row, _ in block.rows]
    assert names[names.index("Not in the paper") + 1 :] == ["  [2] other", "  grey"]
    assert any("0.3464%" in remark for remark in block.remarks)
    assert found.credentials == (
        "[1] bins: measured on 2 pictures of " + evaluation.data + "; trained on MIT (2,119 "
        "pictures kept); 300 steps of 32, 9,600 pictures seen; in 13 min; started from random "
        "weights",
        "[2] other: measured on 2 pictures of " + evaluation.data + "; trained on data that it "
        "does not describe; steps not recorded; time not recorded; started from weights that are "
        "not recorded",
    )


def test_001_takes_all_pictures_of_data_without_its_class(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    found = compared("001", [make_bundle()], fill(tmp_path / "flat", 3))
    assert found.evaluations[0].settings.only_class is None
    assert "flat, all classes, at 224x224: 3 pictures kept" in found.remarks[0]


@pytest.mark.parametrize(
    ("paper", "size"), [("001", "at 224x224"), ("003", "at 64x64"), ("004", "at their own size")]
)
def test_what_was_measured_is_said_and_what_is_unreadable_named(
    paper: str, size: str, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    flat = fill(tmp_path / "flat", 2, broken=b"no picture")
    places = {"places": fill(tmp_path / "places", 1, bad=b"")} if paper == "003" else {}
    remarks = compared(paper, [make_bundle()], flat, **places).remarks
    counts = "0 grey or low-variance dropped, 1 unreadable"
    expected = [f"flat, all classes, {size}: 2 pictures kept, {counts} (broken.png)"]
    if places:
        expected.append(f"places, all classes, {size}: 1 pictures kept, {counts} (bad.png)")
    found = [remark for remark in remarks if "unreadable" in remark]
    assert len(found) == len(expected)
    assert all(text in remark for text, remark in zip(expected, found, strict=True))


def olah_models(make_bundle: MakeBundle) -> list[Path]:
    tiny, places = trained("Tiny ImageNet"), trained("MiniPlaces, of Places2")
    return [
        make_bundle("t-reg", family="olah2022-regression", training=tiny),
        make_bundle("t-cnn", family="olah2022-cnn", training=tiny, bins=12, decoder=AB),
        make_bundle("p-unet", family="olah2022-unet", training=places, bins=12, decoder=WEIGHTED),
        make_bundle("m-cnn", family="olah2022-cnn", training=trained("mit8"), bins=12, decoder=AB),
        make_bundle("else", training=places),
    ]


def test_003_has_both_halves_of_both_data_sets(
    make_bundle: MakeBundle, data: Path, tmp_path: Path
) -> None:
    places = fill(tmp_path / "places", 3)
    found = compared("003", olah_models(make_bundle), data, places=places)
    tiny_found, places_found = found.evaluations
    assert (tiny_found.counts.kept, places_found.counts.kept) == (6, 3)
    assert tiny_found.settings.size == places_found.settings.size == 64
    same, cross, others = found.blocks

    def figures(index: int, weighted: str = "") -> list[tuple[str, ...]]:
        names = ("chroma_l2", "chroma_l1", f"{weighted}cross_entropy", "bin_accuracy")
        return [
            tuple(
                f"{own[name].value:.3f}" if name in own else "-"
                for own in [evaluation.figures(evaluation.bundles[index])]
                for name in names
            )
            for evaluation in (tiny_found, places_found)
        ]

    nothing = ("-",) * 4
    for index, method, name in ((0, "Baseline Regression", "t-reg"), (1, "CNN", "t-cnn")):
        on_tiny, on_places = figures(index)
        assert below(same, method) == [(f"ours [{index + 1}] {name}", on_tiny + nothing)]
        assert below(cross, method) == [(f"ours [{index + 1}] {name}", on_places + nothing)]
        assert (on_tiny[2] == "-") == (method == "Baseline Regression")
    on_tiny, on_places = figures(2, "weighted_")
    assert below(same, "Unet with Weights") == [("ours [3] p-unet", nothing + on_places)]
    assert below(cross, "Unet with Weights") == [("ours [3] p-unet", nothing + on_tiny)]
    for block in (same, cross):
        for method in ("CNN with Weights", "Unet"):
            assert below(block, method) == [("ours", nothing * 2)]
    assert [name for name, _ in others.rows] == ["[4] m-cnn", "[5] else", "grey"]
    assert others.rows[0][1] == sum(figures(3), ())
    assert dict(same.rows)["CNN with Weights"][2] == "12.019"
    assert dict(cross.rows)["CNN with Weights"][6] == "25.243"


def test_003_without_places_has_dashes_and_says_so(make_bundle: MakeBundle, data: Path) -> None:
    found = compared("003", olah_models(make_bundle), data)
    same, cross, others = found.blocks
    assert below(same, "Unet with Weights") == [("ours [3] p-unet", ("-",) * 8)]
    assert below(cross, "CNN") == [("ours [2] t-cnn", ("-",) * 8)]
    assert all(cells[4:] == ("-",) * 4 for _, cells in others.rows)
    assert any("not measured; give its pictures with --places" in text for text in found.remarks)


def test_003_refuses_places_that_are_not_there_before_it_measures(
    make_bundle: MakeBundle, data: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    progress = {"progress": lambda *done: seen.append(done)}
    with pytest.raises(DataError, match=r"no data at .*nowhere"):
        compared("003", [make_bundle()], data, places=tmp_path / "nowhere", **progress)
    assert not seen
    compared("003", [make_bundle("b")], data, places=data, **progress)
    assert len(seen) == 6  # one data set in both places is measured once


def iizuka_models(make_bundle: MakeBundle) -> list[Path]:
    scenes = {"global_size": 32, "classes": SCENES, "family": "iizuka2016"}
    return [
        make_bundle("full", configuration={"color_space": "lab"}, **scenes),
        make_bundle("full-rgb", configuration={"color_space": "rgb"}, **scenes),
        make_bundle("base", configuration={"color_space": "yuv"}, family="iizuka2016-baseline"),
        make_bundle("lee", global_size=32, classes=SCENES, family="lee2016"),
    ]


def test_004_has_the_scenes_the_users_and_the_variants(make_bundle: MakeBundle, data: Path) -> None:
    found = compared("004", iizuka_models(make_bundle), data)
    (evaluation,) = found.evaluations
    scenes, users, variants = found.blocks
    rows = dict(scenes.rows)
    assert rows["VGG16 [Wang et al. 2015a]"] == ("52.8%", "82.3%")
    theirs = "Iizuka et al. (there: Ours)"
    assert rows[theirs] == ("50.6%", "80.6%")
    ours = below(scenes, theirs)
    assert [name for name, _ in ours] == ["ours [1] full", "ours [2] full-rgb"]
    figures = evaluation.figures(evaluation.bundles[0])
    assert ours[0][1] == (f"{figures['top1'].value:.1%}", f"{figures['top5'].value:.1%}")
    assert [name for name, _ in scenes.rows[-2:]] == ["Not in the paper", "  [4] lee"]
    assert "  [3] base" not in rows
    assert below(scenes, "AlexNet [Zhou et al. 2014]") == []
    assert dict(users.rows) == {
        "Ground Truth": ("97.7%",),
        "Proposed": ("92.6%",),
        "Baseline": ("69.8%",),
    }
    assert "of another kind" in users.remarks[0]
    names = [name for name, _ in variants.rows]
    assert names[names.index("Proposed, L*a*b*") + 1] == "  [1] full"
    assert names[names.index("Proposed, RGB") + 1] == "  [2] full-rgb"
    assert names[names.index("Baseline, YUV") + 1] == "  [3] base"
    assert names[-2:] == ["[4] lee", "grey"]
    assert set(dict(variants.rows)["Baseline, RGB"]) == {"-"}
    assert variants.remarks[0].startswith("The paper gives no figure for these")


def test_004_without_a_scene_classifier_has_a_dash(make_bundle: MakeBundle, data: Path) -> None:
    found = compared("004", [make_bundle(family="iizuka2016-baseline")], data)
    assert below(found.blocks[0], "Iizuka et al. (there: Ours)") == [("ours", ("-", "-"))]
    assert "scene accuracy left out: the model has no scene classifier" in found.credentials[0]


@pytest.mark.parametrize("paper", ["001", "003", "004"])
def test_text_is_aligned_and_json_is_whole(paper: str, make_bundle: MakeBundle, data: Path) -> None:
    models = iizuka_models(make_bundle) + olah_models(make_bundle)
    found = compared(paper, models, data)
    assert all(len(line) <= WIDTH for line in found.text().splitlines())
    for block in found.blocks:
        assert all(len(cells) == len(block.columns) for _, cells in block.rows)
        heads = [line for line in block.lines() if line.split() == " ".join(block.columns).split()]
        table = block.lines()[block.lines().index(heads[0]) :][: 1 + len(block.rows)]
        assert len({len(line) for line in table}) == 1
        assert [
            line.strip().startswith(name.strip()[:20])
            for line, (name, _) in zip(table[1:], block.rows, strict=True)
        ] == [True] * len(block.rows)
    entries = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert entries["paper"] == paper
    assert [table["title"] for table in entries["tables"]] == [b.title for b in found.blocks]
    assert len(entries["evaluations"][0]["rows"]) == 2 + len(models)


def test_the_papers_size_and_class_give_way_to_those_that_were_asked_for(
    make_bundle: MakeBundle, data: Path
) -> None:
    asked = Settings(size=32, only_class="coast")
    found = compare_with_paper("001", [make_bundle()], data, asked)
    assert found.evaluations[0].settings == asked
    with pytest.raises(DataError, match="'sea' was asked for"):
        compare_with_paper("001", [make_bundle("b")], data, Settings(only_class="sea"))


def test_another_paper_and_places_for_another_than_003_are_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="paper '002' came; one of 001, 003, 004 was needed"):
        compared("002", [], data)
    with pytest.raises(ValueError, match="a second data set came for paper 004"):
        compared("004", [], data, places=data)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")],
)
def test_durations_are_rounded_to_what_they_mean(seconds: float, text: str) -> None:
    assert duration(seconds) == text

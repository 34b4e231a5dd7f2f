"""The tables: every row, no empty column, narrow enough, and nothing left out in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from colour_folders import fill, grey_file

from trtcolor.evaluation.figures import COLOUR, OTHER
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import evaluate
from trtcolor.evaluation.table import WIDTH, aligned, table

MakeBundle = Callable[..., Path]


def test_the_tables_have_every_row_and_say_what_was_left_out(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    long = "a-bundle-whose-name-does-not-fit-into-its-column"
    models = [make_bundle("short"), make_bundle(long, training={"data": {"mean_chroma": [1, 2]}})]
    data = fill(tmp_path / "data", 3, broken=b"no picture", grey=grey_file())
    found = evaluate(models, data, Settings(limit=5, saturation=0.5))
    text = table(found)
    lines = text.splitlines()
    assert max(map(len, lines)) <= max(WIDTH, len(lines[0]))
    assert "3 pictures kept, 1 grey or low-variance dropped, 1 unreadable" in lines[0]
    assert lines[1] == "limit 5, saturation 0.5"
    first = lines.index("") + 1
    heads = lines[first].split()
    assert heads == [measure.heading for measure in COLOUR]
    names = [line[:30].strip() for line in lines[first + 1 : first + 6]]
    assert names == ["originals", "grey", "mean colour", "short", long[:28] + ".."]
    grey = dict(zip(heads, lines[first + 2].split()[1:], strict=True))
    assert grey["/grey"] == "1.000"
    assert grey["CF"] == "0.0"
    assert lines[first + 1].split().count("-") == len(COLOUR) - 1
    assert "short: bin measures left out: a regression has no colour bins" in text
    assert "mean colour of the training set left out for short" in text
    assert "unreadable: broken.png" in lines


def test_columns_that_no_row_has_are_not_shown(make_bundle: MakeBundle, tmp_path: Path) -> None:
    text = table(evaluate([make_bundle()], fill(tmp_path / "data", 1)))
    shown = {word for line in text.splitlines() for word in line.split()}
    absent = {"CE", "wCE", "bins", "top1", "top5", "LPIPS", "FID"}
    assert shown.isdisjoint(absent - {"bins"})
    assert absent < {measure.heading for measure in OTHER}


def test_a_columns_meaning_stands_below(make_bundle: MakeBundle, tmp_path: Path) -> None:
    text = " ".join(table(evaluate([make_bundle()], fill(tmp_path / "data", 1))).split())
    for measure in (*COLOUR, *OTHER[:6]):
        assert f"{measure.heading}: {measure.meaning}" in text


def test_numbers_stand_below_each_other() -> None:
    lines = aligned(["", "a", "longer heading"], [["x", "1", "2"], ["second", "-", "3.25"]])
    assert len({len(line) for line in lines}) == 1
    assert [line.split() for line in lines[1:]] == [["x", "1", "2"], ["second", "-", "3.25"]]

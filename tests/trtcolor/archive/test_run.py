"""Folders of pictures: every one coloured once, the broken ones named, nothing else touched."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import make_archive, outcomes, records, tree
from noise import picture
from PIL import Image

from trtcolor.archive.find import find_pictures
from trtcolor.archive.job import color_file, pulled_in
from trtcolor.archive.record import Identity, Record
from trtcolor.archive.run import Summary, color_pictures
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError
from trtcolor.images import read_picture
from trtcolor.metrics.gamut import share_outside_gamut
from trtcolor.spec import SizeRule


@pytest.fixture
def colorizer(make_bundle: Callable[..., Path]) -> Iterator[Colorizer]:
    with Colorizer(make_bundle(global_size=16, render_size=32), threads=1) as colorizer:
        yield colorizer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four pictures in two folders."""
    folder = tmp_path / "in"
    for number, name in enumerate(("a.png", "b.tif", "sub/a.png", "sub/c.webp")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(40 + number, 30, seed=number)).save(folder / name, lossless=True)
    return folder


def color(
    colorizer: Colorizer, source: Path, settings: PictureSettings | None = None, **options: Any
) -> Summary:
    output = source.parent / "out"
    found = find_pictures([str(source)], output=output)
    return color_pictures(colorizer, found, output, settings, **options)


def counts(summary: Summary) -> tuple[int, int, int]:
    return tuple(summary.counts[outcome] for outcome in ("coloured", "skipped", "failed"))  # type: ignore[return-value]


# ---- what is made ------------------------------------------------------------------------------


def test_each_output_is_what_the_colorizer_makes_of_its_picture(
    colorizer: Colorizer, source: Path
) -> None:
    settings = PictureSettings(saturation=0.7)
    assert counts(color(colorizer, source, settings, workers=3)) == (4, 0, 0)
    assert set(tree(source.parent / "out")) == set(tree(source))
    for name in ("a.png", "b.tif", "sub/a.png"):
        expected = colorizer.colorize(read_picture(source / name).pixels, saturation=0.7)
        assert (read_picture(source.parent / "out" / name).pixels == expected).all()


def test_a_broken_picture_is_named_and_the_others_are_made(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    archive = make_archive(tmp_path / "in", 40)
    said: list[Record] = []
    summary = color(colorizer, tmp_path / "in", tell=lambda record, _: said.append(record))
    assert counts(summary) == (32, 0, 8)
    assert set(tree(tmp_path / "out")) == archive.whole
    told = outcomes(tmp_path / "out")
    assert {name for name, (outcome, _) in told.items() if outcome == "failed"} == archive.broken
    for name in archive.broken:
        assert str(tmp_path / "in" / name) in told[name][1]
    assert len(said) == 40
    assert not list((tmp_path / "out" / ".trtcolor").rglob("*.p*"))


def test_a_file_that_is_no_picture_to_be_read_is_in_the_report(
    colorizer: Colorizer, source: Path
) -> None:
    os.mkfifo(source / "pipe.jpg")
    report = source.parent / "report.jsonl"
    assert counts(color(colorizer, source, report=report)) == (4, 0, 1)
    lines = [json.loads(line) for line in report.read_bytes().splitlines()]
    assert {"trtcolor", "settings", "model"} <= set(lines[0])
    assert lines[1]["input"] == str(source / "pipe.jpg")
    assert (lines[1]["outcome"], lines[1]["output"]) == ("failed", None)
    assert lines[1:] == records(source.parent / "out")


def test_a_record_says_all_that_is_known(colorizer: Colorizer, source: Path) -> None:
    color(colorizer, source)
    (record,) = (r for r in records(source.parent / "out") if r["output"] == "b.tif")
    assert record["source"] == vars(Identity.of(source / "b.tif"))
    assert record["made"] == vars(Identity.of(source.parent / "out" / "b.tif"))
    assert (record["height"], record["width"], record["bits"], record["pages"]) == (41, 30, 8, 1)
    assert set(record["seconds"]) == {"read", "network", "write"}  # type: ignore[call-overload]
    prepared = colorizer.prepare(read_picture(source / "b.tif").pixels)
    chroma = colorizer.predict(prepared)
    scale = prepared.plan.merge_scale
    expected = share_outside_gamut(prepared.frame.lightness, chroma, scale=scale)
    assert record["pulled_in"] == expected
    assert expected > 0


def test_names_that_are_no_text_are_coloured_and_the_journal_is_json(
    colorizer: Colorizer, source: Path
) -> None:
    names = [os.fsdecode(b"\xff\xfe.png"), "new\nline.png", 'quote".png', "é.png"]
    for name in names:
        shutil.copy(source / "a.png", source / name)
    assert counts(color(colorizer, source)) == (8, 0, 0)
    assert set(names) < {record["output"] for record in records(source.parent / "out")}
    assert set(tree(source.parent / "out")) == set(tree(source))
    assert counts(color(colorizer, source, skip_existing=True)) == (0, 8, 0)


def test_all_pages_of_a_tiff_are_coloured(colorizer: Colorizer, source: Path) -> None:
    pages = [Image.fromarray(picture(20, 30 + n, seed=n)) for n in range(3)]
    pages[0].save(source / "pages.tif", save_all=True, append_images=pages[1:])
    color(colorizer, source)
    with Image.open(source.parent / "out" / "pages.tif") as image:
        assert image.n_frames == 3
    (record,) = (r for r in records(source.parent / "out") if r["output"] == "pages.tif")
    assert (record["height"], record["width"], record["pages"]) == (20, 30, 3)


# ---- what is made again, and what is not -------------------------------------------------------


def test_outputs_that_exist_are_refused_before_the_work_unless_told(
    colorizer: Colorizer, source: Path
) -> None:
    color(colorizer, source)
    before = tree(source.parent / "out")
    with pytest.raises(OutputExistsError, match="4 of 4 outputs are there already"):
        color(colorizer, source)
    assert tree(source.parent / "out") == before
    assert counts(color(colorizer, source, overwrite=True)) == (4, 0, 0)
    assert tree(source.parent / "out") == before


def test_what_was_made_is_skipped_by_content_settings_and_model(
    colorizer: Colorizer, source: Path, make_bundle: Callable[..., Path]
) -> None:
    color(colorizer, source)
    again = {"skip_existing": True}
    assert counts(color(colorizer, source, **again)) == (0, 4, 0)
    os.utime(source / "a.png")  # copied, say
    assert counts(color(colorizer, source, **again)) == (0, 4, 0)
    Image.fromarray(picture(9, 9, seed=9)).save(source / "a.png")
    assert counts(color(colorizer, source, **again)) == (1, 3, 0)
    assert read_picture(source.parent / "out" / "a.png").pixels.shape[:2] == (9, 9)
    (source.parent / "out" / "sub" / "a.png").unlink()
    assert counts(color(colorizer, source, **again)) == (1, 3, 0)
    assert counts(color(colorizer, source, PictureSettings(saturation=2), **again)) == (4, 0, 0)
    other = make_bundle("other", global_size=16, render_size=32, seed=1)
    with Colorizer(other, threads=1) as another:
        settings = PictureSettings(saturation=2)
        assert counts(color(another, source, settings, **again)) == (4, 0, 0)


def test_pictures_that_lie_elsewhere_now_are_still_known(
    colorizer: Colorizer, source: Path
) -> None:
    color(colorizer, source)
    moved = source.rename(source.with_name("moved"))
    assert counts(color(colorizer, moved, skip_existing=True)) == (0, 4, 0)


def test_a_file_that_is_no_output_of_ours_is_not_replaced_unless_told(
    colorizer: Colorizer, source: Path
) -> None:
    output = source.parent / "out"
    output.mkdir()
    (output / "a.png").write_bytes(b"dear")
    assert counts(color(colorizer, source, skip_existing=True)) == (3, 0, 1)
    assert "is not what trtcolor made of" in outcomes(output)["a.png"][1]
    assert (output / "a.png").read_bytes() == b"dear"
    (output / "b.tif").write_bytes(b"retouched by hand")
    assert counts(color(colorizer, source, skip_existing=True)) == (0, 3, 1)
    retouched = PictureSettings(saturation=2)
    assert counts(color(colorizer, source, retouched, skip_existing=True)) == (2, 0, 2)
    assert (output / "b.tif").read_bytes() == b"retouched by hand"
    assert counts(color(colorizer, source, overwrite=True)) == (4, 0, 0)


def test_a_failure_is_tried_again_and_an_old_output_then_replaced(
    colorizer: Colorizer, source: Path
) -> None:
    color(colorizer, source)
    whole = (source / "a.png").read_bytes()
    (source / "a.png").write_bytes(whole[:100])
    for _ in range(2):
        assert counts(color(colorizer, source, skip_existing=True)) == (0, 3, 1)
    Image.fromarray(picture(9, 9)).save(source / "a.png")
    assert counts(color(colorizer, source, skip_existing=True)) == (1, 3, 0)


# ---- one picture -------------------------------------------------------------------------------


def test_a_picture_that_changes_while_it_is_read_is_not_kept(
    colorizer: Colorizer, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Colorizer.predict

    def meanwhile(self: Colorizer, prepared: Any) -> Any:
        (source / "a.png").write_bytes(b"something else")
        return predict(self, prepared)

    monkeypatch.setattr(Colorizer, "predict", meanwhile)
    output = source / "out.png"
    record = color_file(colorizer, source / "a.png", output, PictureSettings())
    assert record.outcome == "failed"
    assert "changed while it was read" in record.reason
    assert not output.exists()


def test_any_error_of_a_library_is_one_pictures_failure(
    colorizer: Colorizer, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Colorizer, "predict", fails)
    assert counts(color(colorizer, source)) == (0, 0, 4)
    assert "takes more memory than there is" in outcomes(source.parent / "out")["a.png"][1]


def test_the_share_pulled_in_of_a_large_picture_is_near_that_of_all_its_pixels(
    make_bundle: Callable[..., Path],
) -> None:
    ramp = np.linspace(0, 255, 1500 * 1400).reshape(1500, 1400).astype(np.uint8)
    with Colorizer(make_bundle(render_size=64), threads=1) as colorizer:
        prepared = colorizer.prepare(ramp)
        chroma = colorizer.predict(prepared) * 3
    scale = prepared.plan.merge_scale
    whole = share_outside_gamut(prepared.frame.lightness, chroma, scale=scale)
    assert 0.05 < whole < 0.95
    assert pulled_in(prepared, chroma) == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize(
    "settings", [{"format": "gif"}, {"quality": 0}, {"saturation": -1}, {"max_pixels": 0}]
)
def test_settings_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="was needed"):
        PictureSettings(**settings)


@pytest.mark.parametrize("memory", [None, 10**8])
def test_a_limit_of_the_networks_memory_is_that_of_all_pictures(
    memory: int | None,
    source: Path,
    make_bundle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = SizeRule(8, 2, 32, render_size=32, halo=8)
    at_once, most, lock = [0], [0], threading.Lock()
    predict = Colorizer.predict

    def counted(self: Colorizer, prepared: Any) -> Any:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        end = time.monotonic() + (30 if memory is None else 0.1)
        while most[0] == 1 and time.monotonic() < end:
            time.sleep(0.005)  # for another one to come
        with lock:
            at_once[0] -= 1
        return predict(self, prepared)

    monkeypatch.setattr(Colorizer, "predict", counted)
    with Colorizer(make_bundle(size=size), threads=1, memory=memory) as colorizer:
        assert counts(color(colorizer, source, workers=4)) == (4, 0, 0)
    assert (most[0] == 1) is (memory is not None)

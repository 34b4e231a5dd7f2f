"""Pictures coloured into a store: the same as into a folder, and nothing is ever half there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import pytest
from archives import Archive, make_archive
from command_line import run
from object_stores import KEY, SECRET, Bucket

from trtcolor.archive.find import find_pictures
from trtcolor.archive.making import Maker
from trtcolor.archive.record import Record
from trtcolor.archive.run import Summary, color_pictures
from trtcolor.archive.settings import PictureSettings
from trtcolor.archive.single import color_picture
from trtcolor.archive.sources import source_of
from trtcolor.archive.store_place import StorePlace
from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, PictureError, StoreError, StoreUnreachableError
from trtcolor.stores.address import Address, place_of
from trtcolor.stores.objects import copy


@pytest.fixture
def colorizer(make_bundle: Callable[..., Path]) -> Iterator[Colorizer]:
    with Colorizer(make_bundle("network", global_size=16, render_size=32), threads=1) as colorizer:
        yield colorizer


@pytest.fixture
def archive(tmp_path: Path, bucket: Bucket) -> Archive:
    """The same pictures in a folder and in a store."""
    archive = make_archive(tmp_path / "in", 20)
    for path in (tmp_path / "in").rglob("*.*"):
        bucket.fill({f"in/{path.relative_to(tmp_path / 'in').as_posix()}": path.read_bytes()})
    return archive


def color(colorizer: Colorizer, source: object, output: object, **options: object) -> Summary:
    place = place_of(str(output))
    found = find_pictures([str(source)], output=place)
    return color_pictures(colorizer, found, place, **options)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".trtcolor" not in path.parts
    }


def told(bucket: Bucket, prefix: str) -> dict[str | None, Record]:
    """The last record of each output, from the journal."""
    lines = bucket.load(f"{prefix}/.trtcolor/results.jsonl").splitlines(keepends=True)[1:]
    records = [record for line in lines if (record := Record.from_line(line))]
    assert len(records) == len(lines)
    return {record.output: record for record in records}


@pytest.mark.parametrize("read", ["folder", "store"])
@pytest.mark.parametrize("write", ["folder", "store"])
def test_a_store_has_the_same_outputs_as_a_folder(
    colorizer: Colorizer, archive: Archive, bucket: Bucket, tmp_path: Path, read: str, write: str
) -> None:
    source = tmp_path / "in" if read == "folder" else f"{bucket.url}/in"
    output = tmp_path / "out" if write == "folder" else f"{bucket.url}/out"
    color(colorizer, tmp_path / "in", tmp_path / "same")
    summary = color(colorizer, source, output)
    assert summary.counts == {"coloured": 16, "skipped": 0, "failed": 4}
    made = files(tmp_path / "out") if write == "folder" else bucket.content("out")
    assert made == files(tmp_path / "same")
    assert set(made) == archive.whole
    if write == "store":
        assert bucket.inner("out") == ["results.jsonl"]
        records = told(bucket, "out")
        assert {name for name, record in records.items() if record.made} == archive.whole


def test_a_second_run_leaves_what_is_made_and_makes_what_is_gone(
    colorizer: Colorizer, archive: Archive, bucket: Bucket
) -> None:
    source, output = f"{bucket.url}/in", f"{bucket.url}/out"
    color(colorizer, source, output)
    whole = bucket.content("out")
    gone, altered = sorted(whole)[:2]
    bucket.remove(f"out/{gone}")
    bucket.fill({f"out/{altered}": b"mine"})
    summary = color(colorizer, source, output, skip_existing=True)
    assert summary.counts == {"coloured": 1, "skipped": 15, "failed": 4}
    assert bucket.content("out") == whole | {altered: b"mine"}  # as of a file of the user's
    settings = PictureSettings(saturation=0.5)
    summary = color(colorizer, source, output, settings=settings, skip_existing=True)
    assert summary.counts == {"coloured": 15, "skipped": 0, "failed": 5}
    assert bucket.content("out")[altered] == b"mine"
    assert told(bucket, "out")[altered].outcome == "failed"


def test_what_is_there_is_replaced_only_when_asked(
    colorizer: Colorizer, archive: Archive, bucket: Bucket
) -> None:
    name = sorted(archive.whole)[0]
    bucket.fill({f"out/{name}": b"mine"})
    with pytest.raises(OutputExistsError, match=f"^1 of 20 outputs .* {bucket.url}/out/{name}"):
        color(colorizer, f"{bucket.url}/in", f"{bucket.url}/out")
    assert bucket.inner("out") == []
    color(colorizer, f"{bucket.url}/in", f"{bucket.url}/out", overwrite=True)
    assert bucket.content("out")[name] != b"mine"
    assert set(bucket.content("out")) == archive.whole


def test_an_original_in_a_store_is_never_replaced_by_its_copy(
    colorizer: Colorizer, archive: Archive, bucket: Bucket
) -> None:
    name = sorted(archive.whole)[0]
    original = bucket.load(f"in/{name}")
    place = place_of(f"{bucket.url}/in/{name}")
    with pytest.raises(PictureError, match="an output beside the original was needed"):
        color_picture(colorizer, source_of(place), place, PictureSettings(), overwrite=True)
    assert bucket.load(f"in/{name}") == original


def test_what_comes_during_a_run_is_not_replaced_by_it(
    colorizer: Colorizer, archive: Archive, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = sorted(archive.whole)[0]
    make = Maker.make

    def making(self: Maker, task: object) -> object:
        bucket.fill({f"out/{name}": b"mine"})
        return make(self, task)  # type: ignore[arg-type]

    monkeypatch.setattr(Maker, "make", making)
    summary = color(colorizer, f"{bucket.url}/in", f"{bucket.url}/out", overwrite=True)
    assert summary.counts == {"coloured": 15, "skipped": 0, "failed": 5}
    assert bucket.content("out")[name] == b"mine"
    assert "is there already" in told(bucket, "out")[name].reason


def test_a_line_is_stored_before_its_output_has_a_name(
    colorizer: Colorizer, archive: Archive, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def copying(source: Address, target: Address, *, overwrite: bool) -> None:
        lines = b"".join(
            bucket.load(f"out/.trtcolor/{name}")
            for name in bucket.inner("out")
            if name.startswith("journal/")
        )
        name = target.relative_to(Address("s3", f"{bucket.name}/out")).as_posix()
        records = map(Record.from_line, lines.splitlines(keepends=True))
        assert any(record and record.output == name and record.made for record in records)
        assert name not in bucket.content("out")
        copy(source, target, overwrite=overwrite)
        seen.append(name)

    monkeypatch.setattr("trtcolor.archive.store_place.copy", copying)
    color(colorizer, f"{bucket.url}/in", f"{bucket.url}/out")
    assert set(seen) == archive.whole


def test_what_a_dead_run_left_is_gone_and_what_it_remembered_is_kept(bucket: Bucket) -> None:
    line = Record("s3://x/a.png", "a.png", "coloured").line()
    bucket.fill(
        {
            "out/.trtcolor/parts/1.png": b"half",
            "out/.trtcolor/journal/1-0.jsonl": line,
            "out/.trtcolor/results.jsonl": b'{"trtcolor": "0"}\n'
            + Record("s3://x/b.png", "b.png", "coloured").line(),
        }
    )
    bucket.begin_upload("out/.trtcolor/parts/2.png")
    with (
        StorePlace(Address("s3", f"{bucket.name}/out")) as place,
        place.journal({"trtcolor": "1"}) as journal,
    ):
        assert bucket.uploads() == []
        assert [name for name in bucket.inner("out") if "locks/" not in name] == ["results.jsonl"]
        assert journal.made("a.png") is not None
        assert journal.made("b.png") is not None
        with pytest.raises(StoreError, match=f"process {os.getpid()} on .* is at work on s3://"):
            StorePlace(Address("s3", f"{bucket.name}/out"))
    assert bucket.inner("out") == ["results.jsonl"]


def test_who_lost_a_prefix_leaves_what_the_next_run_has_there(bucket: Bucket) -> None:
    journal_line = Record("s3://x/a.png", "a.png", "coloured").line()
    theirs = {
        "out/.trtcolor/parts/1.png": b"on its way",
        "out/.trtcolor/journal/9-0.jsonl": journal_line,
        "out/.trtcolor/results.jsonl": b'{"trtcolor": "2"}\n',
    }
    with StorePlace(Address("s3", f"{bucket.name}/out")) as place:
        journal = place.journal({"trtcolor": "1"})
        journal.add(Record("s3://x/b.png", "b.png", "coloured"), durable=True)
        place.desk.check()
        place._lease._lost = "another run took it"
        bucket.fill(theirs)
        bucket.begin_upload("out/.trtcolor/parts/2.png")
        with pytest.raises(StoreUnreachableError, match="another run took it"):
            journal.close()
    assert {name: bucket.load(name) for name in theirs} == theirs
    assert bucket.uploads() == ["out/.trtcolor/parts/2.png"]


def test_a_machine_that_sees_another_store_says_so(bucket: Bucket) -> None:
    with StorePlace(Address("s3", f"{bucket.name}/out")) as place:
        with place.journal({"trtcolor": "1"}):
            place.desk.check()
        held = place.desk
    with pytest.raises(PictureError, match="the same store was needed on all machines"):
        held.check()  # as one that has what an earlier run left


def test_a_part_that_is_not_kept_was_never_stored(bucket: Bucket) -> None:
    with StorePlace(Address("s3", f"{bucket.name}/out")) as place:
        desk = place.desk
        desk_is_there = [desk.is_there(PurePath("a.png"))]
        with desk.part(PurePath("a.png")) as part:
            part.file.write_bytes(b"half")
        assert [name for name in bucket.inner("out") if "parts" in name] == []
        with desk.part(PurePath("b/a.png")) as part:
            part.file.write_bytes(b"whole")
            kept = part.keep()
        place.put(kept, PurePath("b/a.png"), overwrite=False)
        desk_is_there.append(desk.is_there(PurePath("b/a.png")))
        assert desk_is_there == [False, True]
        with pytest.raises(StoreError, match="is not there"):  # as a doubled task's
            place.put(kept, PurePath("c.png"), overwrite=False)
    assert bucket.content("out") == {"b/a.png": b"whole"}


def test_reports_and_lists_and_styles_may_lie_in_stores_and_show_no_key(
    make_bundle: Callable[..., Path], archive: Archive, bucket: Bucket, tmp_path: Path
) -> None:
    model = make_bundle("network", global_size=16, render_size=32)
    name = sorted(archive.whole)[0]
    bucket.fill({"list": f"{bucket.url}/in\n{bucket.url}/gone.png\n".encode()})
    arguments = ["--list", f"{bucket.url}/list", "-o", f"{bucket.url}/out", "--model", model]
    arguments += ["--style", f"{bucket.url}/in/{name}", "--sheet", tmp_path / "sheet.png"]
    done = run("colorize", *arguments, "--report", f"{bucket.url}/report.jsonl")
    assert done.returncode == 1
    assert f"{bucket.url}/gone.png is not there" in done.stderr
    lines = bucket.load("report.jsonl").decode().splitlines()
    head, records = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
    assert (head["root"], head["folder"]) == (bucket.url, f"{bucket.url}/out")
    assert {record["input"] for record in records if record["outcome"] == "coloured"} == {
        f"{bucket.url}/in/{name}" for name in archive.whole
    }
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    everything = done.stdout + done.stderr + "".join(lines)
    assert SECRET not in everything
    assert KEY not in everything

"""Shards: whole and cut short, compressed and not, with labels and without."""

from __future__ import annotations

import gzip
import multiprocessing
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from data_files import colours, encoded, labelled, write_shard
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.dataset import decode, in_threads, open_pictures
from trtcolor.errors import DataError
from trtcolor.shards import Span, read_shard


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tgz"])
def test_a_shard_gives_its_pictures_in_order_with_labels_and_class_names(
    ending: str, tmp_path: Path
) -> None:
    shard = write_shard(tmp_path / f"val-000{ending}", labelled("b", "a"))
    (tmp_path / "classes.txt").write_text("abbey\nbaseball field\n")
    pictures = open_pictures(shard)
    assert [(s.key, s.label) for s in pictures.samples] == [("b", 0), ("a", 1)]
    assert pictures.classes == ("abbey", "baseball field")
    np.testing.assert_array_equal(decode(pictures.samples[1]), colours(1))


def test_a_pattern_and_a_folder_take_their_shards_in_the_order_of_names(tmp_path: Path) -> None:
    write_shard(tmp_path / "val-001.tar", {"second.png": encoded(colours())})
    write_shard(tmp_path / "val-000.tar.gz", {"first.png": encoded(colours())})
    write_shard(tmp_path / "train-000.tar", {"other.png": encoded(colours())})
    by_pattern = open_pictures(str(tmp_path / "val-*"))
    assert [sample.key for sample in by_pattern.samples] == ["first", "second"]
    assert [s.key for s in open_pictures(tmp_path).samples] == ["other", "first", "second"]


def test_a_shard_without_labels_gives_none(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", {"x.png": encoded(colours()), "x.txt": b"a note"})
    pictures = open_pictures(shard)
    assert [sample.label for sample in pictures.samples] == [None]
    assert pictures.classes == ()


def test_labels_without_class_names_are_refused(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", labelled("x"))
    with pytest.raises(DataError, match="labels from 0 to 0 for 0 class names"):
        open_pictures(shard)


def test_a_label_beyond_the_class_names_is_refused(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", labelled("x", "y"))
    (tmp_path / "classes.txt").write_text("one\n")
    with pytest.raises(DataError, match="labels from 0 to 1 for 1 class names"):
        open_pictures(shard)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
def test_a_shard_that_is_cut_short_keeps_what_was_whole_and_is_counted(
    ending: str, tmp_path: Path
) -> None:
    members = {f"p{index}.png": encoded(colours(index)) for index in range(6)}
    shard = write_shard(tmp_path / f"a{ending}", members)
    content = shard.read_bytes()
    shard.write_bytes(content[: len(content) * 2 // 3])
    pictures = open_pictures(shard)
    assert 0 < len(pictures) < 6
    for index, sample in enumerate(pictures.samples):
        np.testing.assert_array_equal(decode(sample), colours(index))
    assert len(pictures.unreadable) == 1
    assert shard.name in pictures.unreadable[0]


def test_a_file_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"this is text" * 99)
    with pytest.raises(DataError, match="no picture in"):
        open_pictures(tmp_path / "a.tar")


def test_a_shard_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"junk" * 100)
    with pytest.raises(DataError, match=r"no picture .* \(a\.tar \(no tar archive\)\); a folder"):
        open_pictures(tmp_path)


def test_why_a_shard_cannot_be_read_names_no_path_of_this_machine(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.tar", {"x.png": encoded(colours())})
    (tmp_path / "b.tar").mkdir()
    (tmp_path / "c.tar.gz").symlink_to(tmp_path / "nowhere")
    assert open_pictures(tmp_path).unreadable == [
        "b.tar (Is a directory)",
        "c.tar.gz (No such file or directory)",
    ]


def test_an_uncompressed_shard_is_read_on_demand_and_a_compressed_one_kept(tmp_path: Path) -> None:
    plain = open_pictures(write_shard(tmp_path / "a.tar", {"x.png": encoded(colours())}))
    packed = open_pictures(write_shard(tmp_path / "b.tgz", {"x.png": encoded(colours())}))
    assert isinstance(plain.samples[0].encoded, Span)
    assert isinstance(packed.samples[0].encoded, bytes)
    assert plain.samples[0].read() == packed.samples[0].read() == encoded(colours())


def test_a_compressed_shard_is_known_by_its_content(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", {"x.png": encoded(colours())})
    shard.write_bytes(gzip.compress(shard.read_bytes()))
    np.testing.assert_array_equal(decode(open_pictures(shard).samples[0]), colours())


def test_threads_and_forked_processes_read_a_shard_at_once(tmp_path: Path) -> None:
    members = {f"{index:03d}.png": encoded(colours(index)) for index in range(64)}
    samples = open_pictures(write_shard(tmp_path / "a.tar", members)).samples * 4
    assert in_threads(lambda sample: sample.read(), samples, 4) == [*members.values()] * 4
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(Span.read, [sample.encoded for sample in samples[:64]]) == [
            *members.values()
        ]


@pytest.mark.parametrize("change", ["shorter", "gone"])
def test_a_shard_that_has_changed_since_names_the_picture(change: str, tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", {"x.png": encoded(colours())})
    (sample,) = open_pictures(shard).samples
    if change == "gone":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"^x could not be decoded \(.*a\.tar"):
        decode(sample)


MEMBERS = labelled("a", "b", "c")


@given(share=st.floats(0, 1), labels=st.booleans(), border=st.booleans())
def test_a_shard_cut_anywhere_gives_whole_pictures_and_tells_of_the_damage(
    share: float, labels: bool, border: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    members = {n: m for n, m in MEMBERS.items() if labels or n.endswith(".png")}
    shard = write_shard(tmp_path_factory.mktemp("cut") / "a.tar", members)
    content = shard.read_bytes()
    cut = round(share * len(content))
    cut -= cut % 512 if border else 0
    shard.write_bytes(content[:cut])
    found = read_shard(shard)
    for key, at in found.pictures.items():
        assert isinstance(at, Span)
        assert at.read() == members[f"{key}.png"]
    end = max(content.rfind(m) + len(m) for m in members.values())
    first_mark = -(-end // 512) * 512
    assert (found.damage is None) == (cut >= first_mark + 512)
    if cut >= end:
        assert list(found.pictures) == ["a", "b", "c"]


@pytest.mark.parametrize("cut_at", [b"x.cls", b"y.cls"])
def test_a_picture_whose_label_was_cut_off_goes_with_it(cut_at: bytes, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("sea\nforest\n")
    write_shard(tmp_path / "a.tar", labelled("v", "w"))
    shard = write_shard(tmp_path / "b.tar", labelled("x", "y"))
    content = shard.read_bytes()
    shard.write_bytes(content[: content.index(cut_at)])
    pictures = open_pictures(tmp_path)
    kept = ["v", "w"] if cut_at == b"x.cls" else ["v", "w", "x"]
    assert [sample.key for sample in pictures.samples] == kept
    assert pictures.unreadable == ["b.tar (it ends without the end mark of an archive)"]


def test_a_shard_overwritten_in_the_middle_keeps_what_came_before(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", labelled("x", "y"))
    content = shard.read_bytes()
    middle = content.index(b"y.png")
    shard.write_bytes(content[:middle] + b"junk" * 128 + content[middle + 512 :])
    found = read_shard(shard)
    assert list(found.pictures) == ["x"]
    assert found.damage


def test_a_sparse_member_is_read_whole(tmp_path: Path) -> None:
    tar = shutil.which("tar")
    if tar is None or b"GNU" not in subprocess.check_output([tar, "--version"]):
        pytest.skip("GNU tar writes sparse members")
    (tmp_path / "x.png").write_bytes(encoded(colours()))
    with (tmp_path / "x.png").open("r+b") as file:
        file.truncate(1 << 20)
    shard = tmp_path / "a.tar"
    subprocess.run([tar, "--sparse", "-cf", shard, "x.png"], check=True, cwd=tmp_path)
    assert shard.stat().st_size < 1 << 20
    np.testing.assert_array_equal(decode(open_pictures(shard).samples[0]), colours())


def test_a_label_that_is_no_number_ends_the_shard_and_is_named(tmp_path: Path) -> None:
    members = labelled("a", "b") | {"b.cls": b"beach"}
    shard = read_shard(write_shard(tmp_path / "a.tar", members))
    assert shard.damage == "b.cls is no class number"
    assert shard.labels == {"a": 0}

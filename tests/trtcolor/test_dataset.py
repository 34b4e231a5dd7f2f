"""Data sets as they lie on disk: folders, shards whole and cut short, labels, and the filter."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trtcolor import color
from trtcolor.dataset import (
    PictureSet,
    Sample,
    decode,
    drop_colourless,
    in_threads,
    is_colourful,
    open_pictures,
)
from trtcolor.errors import DataError


def colours(seed: int = 0, size: tuple[int, int] = (24, 32)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def encoded(pixels: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def write_shard(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def labelled(*keys: str) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for index, key in enumerate(keys):
        members[f"{key}.png"] = encoded(colours(index))
        members[f"{key}.cls"] = str(index).encode()
    return members


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


def test_sub_folders_are_classes_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("sea/2.PNG", "forest/deep/1.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(encoded(colours()))
    (tmp_path / "sea" / "notes.txt").write_text("no picture")
    pictures = open_pictures(tmp_path)
    assert pictures.classes == ("forest", "sea")
    assert [(s.key, s.label) for s in pictures.samples] == [
        ("forest/deep/1.png", 0),
        ("sea/2.PNG", 1),
    ]


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(encoded(colours()))
    pictures = open_pictures(tmp_path)
    assert pictures.classes == ()
    assert [(s.key, s.label) for s in pictures.samples] == [("one.png", None)]


def test_classes_txt_gives_the_order_of_a_folders_labels(tmp_path: Path) -> None:
    for name in ("sea", "forest"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(encoded(colours()))
    (tmp_path / "classes.txt").write_text("sea\nforest\n")
    assert [sample.label for sample in open_pictures(tmp_path).samples] == [1, 0]


@pytest.mark.parametrize("name", ["missing", "missing-*.tar", "empty"])
def test_a_source_without_pictures_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no data at|no picture in"):
        open_pictures(tmp_path / name)


def test_a_file_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"this is text" * 99)
    with pytest.raises(DataError, match="no picture in"):
        open_pictures(tmp_path / "a.tar")


def test_decoding_scales_to_a_square_and_turns_grey_to_rgb() -> None:
    grey = np.full((10, 30), 77, np.uint8)
    picture = decode(Sample("x", encoded(grey), None), 8)
    np.testing.assert_array_equal(picture, np.full((8, 8, 3), 77))


def test_decoding_turns_a_picture_upright_by_its_exif() -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # the file's rows are the picture's columns, from the right
    Image.fromarray(colours()).save(stream, "PNG", exif=exif)
    upright = decode(Sample("x", stream.getvalue(), None))
    np.testing.assert_array_equal(upright, np.rot90(colours(), -1))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_damaged_pictures_are_data_errors_whatever_the_damage(kind: str) -> None:
    whole = encoded(colours(), kind)
    rng = np.random.default_rng(9)
    refused = []
    for _ in range(60):
        broken = bytearray(whole[: rng.integers(1, len(whole))])
        broken[rng.integers(len(broken))] ^= 255
        try:
            assert decode(Sample("x", bytes(broken), None)).shape[2] == 3
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 30
    assert all(message.startswith("x could not be decoded") for message in refused)


def test_a_file_that_has_gone_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png could not be decoded"):
        decode(Sample("gone.png", tmp_path / "gone.png", None))


def test_grey_and_flat_pictures_are_not_colourful_and_others_are() -> None:
    grey = colours()[..., :1].repeat(3, axis=2)
    flat = np.full((8, 8, 3), (200, 40, 40), np.uint8)
    found = [is_colourful(color.lab_from_rgb(picture)) for picture in (grey, flat, colours())]
    assert found == [False, False, True]


def test_the_filter_keeps_colour_and_counts_what_it_drops(tmp_path: Path) -> None:
    grey = colours()[..., :1].repeat(3, axis=2)
    members = {
        "first.png": encoded(colours(1)),
        "grey.png": encoded(grey),
        "broken.png": encoded(colours(2))[:200],
        "last.png": encoded(colours(3)),
    }
    pictures = open_pictures(write_shard(tmp_path / "a.tar", members))
    pictures.unreadable.append("a shard")
    kept, counts = drop_colourless(pictures)
    assert [sample.key for sample in kept.samples] == ["first", "last"]
    assert kept.unreadable == ["a shard", "broken"]
    assert (counts.kept, counts.colourless, counts.unreadable) == (2, 1, 2)
    assert str(counts) == "2 pictures kept, 1 grey or low-variance dropped, 2 unreadable"


def test_a_set_without_any_colour_picture_is_refused() -> None:
    grey = Sample("grey", encoded(colours()[..., :1].repeat(3, axis=2)), None)
    with pytest.raises(DataError, match="no colour picture left"):
        drop_colourless(PictureSet([grey]))


def test_threads_give_results_in_the_order_of_the_samples() -> None:
    samples = [Sample(str(index), b"", None) for index in range(50)]
    assert in_threads(lambda s: s.key, samples, 4) == [s.key for s in samples]


def test_a_shard_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"junk" * 100)
    with pytest.raises(DataError, match=r"no picture in .*a\.tar \("):
        open_pictures(tmp_path)


def test_class_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\xff\xfe")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"classes\.txt cannot be read"):
        open_pictures(tmp_path)

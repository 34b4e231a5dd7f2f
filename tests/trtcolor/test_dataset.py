"""Data sets: folders, labels, decoding, the filter and its fingerprint."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_files import colours, encoded, labelled, write_shard
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


def test_class_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\xff\xfe")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"classes\.txt cannot be read"):
        open_pictures(tmp_path)


def test_a_large_jpeg_reduced_by_its_decoder_is_the_picture_reduced() -> None:
    small = Image.fromarray(colours(size=(20, 30)))
    large = small.resize((900, 600), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    large.save(stream, "JPEG", quality=95)
    reduced = decode(Sample("x", stream.getvalue(), None), 60)
    truth = large.resize((60, 60), Image.Resampling.BILINEAR)
    assert np.abs(reduced.astype(int) - np.asarray(truth)).mean() < 2


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_threads_give_results_in_the_order_of_the_samples(count: int) -> None:
    samples = [Sample(str(index), b"", None) for index in range(count)]
    assert in_threads(lambda s: s.key, samples, 4) == [s.key for s in samples]


def test_the_mean_colour_is_that_of_the_pictures_kept_at_the_size_they_were_judged_at() -> None:
    pictures = three()
    kept, _ = drop_colourless(pictures, side=16)
    labs = [color.lab_from_rgb(decode(sample, 16))[..., 1:] for sample in pictures.samples[:2]]
    np.testing.assert_allclose(kept.mean_chroma, np.mean(labs, axis=(0, 1, 2)), rtol=1e-5)
    assert pictures.mean_chroma is None


def fingerprint(pictures: PictureSet) -> str:
    kept, _ = drop_colourless(pictures)
    assert pictures.fingerprint is None
    assert kept.fingerprint is not None
    return kept.fingerprint


def three() -> PictureSet:
    """Two pictures of classes 0 and 1 and a grey one."""
    grey = encoded(colours()[..., :1].repeat(3, axis=2))
    samples = [Sample("a", encoded(colours(1)), 0), Sample("b", encoded(colours(2)), 1)]
    return PictureSet([*samples, Sample("grey", grey, 1)], ("sea", "forest"))


def test_the_fingerprint_is_that_of_the_pictures_kept() -> None:
    pictures = three()
    known = fingerprint(pictures)
    assert len(bytes.fromhex(known)) == 32
    assert fingerprint(replace(pictures, samples=pictures.samples[:2])) == known
    broken = Sample("c", encoded(colours(3))[:100], 0)
    assert fingerprint(replace(pictures, samples=[*pictures.samples, broken])) == known


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, classes=("forest", "sea")),
        lambda s: replace(s, samples=s.samples[::-1]),
        lambda s: replace(s, samples=s.samples[:1]),
        lambda s: replace(s, samples=[replace(s.samples[0], key="c"), s.samples[1]]),
        lambda s: replace(s, samples=[replace(s.samples[0], label=1), s.samples[1]]),
        lambda s: replace(s, samples=[replace(s.samples[0], label=None), s.samples[1]]),
        lambda s: replace(
            s, samples=[replace(s.samples[0], encoded=encoded(colours(9))), s.samples[1]]
        ),
    ],
    ids=["classes", "order", "one less", "key", "label", "no label", "content"],
)
def test_the_fingerprint_tells_whatever_has_changed(
    change: Callable[[PictureSet], PictureSet],
) -> None:
    assert fingerprint(change(three())) != fingerprint(three())


def test_the_fingerprint_is_the_same_wherever_the_bytes_lie(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("sea\nforest\n")
    found = {
        fingerprint(open_pictures(write_shard(tmp_path / name, labelled("a", "b"))))
        for name in ("plain.tar", "packed.tar.gz", "other-name.tgz")
    }
    assert len(found) == 1


def test_keys_that_are_no_text_have_a_fingerprint_too() -> None:
    picture = three().samples[0]
    assert fingerprint(PictureSet([replace(picture, key="\udcff")]))

"""No two pictures come to one output, on any file system, whatever their order."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.archive.names import FORMATS, SUFFIXES, output_names
from trtcolor.images import WRITE_FORMATS

ROOT = Path("/in")


def named(*names: str, format: str | None = None) -> list[str]:
    return [str(name) for name in output_names([ROOT / name for name in names], ROOT, format)]


def test_a_picture_keeps_its_name_and_its_folders() -> None:
    assert named("a.jpg", "b/c.PNG", "b/d/e.tiff") == ["a.jpg", "b/c.PNG", "b/d/e.tiff"]


def test_what_is_not_written_becomes_png() -> None:
    assert named("a.gif", "b.jpe", "c", "scan.2") == ["a.png", "b.jpg", "c.png", "scan.2.png"]


def test_a_format_changes_the_suffix_of_other_formats_alone() -> None:
    assert named("a.png", "b.jpeg", "c.jpg", format="jpeg") == ["a.jpg", "b.jpeg", "c.jpg"]


def test_pictures_that_would_come_to_one_name_are_kept_apart() -> None:
    assert named("a.jpg", "a.png") == ["a.jpg", "a.png"]
    assert named("a.jpg", "a.png", format="png") == ["a.jpg.png", "a.png"]
    assert named("a.jpg", "a.tif", format="png") == ["a.jpg.png", "a.tif.png"]
    assert named("A.png", "a.png") == ["A.png", "a.png.png"]
    assert named("a.gif", "a.png", "a.gif.png") == ["a.gif (2).png", "a.png", "a.gif.png"]
    assert named("x/a.png", "X/A.png") == ["x/a.png.png", "X/A.png"]


def test_a_picture_does_not_take_the_name_of_a_folder() -> None:
    assert named("a.gif", "a.png/x.png", "A.PNG/b.png/y.png") == [
        "a.gif.png",
        "a.png/x.png",
        "A.PNG/b.png/y.png",
    ]
    assert named("b.gif", "b.png/c.jpg", "b.gif.png/d.jpg")[0] == "b.gif (2).png"


def test_accents_in_two_codings_are_one_name() -> None:
    accents = [unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")]
    assert len(set(named(*accents))) == 2
    assert len({unicodedata.normalize("NFC", name) for name in named(*accents)}) == 2


STEMS = st.sampled_from(["a", "A", "a.jpg", "a.png", "ß", "SS", "é", "é", "\udcff", "a (2)"])
NAMES = st.builds(
    lambda folder, stem, suffix: f"{folder}{stem}{suffix}",
    st.sampled_from(["", "b/", "B/"]),
    STEMS,
    st.sampled_from([".png", ".PNG", ".jpg", ".gif", ".bmp.gif", ".x", ""]),
)


@given(
    st.sets(NAMES, min_size=1, max_size=30),
    st.sampled_from([None, *FORMATS]),
    st.integers(0, 2**32),
)
def test_no_two_outputs_are_one_file_and_order_does_not_matter(
    names: set[str], format: str | None, seed: int
) -> None:
    order = sorted(names)
    found = dict(zip(order, named(*order, format=format), strict=True))
    folded = {unicodedata.normalize("NFC", name.casefold()) for name in found.values()}
    assert len(folded) == len(names)
    for name, output in found.items():
        assert PurePath(output).suffix.lower() in WRITE_FORMATS
        assert PurePath(output).parent == PurePath(name).parent
    shuffled = random.Random(seed).sample(order, len(order))
    assert dict(zip(shuffled, named(*shuffled, format=format), strict=True)) == found


@pytest.mark.parametrize("suffix", sorted(WRITE_FORMATS))
def test_what_can_be_written_is_found_in_folders(suffix: str) -> None:
    assert suffix in SUFFIXES

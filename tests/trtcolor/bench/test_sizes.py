"""Picture sizes as they stand on a command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.bench.sizes import MAX_SIDE, parse_sizes, size_text

SIDES = st.integers(1, MAX_SIDE)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("224", [(224, 224)]),
        ("224,512,640x480", [(224, 224), (512, 512), (480, 640)]),
        (" 1X2 , 16384 ", [(2, 1), (16384, 16384)]),
    ],
)
def test_sizes_are_read_width_first_and_given_height_first(
    text: str, sizes: list[tuple[int, int]]
) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize(
    "text",
    ["", ",", "224,", "0", "-5", "10x0", "x", "10x", "1x2x3", "1.5", "²", "16385", "9" * 99, "a"],
)
def test_text_that_is_no_size_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="N or WIDTHxHEIGHT with sides from 1 to 16384"):
        parse_sizes(text)


@pytest.mark.parametrize("text", ["224,224", "224,512,224x224"])
def test_a_size_that_comes_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="comes twice"):
        parse_sizes(text)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, unique=True))
def test_what_is_written_is_read_back(sizes: list[tuple[int, int]]) -> None:
    assert parse_sizes(",".join(map(size_text, sizes))) == sizes

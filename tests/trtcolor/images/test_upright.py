"""Metadata is made true in place: nothing moves that a maker's note might point to."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_corpus import XMP, exif_block
from PIL import Image

from trtcolor.images.directory import (
    Directory,
    Entry,
    block_from_directory,
    count_directories,
    directory_from_block,
)
from trtcolor.images.metadata import resources
from trtcolor.images.upright import exif_made_true, without_orientation, xmp_made_true


def pillow_tags(block: bytes) -> dict[int, object]:
    exif = Image.Exif()
    exif.load(block)
    return {**exif, **exif.get_ifd(0x8769), **exif.get_ifd(0x8825)}


def test_the_orientation_becomes_1_and_all_other_values_stay() -> None:
    before, after = exif_block(), exif_made_true(exif_block(), turned=False)
    expected = pillow_tags(before) | {0x0112: 1}
    assert pillow_tags(after) == expected


def test_the_thumbnail_is_gone_and_what_lies_before_it_has_not_moved() -> None:
    before, after = exif_block(), exif_made_true(exif_block(), turned=False)
    assert count_directories(io.BytesIO(before)) == 2
    assert count_directories(io.BytesIO(after)) == 1
    assert b"\xff\xd8" in before
    assert b"\xff\xd8" not in after
    changed = [at for at, pair in enumerate(zip(before, after, strict=False)) if len({*pair}) > 1]
    assert len(changed) <= 6  # the orientation and the link


def test_a_thumbnail_amid_the_block_is_blanked() -> None:
    block = exif_block() + b"a maker's note"
    after = exif_made_true(block, turned=False)
    assert len(after) == len(block)
    assert b"\xff\xd8" not in after
    assert after.endswith(b"a maker's note")


def test_width_and_height_are_exchanged_where_the_picture_was_turned() -> None:
    tags = pillow_tags(exif_made_true(exif_block(), turned=True))
    assert (tags[0xA002], tags[0xA003]) == (20, 24)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_orientation_is_taken_out_and_the_rest_stays(order: str) -> None:
    directory = Directory("<" if order == "<" else ">")
    directory.entries[0x010F] = Entry(2, b"A long maker\0")
    directory.set_numbers(0x0112, 3, 6)
    directory.set_numbers(0x0213, 3, 1)
    block = without_orientation(block_from_directory(directory))
    found = directory_from_block(block)
    assert set(found.entries) == {0x010F, 0x0213}
    assert found.entries[0x010F].data == b"A long maker\0"
    assert found.next == 0


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_a_broken_block_gives_an_upright_one_or_none(at: int, junk: bytes, turned: bool) -> None:
    block = bytearray(exif_block())
    at %= len(block)
    block[at : at + len(junk)] = junk
    for whole in (bytes(block), bytes(block[:at])):
        after = exif_made_true(whole, turned=turned)
        assert after == b"" or pillow_tags(after).get(0x0112, 1) == 1


def test_xmp_says_1_as_attribute_and_as_element() -> None:
    as_element = XMP.replace(b' tiff:Orientation="6"', b"").replace(
        b'dc:source="box 7"/>', b"><tiff:Orientation>6</tiff:Orientation></rdf:Description>"
    )
    for packet in (XMP, as_element):
        assert b"6" in packet.split(b"tiff:Orientation")[1][:3]
        assert b"1" in xmp_made_true(packet, turned=True).split(b"tiff:Orientation")[1][:3]


def test_xmp_exchanges_sides_and_loses_its_thumbnail() -> None:
    packet = (
        b'<a exif:PixelXDimension="24" exif:PixelYDimension=\'20\' exif:ColorSpace="65535">'
        b"<xmp:Thumbnails><rdf:Alt><xmpGImg:image>/9j/</xmpGImg:image></rdf:Alt></xmp:Thumbnails>"
        b"</a>"
    )
    assert xmp_made_true(packet, turned=True) == (
        b'<a exif:PixelXDimension="20" exif:PixelYDimension=\'24\' exif:ColorSpace="1"></a>'
    )
    assert b'XDimension="24"' in xmp_made_true(packet, turned=False)


def test_photoshops_resources_are_told_apart_and_a_cut_one_ends_them() -> None:
    one = b"8BIM" + struct.pack(">HHI", 0x0404, 0, 3) + b"abc\0"
    two = b"8BIM" + struct.pack(">H", 0x03ED) + b"\x03abc" + struct.pack(">I", 2) + b"xy"
    found = list(resources(one + two + two[:-1]))
    assert found == [(0x0404, one, b"abc"), (0x03ED, two, b"xy")]

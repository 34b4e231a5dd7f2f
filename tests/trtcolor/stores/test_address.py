"""Addresses say where something is, and never who asks for it."""

from __future__ import annotations

import pickle
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.errors import StoreError
from trtcolor.stores.address import Address, common_root, is_address, place_of

WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=12)


def address(text: str) -> Address:
    place = place_of(text)
    assert isinstance(place, Address)
    return place


@pytest.mark.parametrize("text", ["a.png", "/x/a.png", "a:b", "a b//c"])
def test_what_has_no_scheme_is_a_path(text: str) -> None:
    assert place_of(text) == Path(text)
    assert not is_address(text)


def test_an_address_of_a_file_is_a_path() -> None:
    assert place_of("file:///x/a%20b.png") == Path("/x/a b.png")


def test_a_path_that_is_there_is_a_path_whatever_it_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "b").mkdir(parents=True)
    assert place_of("s3://b") == Path("s3:/b")


def test_an_object_has_the_names_of_its_key() -> None:
    scan = address("s3://archive/box 1/a+b%20.tif")
    assert scan.parts == ("archive", "box 1", "a+b%20.tif")
    assert (scan.name, scan.suffix, str(scan.parent)) == (
        "a+b%20.tif",
        ".tif",
        "s3://archive/box 1",
    )
    assert scan.relative_to(address("s3://archive/")) == PurePath("box 1/a+b%20.tif")
    assert scan.is_below(address("s3://archive/box 1/"))
    assert not scan.is_below(address("s3://archive/box"))
    assert not scan.is_below(address("gs://archive"))


def test_a_page_has_its_decoded_names_and_its_whole_url() -> None:
    page = address("https://me:word@host:8/a%20b/c.png?sig=1#part")
    assert page.parts == ("host:8", "a b", "c.png")
    assert page.url == "https://me:word@host:8/a%20b/c.png?sig=1"


@given(user=WORDS, word=WORDS, signature=WORDS)
def test_no_form_of_a_page_shows_its_user_or_its_query(
    user: str, word: str, signature: str
) -> None:
    page = address(f"https://{user}:{word}@host/a.png?X-Amz-Signature={signature}")
    assert pickle.loads(pickle.dumps(page)) == page
    for text in (str(page), repr(page), f"{page}", str(page.parent), repr([page])):
        assert not any(secret in text for secret in (user, word, signature))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("s3://", "without a bucket"),
        ("s3:///key", "without a bucket"),
        ("https:///a.png", "without a host"),
        ("https://me:SECRET/2@host/a.png", "%40 for @"),
        ("https://me:SECRET\u2100@host/a.png", "%40 for @"),
        ("https://[SECRET/a.png", "%40 for @"),
        ("ftp://host/a.png", "is no store"),
        ("http://host/a.png", "https:// was needed"),
        ("s3://id:SECRET@bucket/a.png", "environment"),
        ("s3://bucket/a.png?X-Amz-Signature=SECRET", "environment"),
        ("gs://bucket/a.png?GoogleAccessId=x&Signature=SECRET", "environment"),
    ],
)
def test_an_address_that_is_none_is_refused_without_what_it_holds(text: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason) as refused:
        place_of(text)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("texts", "root"),
    [
        (["s3://b/x/1", "s3://b/x/2"], "s3://b/x"),
        (["s3://b/x", "s3://b/xy"], "s3://b"),
        (["s3://b/x"], "s3://b/x"),
        (["s3://a/x", "s3://b/x"], "s3://"),
    ],
)
def test_the_root_is_the_deepest_prefix_that_holds_all(texts: list[str], root: str) -> None:
    addresses = [address(text) for text in texts]
    found = common_root(addresses)
    assert str(found) == root

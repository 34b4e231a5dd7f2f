"""What is fetched is whole and of one state, or it is not had."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broken_network import way_to
from object_stores import WEB_SECRET, Bucket, web_server

from trtcolor.errors import PictureError, StoreError
from trtcolor.stores.address import Address, place_of
from trtcolor.stores.filesystem import filesystem
from trtcolor.stores.remote_file import RemoteFile


def remote(text: str) -> RemoteFile:
    place = place_of(text)
    assert isinstance(place, Address)
    return RemoteFile(place)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web" / "secret").mkdir(parents=True)
    (tmp_path / "web" / "a b.png").write_bytes(b"page")
    (tmp_path / "web" / "secret" / "a.png").write_bytes(b"signed")
    os.utime(tmp_path / "web" / "a b.png", (1_000_000_000, 1_000_000_000))
    with web_server(tmp_path / "web") as address:
        yield address


def test_a_copy_has_content_and_time_and_is_gone_afterwards(bucket: Bucket) -> None:
    bucket.fill({"a.png": b"content"})
    file = pickle.loads(pickle.dumps(remote(f"{bucket.url}/a.png")))
    with file.local() as path:
        assert path.read_bytes() == b"content"
        assert path.stat().st_mtime_ns == file.now().mtime_ns
        assert path.suffix == ".png"
    assert not path.exists()
    assert file.read() == b"content"


def test_what_is_refused_of_a_copy_names_the_object(bucket: Bucket) -> None:
    bucket.fill({"a.png": b"content"})
    file = remote(f"{bucket.url}/a.png")
    with pytest.raises(PictureError, match=f"^{file} is no picture$"), file.local() as path:
        raise PictureError(f"{path} is no picture")


def test_an_object_that_changes_is_fetched_again_until_it_rests(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.fill({"a.png": b"first"})
    file = remote(f"{bucket.url}/a.png")
    system, contents = filesystem(file.address), [b"second", b"third"]
    get = system.get_file

    def getting(*arguments: Any) -> None:
        get(*arguments)
        if contents:
            bucket.fill({"a.png": contents.pop(0)})

    monkeypatch.setattr(system, "get_file", getting)
    file.fetch(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"third"
    contents += [bytes([n]) for n in range(9)]
    with pytest.raises(StoreError, match="changed while it was read"):
        file.fetch(tmp_path / "a.png")


def test_a_page_is_fetched_by_its_url_and_named_without_it(web: str) -> None:
    with remote(f"{web}/a%20b.png").local() as path:
        assert path.read_bytes() == b"page"
        assert path.stat().st_mtime == 1_000_000_000
    assert remote(f"{web}/secret/a.png?signature={WEB_SECRET}").read() == b"signed"
    for text, reason in (
        (f"{web}/secret/a.png?signature=wrong{WEB_SECRET}", "is refused to us"),
        (f"{web}/none.png?signature={WEB_SECRET}", "is not there"),
        (f"http://127.0.0.1:9/a.png?signature={WEB_SECRET}", "cannot be reached"),
    ):
        with pytest.raises(StoreError, match=reason) as refused:
            remote(text).read()
        assert WEB_SECRET not in str(refused.value)
        assert refused.value.__cause__ is None


def test_a_page_that_breaks_off_is_not_had(web: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "large.png").write_bytes(os.urandom(4 << 20))
    file = remote(f"{web}/large.png")
    assert len(file.read()) == 4 << 20
    with way_to(int(web.rpartition(":")[2]), 1 << 20, down=1 << 20) as way:
        broken = remote(f"http://127.0.0.1:{way.port}/large.png")
        with pytest.raises(StoreError, match="cannot be reached"):
            broken.read()


def test_a_compressed_page_comes_as_it_lies_there(web: str, tmp_path: Path) -> None:
    content = gzip.compress(b"x" * 1000)
    (tmp_path / "web" / "a.svg.gz").write_bytes(content)
    assert remote(f"{web}/a.svg.gz").read() == content

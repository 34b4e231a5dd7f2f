"""Objects of a store are there whole or not at all; what a server refuses is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from broken_network import way_to
from command_line import refused
from object_stores import KEY, SECRET, Bucket, s3_server

from trtcolor.errors import OutputExistsError, StoreError, StoreUnreachableError
from trtcolor.stores.address import Address, place_of
from trtcolor.stores.objects import (
    abort_uploads,
    below,
    check_writable,
    copy,
    is_there,
    load,
    matching,
    remove,
    remove_all,
    store,
    upload,
)

ODD = "a b/é+%25 ?#[1]*.png"


def at(bucket: Bucket, key: str) -> Address:
    return Address("s3", f"{bucket.name}/{key}")


def test_what_was_stored_is_loaded_copied_listed_and_removed(bucket: Bucket) -> None:
    store(b"one", at(bucket, ODD))
    copy(at(bucket, ODD), at(bucket, f"copy/{ODD}"))
    assert load(at(bucket, f"copy/{ODD}")) == b"one"
    assert [str(file) for file in below(at(bucket, ""))] == [
        f"{bucket.url}/{ODD}",
        f"{bucket.url}/copy/{ODD}",
    ]
    remove(at(bucket, ODD))
    remove_all([at(bucket, ODD), at(bucket, "never was")])
    assert bucket.content() == {f"copy/{ODD}": b"one"}
    assert is_there(at(bucket, f"copy/{ODD}"))
    assert not is_there(at(bucket, "copy"))


def test_nothing_is_replaced_unless_that_was_asked_for(bucket: Bucket, tmp_path: Path) -> None:
    bucket.fill({"a": b"mine", "b": b"new"})
    (tmp_path / "b").write_bytes(b"new")
    for act in (
        lambda overwrite: store(b"new", at(bucket, "a"), overwrite=overwrite),
        lambda overwrite: upload(tmp_path / "b", at(bucket, "a"), overwrite=overwrite),
        lambda overwrite: copy(at(bucket, "b"), at(bucket, "a"), overwrite=overwrite),
    ):
        with pytest.raises(OutputExistsError, match=f"^{bucket.url}/a is there already"):
            act(False)
        assert bucket.content()["a"] == b"mine"
        act(True)
        assert bucket.content()["a"] == b"new"
        bucket.fill({"a": b"mine"})


def test_a_prefix_is_one_of_whole_names(bucket: Bucket) -> None:
    bucket.fill({"scans/1": b"", "scans/deep/2": b"", "scans2/3": b"", "scans/folder/": b""})
    names = [file.address.relative_to(at(bucket, "scans")) for file in below(at(bucket, "scans/"))]
    assert list(map(str, names)) == ["1", "deep/2"]


def test_patterns_match_objects_and_prefixes(bucket: Bucket) -> None:
    bucket.fill({"x1/a.png": b"1", "x2/b/c.png": b"2", "y/a.png": b"3"})
    found = {str(file): file.state is None for file in matching(at(bucket, "x*/*"))}
    assert found == {f"{bucket.url}/x1/a.png": False, f"{bucket.url}/x2/b": True}
    assert [file.name for file in matching(at(bucket, "**/a.png"))] == ["a.png", "a.png"]


def test_what_is_not_there_is_named(bucket: Bucket) -> None:
    missing = Address("s3", "no-such-bucket-at-all/a")
    for act in (
        lambda: load(missing),
        lambda: list(below(missing)),
        lambda: store(b"", missing, overwrite=True),
    ):
        with pytest.raises(StoreError, match=r"^s3://no-such-bucket-at-all/a is in no bucket"):
            act()
    with pytest.raises(StoreError, match=f"^{bucket.url}/a is not there"):
        load(at(bucket, "a"))
    with pytest.raises(StoreError, match="is an address that no store has"):
        list(below(Address("s3", "No_B!/a")))


def test_a_page_of_the_web_is_not_written_to() -> None:
    page = place_of("https://host/a.png?signature=SECRETWORD")
    assert isinstance(page, Address)
    with pytest.raises(StoreError, match=r"^https://host/a\.png can be read only"):
        check_writable(page)


def test_a_server_that_is_gone_or_knows_us_not_is_said_without_a_key(tmp_path: Path) -> None:
    with s3_server() as server:
        arguments = ("colorize", "s3://bucket/scans", "-o", tmp_path / "out")
        server.post("reset-auth", b"0")  # from now on it looks at keys
        said = refused(*arguments, **server.environment)
        assert "s3://bucket/scans is refused to us" in said
        nobody = server.environment | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        nobody |= {"AWS_EC2_METADATA_DISABLED": "true"}
        assert "(NoCredentialsError)" in refused(*arguments, **nobody)
    said += refused(*arguments, **server.environment)
    assert "cannot be reached" in said
    assert KEY not in said
    assert SECRET not in said


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that goes up in parts."""
    path = tmp_path / "large.tif"
    with path.open("wb") as stream:
        stream.truncate(101 << 20)
    return path


PROGRAM = """
import sys
from pathlib import Path
from trtcolor.stores.address import place_of
from trtcolor.stores.objects import upload
upload(Path(sys.argv[1]), place_of(sys.argv[2]), overwrite=False)
"""


def test_an_upload_killed_in_the_middle_leaves_nothing_under_its_name(
    bucket: Bucket, large: Path
) -> None:
    with way_to(bucket.server.port, 40 << 20, stalls=True) as way:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, str(large), f"{bucket.url}/out/large.tif"],
            env=os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{way.port}"},
        )
        assert way.broken.wait(60)
        process.kill()
        process.wait()
    assert bucket.content() == {}
    assert bucket.uploads() == ["out/large.tif"]
    abort_uploads(at(bucket, "elsewhere"))
    assert bucket.uploads() == ["out/large.tif"]
    abort_uploads(at(bucket, "out/"))
    assert bucket.uploads() == []


def test_an_upload_whose_network_breaks_off_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(os.urandom(1 << 20))
    with way_to(bucket.server.port, 1 << 19) as way:
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, str(path), f"{bucket.url}/a.png"],
            env=os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{way.port}"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert StoreUnreachableError.__name__ in done.stderr
    assert bucket.content() == {}
    assert KEY not in done.stderr

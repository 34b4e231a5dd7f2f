"""Which pictures are meant by prefixes, patterns and lists of addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from object_stores import Bucket

from trtcolor.archive.find import find_pictures, named_file
from trtcolor.archive.names import output_names
from trtcolor.archive.sources import has_content
from trtcolor.errors import PictureError, StoreError
from trtcolor.stores.address import place_of
from trtcolor.stores.remote_file import RemoteFile


def found(*inputs: str, output: str | None = None) -> list[str]:
    """Names of the outputs of what is found."""
    place = None if output is None else place_of(output)
    search = find_pictures(inputs, output=place)
    return [name.as_posix() for name in output_names(search.pictures, search.root)]


@pytest.fixture
def scans(bucket: Bucket) -> str:
    names = ["b/c.PNG", "a.jpg", "b/d/e.tif", "b/notes.txt", ".hidden/x.png", "b/._c.PNG", "b/"]
    bucket.fill({f"scans/{name}": b"x" for name in [*names, "b/d/.trtcolor/parts/1.png"]})
    bucket.fill({"scans2/z.png": b"x"})
    return f"{bucket.url}/scans"


def test_a_prefix_is_gone_through_like_a_folder(scans: str) -> None:
    assert found(scans) == found(f"{scans}/") == ["a.jpg", "b/c.PNG", "b/d/e.tif"]
    search = find_pictures([scans])
    assert (str(search.root), search.others, search.faults) == (scans, 1, [])


def test_names_are_those_below_the_deepest_prefix(scans: str, bucket: Bucket) -> None:
    assert found(scans, f"{bucket.url}/scans2") == [
        "scans/a.jpg",
        "scans/b/c.PNG",
        "scans/b/d/e.tif",
        "scans2/z.png",
    ]
    assert found(f"{scans}/b/d/e.tif", f"{scans}/b/c.PNG") == ["d/e.tif", "c.PNG"]
    assert found(f"{scans}/a.jpg", f"{scans}/a.jpg", scans)[:1] == ["a.jpg"]
    assert len(found(f"{scans}/a.jpg", f"{scans}/a.jpg", scans)) == 3


@pytest.mark.parametrize("text", ["https://host.png", "https://localhost?picture=1", "s3://a.png"])
def test_a_host_or_a_bucket_is_no_picture(text: str, bucket: Bucket) -> None:
    assert named_file([text], []) is None
    with pytest.raises(StoreError, match="needed"):
        find_pictures([text])


def test_patterns_mean_objects_and_prefixes_that_are_not_hidden(scans: str) -> None:
    assert found(f"{scans}/**/*.PNG") == ["b/c.PNG"]
    assert found(f"{scans}/*") == ["a.jpg", "b/c.PNG", "b/d/e.tif"]


def test_an_object_whose_name_is_a_pattern_is_that_object(scans: str, bucket: Bucket) -> None:
    bucket.fill({"scans/a[1].png": b"x", "scans/a1.png": b"x"})
    assert found(f"{scans}/a[1].png") == ["a[1].png"]


def test_lists_hold_addresses_and_lie_in_stores(scans: str, bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{scans}/a.jpg\r\n\n{scans}/b/c.PNG\n")
    bucket.fill({"list.txt": f"{scans}/b\0".encode()})
    assert found(f"@{tmp_path / 'list.txt'}") == ["a.jpg", "b/c.PNG"]
    assert found(f"@{bucket.url}/list.txt") == ["c.PNG", "d/e.tif"]


def test_outputs_are_no_inputs(scans: str, bucket: Bucket) -> None:
    bucket.fill({"scans/out/a.jpg": b"x"})
    assert found(scans, output=f"{scans}/out") == ["a.jpg", "b/c.PNG", "b/d/e.tif"]
    with pytest.raises(StoreError, match="where the outputs go"):
        find_pictures([f"{scans}/out/a.jpg"], output=place_of(f"{scans}/out"))


def test_a_key_that_no_file_could_have_is_a_fault(bucket: Bucket) -> None:
    keys = ["a//b.png", "a/../../b.png", "a/./b.png", "a/good.png"]
    bucket.fill({f"scans/{key}": b"x" for key in keys})
    search = find_pictures([f"{bucket.url}/scans/a//b.png", f"{bucket.url}/scans"])
    assert [str(picture) for picture in search.pictures] == [f"{bucket.url}/scans/a/good.png"]
    assert ["no file's name" in fault.reason for fault in search.faults] == [True]


def test_two_queries_of_one_page_are_not_told_apart_by_guessing() -> None:
    search = find_pictures(["https://host/a.png?id=SECRET1", "https://host/a.png?id=SECRET2"])
    assert [str(picture) for picture in search.pictures] == ["https://host/a.png"]
    (fault,) = search.faults
    assert "two queries" in fault.reason
    assert "SECRET" not in repr((search, fault.reason))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (["s3://{}/nothing"], "holds nothing"),
        (["s3://{}/nothing*.png"], "no picture in s3://{}/nothing"),
        (["s3://no-such-bucket-here/x"], "in no bucket"),
        (["https://host/scans/"], "has no picture's suffix"),
        (["s3://{}/a.png", "https://host/a.png"], "in several places"),
        (["s3://{}/a.png", "a.png"], "in several places"),
    ],
)
def test_what_is_no_picture_is_refused(inputs: list[str], reason: str, bucket: Bucket) -> None:
    with pytest.raises((PictureError, StoreError)) as refused:
        find_pictures([text.format(bucket.name) for text in inputs])
    assert reason.format(bucket.name) in str(refused.value)


def test_one_object_is_named_by_its_suffix_and_nothing_is_asked() -> None:
    assert str(named_file(["s3://bucket/a.png"], [])) == "s3://bucket/a.png"
    assert str(named_file(["https://host/get?id=1"], [])) == "https://host/get"
    assert named_file(["s3://bucket/scans"], []) is None


def test_content_is_told_by_time_and_length_and_else_by_looking(bucket: Bucket) -> None:
    from trtcolor.archive.record import Identity

    bucket.fill({"a.png": b"content"})
    file = RemoteFile(place_of(f"{bucket.url}/a.png"))  # type: ignore[arg-type]
    with file.local() as path:
        content = Identity.of(path)
    assert content.mtime_ns == file.now().mtime_ns
    assert has_content(file, content, trust_time=True)
    bucket.fill({"a.png": b"CONTENT"})
    assert not has_content(file, content, trust_time=False)
    assert not has_content(file, Identity(6, content.mtime_ns, content.sha256), trust_time=True)

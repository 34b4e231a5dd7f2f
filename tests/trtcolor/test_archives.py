"""An archive gives the plain files of one bundle and nothing else, or it is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor.archives import MAX_FREE_GROWTH, unpack_bundle
from trtcolor.errors import BundleError

Entries = Iterable[tuple[str, bytes]]
FILES = (("model.json", b"{}"), ("local.onnx", b"graph"))


def write_zip(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return path


def write_tar(path: Path, entries: Entries, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as packed:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


def write_tar_gz(path: Path, entries: Entries) -> Path:
    return write_tar(path, entries, "w:gz")


WRITERS = pytest.mark.parametrize("write", [write_zip, write_tar, write_tar_gz])
Write = Callable[[Path, Entries], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "folder"
    path.mkdir(parents=True)
    return path


def all_files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@WRITERS
@pytest.mark.parametrize("place", ["", "./", "bundle/", "a/b/"])
def test_the_files_of_one_folder_come_out(
    write: Write, place: str, folder: Path, tmp_path: Path
) -> None:
    archive = write(tmp_path / "any.name", [(place + name, content) for name, content in FILES])
    unpack_bundle(archive, folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == dict(FILES)


@WRITERS
def test_what_file_managers_add_is_passed_over(write: Write, folder: Path, tmp_path: Path) -> None:
    clutter = [("__MACOSX/b/._model.json", b"x"), ("b/.DS_Store", b"x"), ("b/._local.onnx", b"x")]
    archive = write(tmp_path / "a", [*clutter, *((f"b/{name}", data) for name, data in FILES)])
    unpack_bundle(archive, folder)
    assert {file.name for file in folder.iterdir()} == {name for name, _ in FILES}


@WRITERS
@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "b/../../evil", "..", "b\\..\\..\\evil", "C:evil"]
)
def test_a_path_that_leaves_the_folder_is_refused(
    write: Write, name: str, folder: Path, tmp_path: Path
) -> None:
    archive = write(tmp_path / "a", [*FILES, (name, b"evil")])
    before = all_files(tmp_path)
    with pytest.raises(BundleError, match=r"leaves the bundle's folder|in '' and in|in '\.' and"):
        unpack_bundle(archive, folder)
    assert {name for name in all_files(tmp_path) - before if "evil" in name} == set()


@WRITERS
def test_two_bundles_are_refused(write: Write, folder: Path, tmp_path: Path) -> None:
    entries = [(f"{place}/{name}", data) for place in ("a", "b") for name, data in FILES]
    with pytest.raises(BundleError, match="holds files in 'a' and in 'b'"):
        unpack_bundle(write(tmp_path / "x", entries), folder)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@WRITERS
def test_a_file_that_is_there_twice_is_refused(write: Write, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"holds 'model\.json' twice"):
        unpack_bundle(write(tmp_path / "x", [*FILES, FILES[0]]), folder)


@WRITERS
def test_too_many_files_are_refused(write: Write, folder: Path, tmp_path: Path) -> None:
    archive = write(tmp_path / "x", [(f"f{i}", b"") for i in range(1000)])
    with pytest.raises(BundleError, match="more than 64 files"):
        unpack_bundle(archive, folder)
    assert len(list(folder.iterdir())) <= 64


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    write: Write, folder: Path, tmp_path: Path
) -> None:
    archive = write(tmp_path / "bomb", [("weights.bin", bytes(MAX_FREE_GROWTH * 4))])
    with pytest.raises(BundleError, match="more than 20 times its size"):
        unpack_bundle(archive, folder)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_FREE_GROWTH + (1 << 20)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "x.tar"
    with tarfile.open(archive, "w") as packed:
        info = tarfile.TarInfo("weights.bin")
        info.type, info.linkname = kind, "/etc/hostname"
        packed.addfile(info)
    with pytest.raises(BundleError, match="a link or a device"):
        unpack_bundle(archive, folder)
    assert not list(folder.iterdir())


def test_a_link_in_a_zip_is_refused(folder: Path, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("weights.bin")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr(info, "/etc/hostname")
    with pytest.raises(BundleError, match="a link or a device"):
        unpack_bundle(tmp_path / "x.zip", folder)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\3\4", b"\x1f\x8b\x08\0"])
def test_what_is_no_archive_is_refused(content: bytes, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BundleError, match="does not unpack"):
        unpack_bundle(tmp_path / "x", folder)


def test_an_encrypted_zip_is_refused(folder: Path, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", FILES)
    content = bytearray(archive.read_bytes())
    content[6] |= 1  # the flag of the first entry, and of its copy in the directory
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(BundleError, match="encrypted"):
        unpack_bundle(archive, folder)


def test_a_damaged_checksum_is_named(tmp_path: Path) -> None:
    archive, folder = write_tar(tmp_path / "archive", FILES), tmp_path / "folder"
    folder.mkdir()
    # Without the empty blocks that end a tar, so that it is read as far as the checksum.
    content = bytearray(gzip.compress(archive.read_bytes()[: 4 * tarfile.BLOCKSIZE]))
    content[-8] ^= 1  # of the CRC-32 behind the compressed data
    archive.write_bytes(content)
    with pytest.raises(BundleError, match="CRC check failed"):
        unpack_bundle(archive, folder)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_refused_or_still_gives_files(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut short or with a byte changed: never another error than a BundleError."""
    root = tmp_path_factory.mktemp("x")
    write = data.draw(st.sampled_from([write_zip, write_tar, write_tar_gz]))
    archive, folder = write(root / "archive", FILES), root / "folder"
    folder.mkdir()
    content = bytearray(archive.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    archive.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(BundleError):
        unpack_bundle(archive, folder)
    outside = {name for name in all_files(root) if not name.startswith("folder/")}
    assert outside == {"archive"}

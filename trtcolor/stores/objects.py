"""Objects of a store: put, copied, removed and listed, each whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from trtcolor.errors import OutputExistsError, StoreError
from trtcolor.stores.address import Address
from trtcolor.stores.filesystem import errors_named, filesystem
from trtcolor.stores.remote_file import RemoteFile, State

AT_ONCE = 16
"""Requests side by side, of those that wait for the network and take no memory."""


def upload(path: Path, address: Address, *, overwrite: bool = False) -> None:
    """Make a file an object, which is not there before all of it is.

    Args:
        path: the file.
        address: of the object to be.
        overwrite: replace one that is there; else the store itself refuses to.

    Raises:
        OutputExistsError: it is there, and `overwrite` is false.
        StoreError: as `errors_named` says.
    """
    with errors_named(address):
        filesystem(address).put_file(str(path), address.location, mode=_mode(overwrite))


def store(content: bytes, address: Address, *, overwrite: bool = False) -> None:
    """Make bytes an object; arguments and errors are those of `upload`."""
    with errors_named(address):
        filesystem(address).pipe_file(address.location, content, mode=_mode(overwrite))


def load(address: Address) -> bytes:
    """The bytes of an object, read at once."""
    with errors_named(address):
        content: bytes = filesystem(address).cat_file(address.location)
        return content


def copy(source: Address, target: Address, *, overwrite: bool = False) -> None:
    """Make an object the copy of another in the same store, without fetching it.

    S3 refuses by itself to replace one that is there; elsewhere it is looked for just before.

    Raises:
        OutputExistsError: it is there, and `overwrite` is false.
        StoreError: as `errors_named` says.
    """
    check_free(target, overwrite=overwrite)
    conditional = {"IfNoneMatch": "*"} if target.scheme == "s3" and not overwrite else {}
    with errors_named(target):
        try:
            filesystem(target).cp_file(source.location, target.location, **conditional)
        except OSError as error:
            if error.errno != errno.ENOSYS or not conditional:
                raise  # else a store that knows no such condition
            filesystem(target).cp_file(source.location, target.location)


def is_there(address: Address) -> bool:
    """Whether there is an object of that very name.

    Raises:
        StoreError: as `errors_named` says; a bucket that is not there has no objects.
    """
    bucket, _, key = address.location.partition("/")
    with errors_named(address):
        try:
            if address.scheme == "s3" and key:  # else what is missing is looked for as a folder too
                filesystem(address).call_s3("head_object", Bucket=bucket, Key=key)
                return True
            return bool(filesystem(address).info(address.location)["type"] == "file")
        except FileNotFoundError:
            return False


def below(prefix: Address) -> Iterator[RemoteFile]:
    """All objects below a prefix, by name, but those that stand for folders.

    Raises:
        StoreError: there is no such bucket, and whatever else `errors_named` says.
    """
    with errors_named(prefix):
        found = filesystem(prefix).find(prefix.location.rstrip("/"), detail=True)
    for name in sorted(found):
        if not name.endswith("/") and found[name]["type"] == "file":
            yield RemoteFile(Address(prefix.scheme, name), State.of(found[name]))


def matching(pattern: Address) -> Iterator[RemoteFile]:
    """What a pattern as of `glob` matches, by name; prefixes have no state.

    Raises:
        StoreError: as for `below`.
    """
    with errors_named(pattern):
        found = filesystem(pattern).glob(pattern.location, detail=True)
    for name in sorted(found):
        folder = found[name]["type"] != "file"
        address = Address(pattern.scheme, name.rstrip("/"))
        yield RemoteFile(address, None if folder else State.of(found[name]))


def remove(address: Address) -> None:
    """Remove an object; that it is not there is no error.

    Raises:
        StoreError: as `errors_named` says.
    """
    with errors_named(address), suppress(FileNotFoundError):
        filesystem(address).rm_file(address.location)


def remove_all(addresses: Iterable[Address]) -> None:
    """Remove objects, side by side; one that is not there is no error.

    Raises:
        StoreError: as `errors_named` says.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(remove, addresses):
            pass


def abort_uploads(prefix: Address) -> None:
    """End uploads into a prefix that nobody will finish: they cost, and no listing shows them.

    Raises:
        StoreError: as `errors_named` says.
    """
    if prefix.scheme != "s3":  # the others forget them by themselves
        return
    bucket, _, key = prefix.location.partition("/")
    with errors_named(prefix):
        system = filesystem(prefix)
        while uploads := system.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=key).get(
            "Uploads"
        ):
            for found in uploads:
                with suppress(FileNotFoundError):
                    system.abort_mpu(bucket, found["Key"], found["UploadId"])


def check_writable(address: Address) -> None:
    """Refuse an address that can be read only.

    Raises:
        StoreError: it is of a web server.
    """
    if address.is_web:
        raise StoreError(
            f"{address} can be read only; a path, s3:// or gs:// was needed for what is written; "
            "choose one"
        )


def check_free(address: Address, *, overwrite: bool = False) -> None:
    """Refuse an address that an object has.

    Raises:
        OutputExistsError: it is there, and `overwrite` is false.
        StoreError: it can be read only, and whatever else `errors_named` says.
    """
    check_writable(address)
    if not overwrite and is_there(address):
        raise OutputExistsError(
            f"{address} is there already; a free name was needed; choose another or allow "
            "overwriting"
        )


def _mode(overwrite: bool) -> str:
    return "overwrite" if overwrite else "create"

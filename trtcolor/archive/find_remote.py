"""Which pictures are meant by addresses in stores and on web servers."""

from __future__ import annotations

import glob
from pathlib import PurePosixPath

from trtcolor.archive.names import SUFFIXES
from trtcolor.errors import StoreError, StoreUnreachableError
from trtcolor.stores.address import Address
from trtcolor.stores.objects import below, is_there, matching
from trtcolor.stores.remote_file import RemoteFile

Told = tuple[Address, str]
"""Something that is no picture to be coloured, and why."""


class RemoteSearch:
    """Goes through addresses and prefixes, taking each picture once.

    Args:
        output: the prefix of the outputs, in which nothing is taken for an input.

    Attributes:
        pictures, faults: what was found so far.
        bases: prefixes that hold each of the addresses that were named.
        others: objects of prefixes without a picture's suffix.
    """

    def __init__(self, output: Address | None) -> None:
        self._output = output
        self._taken: dict[str, Address] = {}
        self.pictures: list[RemoteFile] = []
        self.faults: list[Told] = []
        self.bases: list[Address] = []
        self.others = 0

    def take(self, address: Address) -> None:
        """What the user has named: an object whatever its suffix, a prefix or a pattern.

        Raises:
            StoreUnreachableError: its store does not answer.
        """
        if self._output is not None and address.is_below(self._output):
            reason = (
                f"{address} lies in {self._output}, where the outputs go and nothing is taken for "
                "an input; a prefix elsewhere was needed for them; name another"
            )
            self._fault(address, reason)
            return
        try:
            if is_pattern(address):
                self._pattern(address)
            elif is_file(address):
                self.bases.append(address.parent)
                self._file(RemoteFile(address))
            elif address.is_web:
                reason = (
                    f"{address} has no picture's suffix; the address of a picture was needed; web "
                    "servers do not list theirs"
                )
                self._fault(address, reason)
            else:
                self._prefix(address)
        except StoreUnreachableError:
            raise
        except StoreError as error:
            self._fault(address, str(error))

    def _pattern(self, pattern: Address) -> None:
        fixed = fixed_part(pattern)
        self.bases.append(fixed)
        for match in matching(pattern):
            if _is_hidden(match.address, fixed):
                continue
            if match.state is None:
                self._walk(match.address)
            else:
                self._file(match)

    def _prefix(self, address: Address) -> None:
        if is_there(address):
            self.bases.append(address.parent)
            self._file(RemoteFile(address))
            return
        self.bases.append(address)
        if not self._walk(address):
            reason = f"{address} holds nothing; a picture or a prefix of some was needed; check it"
            self._fault(address, reason)

    def _walk(self, prefix: Address) -> bool:
        """Take all below a prefix but what is hidden; whether there was anything."""
        found = False
        for file in below(prefix):
            found = True
            inside = self._output is not None and file.address.is_below(self._output)
            if inside or _is_hidden(file.address, prefix):
                continue
            if file.suffix.lower() in SUFFIXES:
                self._file(file)
            else:
                self.others += 1
        return found

    def _file(self, file: RemoteFile) -> None:
        known = self._taken.setdefault(str(file), file.address)
        if known is not file.address and known == file.address:
            return
        if known != file.address:
            reason = (
                f"{file} was named with two queries; one name for one picture was needed; fetch "
                "one of them yourself"
            )
            self._fault(file.address, reason)
        elif any(part in ("", ".", "..") or set(part) & {"/", "\0"} for part in file.address.parts):
            reason = (
                f"{file} has a part that is no file's name; one that a path may have was needed "
                "for its output; rename it"
            )
            self._fault(file.address, reason)
        else:
            self.pictures.append(file)

    def _fault(self, address: Address, reason: str) -> None:
        self.bases.append(address.parent)
        self.faults.append((address, reason))


def is_file(address: Address) -> bool:
    """Whether an address has the form of a picture's, so that nobody is asked."""
    if address.location.endswith("/") or len(address.parts) == 1:  # a prefix, a bucket, a host
        return False
    return address.suffix.lower() in SUFFIXES or (address.is_web and bool(address.query))


def is_pattern(address: Address) -> bool:
    """Whether it is a pattern of a store, that no object has for its very name."""
    if address.is_web or not glob.has_magic(address.location):
        return False
    return not is_there(address)


def fixed_part(pattern: Address) -> Address:
    """The deepest prefix that holds whatever a pattern may match."""
    parts: list[str] = []
    for part in PurePosixPath(pattern.location).parts:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Address(pattern.scheme, "/".join(parts))


def _is_hidden(address: Address, prefix: Address) -> bool:
    return any(part.startswith(".") for part in address.parts[len(prefix.parts) :])

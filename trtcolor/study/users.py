"""Who takes part: names, and the key in each one's link, made from the study's secret."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

from trtcolor.closing import Closing
from trtcolor.errors import StudyError
from trtcolor.study.rows import Rows, read_rows

FILE = "users.csv"
HEADING = ("user", "time")
LONGEST_NAME = 40
MOST_USERS = 10_000
"""Who can join can join again and again: it ends somewhere."""

KEY_LENGTH = 32
"""Hexadecimal digits of a key: 128 bits."""


class Users(Closing):
    """The users of a study that is served. Whoever shares it takes care of one call at a time.

    Args:
        folder: of the study.
        secret: of the study.

    Raises:
        StudyError, OSError: as from `trtcolor.study.rows.Rows`.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._secret = secret
        self._names: dict[str, str] = {}
        self._by_key: dict[str, str] = {}
        self._rows = Rows(folder / FILE, HEADING)
        for name, _ in read_rows(folder / FILE, HEADING)[0]:
            self._know(name)

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self._names

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str) -> str:
        """The user of a name, as it was first written; a new one is on the disk.

        Raises:
            StudyError: the name is none (`checked_name`), or there are too many.
            OSError: it could not be stored.
        """
        name = checked_name(name)
        known = self._names.get(_folded(name))
        if known is not None:
            return known
        if len(self._names) >= MOST_USERS:
            raise StudyError(
                f"{MOST_USERS} users have joined; fewer were needed; prepare another study"
            )
        self._rows.add((name, now()))
        self._know(name)
        return name

    def key(self, name: str) -> str:
        """What a user's link has, whether they have joined or not."""
        return link_key(self._secret, f"user {_folded(name)}")

    def of_key(self, key: str) -> str | None:
        """Whose key it is; None: nobody's."""
        return self._by_key.get(key)

    def close(self) -> None:
        self._rows.close()

    def _know(self, name: str) -> None:
        self._names[_folded(name)] = name
        self._by_key[self.key(name)] = name


def checked_name(name: str) -> str:
    """A user's name, its spaces tidied and its letters composed.

    Raises:
        StudyError: it is empty, too long, or has other than letters, digits, spaces and ``-_.'``.
    """
    tidy = unicodedata.normalize("NFC", " ".join(name.split()))
    if (
        not 1 <= len(tidy) <= LONGEST_NAME
        or not tidy[0].isalnum()
        or not all(c.isalnum() or unicodedata.category(c)[0] == "M" or c in " -_.'" for c in tidy)
    ):
        raise StudyError(
            f"the name {tidy[:LONGEST_NAME]!r} came; one to {LONGEST_NAME} letters, digits, spaces "
            "and - _ . ' were needed, a letter or digit first; choose another"
        )
    return tidy


def link_key(secret: bytes, purpose: str) -> str:
    """A key that only who has the secret can make: HMAC-SHA-256 (RFC 2104), cut to 128 bits."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).hexdigest()[:KEY_LENGTH]


def now() -> str:
    """UTC to the millisecond, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _folded(name: str) -> str:
    """The same for spellings that a reader takes for one name."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()

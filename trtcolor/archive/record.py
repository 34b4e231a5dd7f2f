"""`Record`: what became of one picture, a line of JSON."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["coloured", "skipped", "failed"]


@dataclass(frozen=True)
class Identity:
    """What tells a file's content from others.

    Attributes:
        bytes: its length.
        mtime_ns: when it was changed last, in nanoseconds; compared as a shortcut only.
        sha256: of its content, in hexadecimal.
    """

    bytes: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Identity:
        """That of a file; it is read.

        Raises:
            OSError: it cannot be.
        """
        with path.open("rb") as stream:
            found = os.fstat(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(found.st_size, found.st_mtime_ns, digest)

    def holds_for(self, path: Path, *, trust_time: bool) -> bool:
        """Whether a file has this content.

        Args:
            trust_time: that its length and time of change are the same is enough.
        """
        try:
            found = path.stat()
            if found.st_size != self.bytes:
                return False
            if trust_time and found.st_mtime_ns == self.mtime_ns:
                return True
            return Identity.of(path).sha256 == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class Record:
    """What became of one picture.

    Attributes:
        input: absolute path. A byte of a name that is no UTF-8 is the lone surrogate that Python
            reads it as, in a line an escape: ``\\udcff``.
        output: path below the output folder; None: none was planned.
        outcome: ``"coloured"``, ``"skipped"`` (it had been) or ``"failed"``.
        reason: why, in a sentence; empty where it was coloured without remarks.
        seconds: of ``read`` (with all before the network), ``network`` and ``write`` (with all
            after it).
        height, width: in pixels, upright.
        bits: of a sample of the file.
        pages: that were coloured.
        pulled_in: share of pixels whose colour lay outside sRGB and was pulled in, of a sample of
            them in large pictures (`trtcolor.archive.job.pulled_in`).
        source: of the input's content.
        made: of the output's content.
        settings: key of what else decides the output (`PictureSettings.key`).
        model: name of the model; `model_sha256` is its identity.
    """

    input: str
    output: str | None
    outcome: Outcome
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    height: int | None = None
    width: int | None = None
    bits: int | None = None
    pages: int | None = None
    pulled_in: float | None = None
    source: Identity | None = None
    made: Identity | None = None
    settings: str = ""
    model: str = ""
    model_sha256: str = ""

    def line(self) -> bytes:
        """ASCII, with its end; JSON whatever the names are."""
        plain = asdict(self) | {"seconds": {k: round(v, 6) for k, v in self.seconds.items()}}
        return line_of(plain)

    @classmethod
    def from_line(cls, line: bytes) -> Record | None:
        """None: the line is no record, for example cut short."""
        try:
            stored = json.loads(line)
            for name in ("source", "made"):
                if stored[name] is not None:
                    stored[name] = Identity(**stored[name])
            return cls(**stored)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def failed(self, reason: str) -> Record:
        """The same picture, which failed after all."""
        return replace(self, outcome="failed", reason=reason, made=None)


def line_of(entry: Mapping[str, Any]) -> bytes:
    """A line of JSON in ASCII, with its end."""
    return json.dumps(entry, allow_nan=False).encode("ascii") + b"\n"

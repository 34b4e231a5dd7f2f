"""Which trtcolor runs here, so that every machine of a cluster can be asked for the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import trtcolor
from trtcolor.errors import ClusterError


@dataclass(frozen=True)
class Program:
    """What decides, beside model and settings, which bytes are made of a picture.

    Attributes:
        version: of trtcolor.
        code: SHA-256 of all its Python files, which tells two trees of one version apart.
    """

    version: str
    code: str

    def __str__(self) -> str:
        return f"trtcolor {self.version} ({self.code[:8]})"


@cache
def program_here() -> Program:
    """The one that this process runs."""
    root = Path(trtcolor.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return Program(version("trtcolor"), digest.hexdigest())


def check_program(wanted: Program, machine: str) -> None:
    """Refuse to work on a machine whose trtcolor is not the one that asks.

    Raises:
        ClusterError: it is another.
    """
    here = program_here()
    if here != wanted:
        raise ClusterError(
            f"machine {machine} has {here} and this run is by {wanted}; the same on all machines "
            "was needed; install that one there"
        )

"""An engine on disk: its folder and what its sidecar says, held against each other."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from trtcolor.engines.sidecar import LARGEST_SIDECAR, SIDECAR_FILE, Sidecar
from trtcolor.engines.trust import trusted
from trtcolor.errors import EngineError


@dataclass(frozen=True)
class Entry:
    """An engine whose sidecar can be read; whether its files are whole, `problems` says.

    Attributes:
        path: its folder, absolute.
        sidecar: what lies there as ``engine.json``.
    """

    path: Path
    sidecar: Sidecar

    @property
    def size(self) -> int:
        """In bytes, of all its graphs' files together."""
        return sum(graph.bytes for graph in self.sidecar.graphs.values())

    def problems(self) -> list[str]:
        """What is wrong with the folder: each file is read and hashed; empty: nothing is."""
        name = self.sidecar.identity.folder_name
        wrong = [] if self.path.name == name else [f"its sidecar is that of {name}"]
        return wrong + file_problems(self.path, self.sidecar)

    def check(self) -> None:
        """Raise EngineError about the first of `problems`, if there is one."""
        for problem in self.problems():
            raise EngineError(
                f"engine {self.path} is damaged ({problem}); the files as they were built were "
                "needed; build it again"
            )

    def check_trusted(self) -> None:
        """Raise EngineError if the engine lies where others could have put it (`trusted`)."""
        reason = trusted(self.path)
        if reason is not None:
            raise EngineError(
                f"engine {self.path.name} was not loaded: {reason}; an engine is executable code, "
                "so one from your own cache was needed; build it yourself, or if you know where "
                "it comes from allow it (here: --trust)"
            )

    def read(self, graph: str, *, trust: bool = False) -> bytes:
        """The checked bytes of a graph's plan or ONNX file: what was hashed is what is returned.

        Args:
            graph: ``local``, ``global`` or ``joint``.
            trust: whether an engine may come from elsewhere than the user's own cache.

        Raises:
            KeyError: the engine has no such graph.
            EngineError: the file is missing or altered, or `trust` is false and the engine lies
                where others could have put it (`trtcolor.engines.trust.trusted`).
        """
        expected = self.sidecar.graphs[graph]
        if not trust:
            self.check_trusted()
        try:
            with _open_regular(self.path / expected.file) as stream:
                data = stream.read()
        except OSError as error:
            raise EngineError(
                f"engine {self.path} has no readable {expected.file} ({error.strerror}); all of "
                "its files were needed; build it again"
            ) from None
        if hashlib.sha256(data).hexdigest() != expected.sha256:
            raise EngineError(
                f"{self.path / expected.file} has another SHA-256 than {SIDECAR_FILE} says; the "
                "file as it was built was needed; build the engine again"
            )
        return data


@dataclass(frozen=True)
class Damaged:
    """An engine's folder whose sidecar cannot be used.

    Attributes:
        path: its folder, absolute.
        problem: why, in a sentence.
    """

    path: Path
    problem: str

    @property
    def size(self) -> int:
        """In bytes, of all that lies in the folder."""
        return folder_bytes(self.path)

    def problems(self) -> list[str]:
        """The one that there is."""
        return [self.problem]


def opened(path: Path) -> Entry | Damaged:
    """As `open_entry`; what cannot be used comes back with the reason."""
    try:
        return open_entry(path)
    except EngineError as error:
        return Damaged(Path(os.path.abspath(path)), str(error))


def open_entry(path: Path) -> Entry:
    """Read the sidecar in an engine's folder; the other files are not looked at.

    Raises:
        EngineError: there is none, or one that cannot be used.
    """
    path = Path(os.path.abspath(path))
    file = path / SIDECAR_FILE
    try:
        with _open_regular(file) as stream:
            data = stream.read(LARGEST_SIDECAR + 1)
    except OSError as error:
        raise EngineError(
            f"{path} has no readable {SIDECAR_FILE} ({error.strerror}); an engine's folder was "
            "needed; see 'trtcolor engines list'"
        ) from None
    if len(data) > LARGEST_SIDECAR:
        raise EngineError(
            f"{file} has over {LARGEST_SIDECAR} bytes; a sidecar was needed; build the engine again"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EngineError(f"{file} is no text ({error}); build the engine again") from None
    return Entry(path, Sidecar.from_json(text, source=str(file)))


def file_problems(folder: Path, sidecar: Sidecar) -> list[str]:
    """What of a folder's files is not as its sidecar says, a phrase for each."""
    wrong = []
    expected = {graph.file: graph for graph in sidecar.graphs.values()}
    for name, graph in expected.items():
        try:
            with _open_regular(folder / name) as stream:
                size = os.fstat(stream.fileno()).st_size
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            wrong.append(f"{name} cannot be read: {error.strerror}")
            continue
        if size != graph.bytes:
            wrong.append(f"{name} has {size} bytes instead of {graph.bytes}")
        elif digest != graph.sha256:
            wrong.append(f"{name} has SHA-256 {digest[:12]}... instead of {graph.sha256[:12]}...")
    try:
        there = {name for name in os.listdir(folder) if not name.startswith(".")}
    except OSError as error:
        return [*wrong, f"its folder cannot be read: {error.strerror}"]
    unknown = sorted(there - set(expected) - {SIDECAR_FILE})
    return wrong + [f"{name!r} does not belong to it" for name in unknown]


def folder_bytes(folder: Path) -> int:
    """Of all files in a folder and those below it; what vanishes meanwhile counts 0."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total


def _open_regular(path: Path) -> BufferedReader:
    """Open a file that is neither a link nor a pipe: those would be another's, or never end.

    Raises:
        OSError: it is, or it cannot be opened.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(0, "no regular file")
    return os.fdopen(opened, "rb")

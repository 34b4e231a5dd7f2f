"""An engine on its way into the store: written aside, then there at once or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trtcolor.engines.entry import Entry, file_problems
from trtcolor.engines.identity import Identity
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.sidecar import SIDECAR_FILE, EngineGraph, Sidecar
from trtcolor.errors import EngineError
from trtcolor.files import put_folder_in_place, temporary_folder, to_disk


@dataclass(frozen=True)
class Build:
    """What `trtcolor.engines.store.Store.building` gives: the lock is held while it is in use.

    Attributes:
        identity: of the engine.
        found: the engine, if it is there and whole: there is nothing to build.
        replaces: what is wrong with the one that is there; it is replaced when this is published.
        folder: where the files go until then; nothing may be written if the engine was found.
        target: the folder that it becomes.
    """

    identity: Identity
    found: Entry | None
    replaces: tuple[str, ...]
    folder: Path
    target: Path

    def write(
        self,
        graph: str,
        data: bytes,
        *,
        onnx_sha256: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        profiles: Sequence[ShapeProfile],
        seconds: float,
    ) -> EngineGraph:
        """Write a graph's plan or ONNX file under its name.

        Args:
            graph: ``local``, ``global`` or ``joint``.
            data: the file's bytes.
            onnx_sha256, inputs, outputs, profiles, seconds: as in `EngineGraph`.

        Returns:
            Its entry for the sidecar.

        Raises:
            EngineError: the disk is full, and so on.
        """
        file = self.identity.file_name(graph)
        try:
            (self.folder / file).write_bytes(data)
        except OSError as error:
            raise not_kept(self.target, error) from None
        return EngineGraph(
            file=file,
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            onnx_sha256=onnx_sha256,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            profiles=tuple(profiles),
            seconds=seconds,
        )

    def publish(self, sidecar: Sidecar) -> Entry:
        """Give the engine its name, once its files are on the disk and as the sidecar says.

        Raises:
            ValueError: the sidecar is another engine's.
            EngineError: a file is not as the sidecar says, the disk is full, and so on; what was
                there before is left alone.
        """
        if sidecar.identity != self.identity:
            raise ValueError(
                f"the sidecar of {sidecar.identity.folder_name} came; that of "
                f"{self.identity.folder_name} was needed; pass it"
            )
        try:
            (self.folder / SIDECAR_FILE).write_text(sidecar.to_json(), encoding="utf-8")
            for file in self.folder.iterdir():
                file.chmod(0o600)
                to_disk(file)
            to_disk(self.folder)
            problems = file_problems(self.folder, sidecar)
            if problems:
                raise EngineError(
                    f"engine {self.target.name} was not kept ({problems[0]}); what was written was "
                    "needed on the disk; build it again"
                )
            self._put_in_place()
            to_disk(self.target.parent)
        except OSError as error:
            raise not_kept(self.target, error) from None
        return Entry(self.target, sidecar)

    def _put_in_place(self) -> None:
        if self.replaces:
            move_away(self.target, self.folder.parent)
        put_folder_in_place(self.folder, self.target)


def move_away(engine: Path, work: Path) -> None:
    """Remove an engine in one step: nobody finds half of it, even if this is killed.

    Args:
        work: the engine's own folder below ``.work``; its lock is held.

    Raises:
        OSError: the folder is not writable.
    """
    with temporary_folder(work) as aside, suppress(FileNotFoundError):
        engine.rename(aside / engine.name)


def not_kept(target: Path, error: OSError) -> EngineError:
    """The sentence about an engine that could not be written."""
    return EngineError(
        f"engine {target.name} was not kept in {target.parent} ({error.strerror}); a writable "
        "folder with free space was needed; make room, or name another (-o, or TRTCOLOR_ENGINES)"
    )

"""The cache of engines: found by identity, built once however many processes want one, kept whole.

ENGINES/NAME/                 an engine (`Identity.folder_name`): its files and engine.json
ENGINES/.work/NAME.lock       held while that engine is built, replaced or removed
ENGINES/.work/NAME/.*.part    what its builder has so far; a leftover if the lock is free
ENGINES/.caches/              the builder's timing caches and the runtime's own
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from trtcolor.engines.building import Build, not_kept
from trtcolor.engines.differences import differences
from trtcolor.engines.entry import Damaged, Entry, open_entry, opened
from trtcolor.engines.identity import FOLDER_NAME, Identity
from trtcolor.engines.sidecar import SIDECAR_FILE, Verification
from trtcolor.engines.trust import engines_folder, make_private, not_private
from trtcolor.engines.work import Work
from trtcolor.errors import EngineError
from trtcolor.files import temporary_folder, whole_file

CACHES = ".caches"
WORK = ".work"


class Store:
    """A folder of engines.

    Nothing is written before the first engine is built; what is there can be found and read in a
    folder that is not writable.

    Args:
        folder: None: the user's own (`engines_folder`).
        trust: write into the folder even if others could change what is in it.
    """

    def __init__(self, folder: Path | None = None, *, trust: bool = False) -> None:
        self.folder = (engines_folder() if folder is None else folder).absolute()
        self.work = Work(self.folder / WORK)
        self._trust = trust

    def entries(self) -> list[Entry | Damaged]:
        """Every engine by the name of its folder, damaged ones too; no file is hashed.

        Raises:
            EngineError: the folder cannot be read.
        """
        try:
            folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EngineError(
                f"{self.folder} cannot be read ({error.strerror}); a readable folder of engines "
                "was needed; name another in TRTCOLOR_ENGINES"
            ) from None
        return [opened(path) for path in folders if _is_engine(path)]

    def find(self, identity: Identity) -> Entry | None:
        """The engine of exactly this identity; its files are not hashed (`Entry.check`).

        Raises:
            EngineError: its folder is there and holds no such engine.
        """
        path = self.folder / identity.folder_name
        if not path.is_dir():
            return None
        entry = open_entry(path)
        told = differences(identity, entry.sidecar.identity)
        if told:
            raise EngineError(
                f"{path} holds another engine than its name says ({told[0]}); the one of that name "
                "was needed; build it again"
            )
        return entry

    def candidates(
        self, wanted: Identity, *, ignoring: Collection[str] = ()
    ) -> list[tuple[Entry, list[str]]]:
        """The engines of a model, each with what keeps it from being the wanted one.

        Args:
            ignoring: entries that do not matter, as for `differences`: whoever loads an engine
                may not care for its calibration pictures, say.

        Returns:
            Those with the fewest `differences` first, and of equals the newest.
        """
        found = [
            (entry, differences(wanted, entry.sidecar.identity, ignoring=ignoring))
            for entry in self.entries()
            if isinstance(entry, Entry) and entry.sidecar.identity.model == wanted.model
        ]
        found.sort(key=lambda pair: pair[0].sidecar.built_at, reverse=True)
        return sorted(found, key=lambda pair: len(pair[1]))

    @contextmanager
    def building(
        self, identity: Identity, *, waiting: Callable[[str], None] | None = None
    ) -> Iterator[Build]:
        """Hold an engine's lock: whoever else wants to build it waits, then finds it.

        What the block leaves unpublished is removed, and so is what killed processes left.

        Args:
            waiting: is told, in a sentence, that another process is building this engine.

        Raises:
            EngineError: the folder is not writable, others can write to it, or filelock is not
                installed.
        """
        name = identity.folder_name
        target = self.folder / name
        with ExitStack() as stack:
            try:
                self._make_folder()
                self.work.clear_leftovers()
                stack.enter_context(self.work.held(name, waiting=waiting))
                stack.callback(self.work.clear, name)
                folder = stack.enter_context(temporary_folder(self.work.folder(name)))
            except OSError as error:
                raise not_kept(target, error) from None
            found, problems = self._whole(identity)
            yield Build(identity, found, tuple(problems), folder, target)

    def record(self, entry: Entry, verification: Verification) -> Entry:
        """Write what running an engine has shown into its sidecar.

        Returns:
            The engine as it is there now.

        Raises:
            EngineError: the folder is not writable, or the engine is not there any more.
        """
        sidecar = replace(entry.sidecar, verification=verification)
        file = entry.path / SIDECAR_FILE
        try:
            with self.work.held(entry.path.name):
                if open_entry(entry.path).sidecar.graphs != entry.sidecar.graphs:
                    return open_entry(entry.path)  # it was built again: other files than have run
                with whole_file(file, overwrite=True) as stream:
                    stream.write(sidecar.to_json().encode("utf-8"))
                file.chmod(0o600)
        except OSError as error:
            raise not_kept(entry.path, error) from None
        return Entry(entry.path, sidecar)

    def timing_cache(self, identity: Identity) -> Path:
        """Where the builder keeps its timings: one file a version, system and device.

        It is read and written by `trtcolor.engines.caches`.
        """
        return self.folder / CACHES / f"{identity.cache_name}.timing"

    def runtime_cache(self, identity: Identity, gpu: str) -> Path:
        """Where the runtime keeps what it compiled on a GPU, by the GPU's words; as `timing_cache`.

        One engine may be for several GPUs. It is read and written by
        `trtcolor.engines.caches.RuntimeCacheFile`.
        """
        digest = hashlib.sha256(gpu.encode()).hexdigest()[:12]
        return self.folder / CACHES / f"{identity.cache_name}.{digest}.runtime"

    def caches(self) -> list[Path]:
        """The timing and runtime caches that are there."""
        return sorted(path for path in (self.folder / CACHES).glob("*.*") if path.is_file())

    def locate(self, name: str) -> Path:
        """The folder of an engine by its name, by the start of either or of its key, or by path.

        Raises:
            EngineError: there is none, or more than one.
        """
        if os.sep in name or Path(name, SIDECAR_FILE).is_file():
            return Path(name)
        folders = [entry.path for entry in self.entries()]
        exact = [path for path in folders if path.name == name]
        found = exact or [
            path
            for path in folders
            if name and (path.name.startswith(name) or path.name.split(".")[-1].startswith(name))
        ]
        if len(found) == 1:
            return found[0]
        told = ", ".join(path.name for path in found or folders) or "none"
        raise EngineError(
            f"{len(found) or 'no'} engines in {self.folder} are called {name!r}; the start of one "
            f"name or key was needed ({told}); see 'trtcolor engines list'"
        )

    def _make_folder(self) -> None:
        make_private(self.folder)
        reason = None if self._trust else not_private(self.folder)
        if reason is not None:
            raise EngineError(
                f"no engine was written: {reason}; engines are executable code, so a folder of "
                "your own was needed; run chmod go-w on it, or name another in TRTCOLOR_ENGINES"
            )

    def _whole(self, identity: Identity) -> tuple[Entry | None, list[str]]:
        """The engine if it is there and whole, else what is wrong with the one that is."""
        try:
            entry = self.find(identity)
            problems = entry.problems() if entry is not None else []
        except EngineError as error:
            return None, [str(error)]
        return (None, problems) if problems else (entry, [])


def _is_engine(folder: Path) -> bool:
    """By its name or its sidecar: a user may have named a folder that holds other things too."""
    if folder.name.startswith("."):
        return False
    return bool(FOLDER_NAME.fullmatch(folder.name)) or os.path.lexists(folder / SIDECAR_FILE)

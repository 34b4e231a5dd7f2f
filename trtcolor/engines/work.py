"""Where engines come and go: of each one a lock, and a folder for what is not whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trtcolor.engines.trust import make_private
from trtcolor.errors import EngineError

if TYPE_CHECKING:
    from filelock import FileLock


class Work:
    """The folder ``.work`` of a store: ``NAME.lock`` and ``NAME/`` for each engine.

    The lock is the operating system's: it is free once its holder is gone, however that ended.
    What then still lies in ``NAME/`` is a leftover. Lock files are empty and stay: one that is
    deleted while somebody waits for it locks nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, name: str) -> Path:
        """For what is not the engine `name` yet, or not any more; its lock is held meanwhile."""
        return self._folder / name

    @contextmanager
    def held(self, name: str, *, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold an engine's lock; wait for it if need be.

        Args:
            waiting: is told in a sentence, once, that another holds it.

        Raises:
            EngineError: filelock is not installed.
            OSError: there is no place for the lock.
        """
        with self.locked(name) as free:
            if free:
                yield
                return
        if waiting is not None:
            waiting(f"another process is at work on {name}; waiting for it")
        with self._lock(name):
            yield

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Hold an engine's lock if nobody does; gives whether it is held now.

        Raises:
            EngineError, OSError: as from `held`.
        """
        lock = self._lock(name)
        from filelock import Timeout

        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def leftovers(self) -> list[str]:
        """Names of engines of which something lies here, being built or left over."""
        try:
            return sorted(path.name for path in self._folder.iterdir() if path.is_dir())
        except OSError:
            return []

    def clear(self, name: str) -> None:
        """Delete what lies here of an engine whose lock is held."""
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def clear_leftovers(self) -> None:
        """Delete what killed processes left; what somebody is at work on stays."""
        for name in self.leftovers():
            with suppress(OSError), self.locked(name) as free:
                if free:
                    self.clear(name)

    def _lock(self, name: str) -> FileLock:
        try:
            from filelock import FileLock
        except ImportError as error:
            raise EngineError(
                f"{error}; filelock was needed to change the cache of engines; run: pip install "
                '"trtcolor[engines]"'
            ) from None
        make_private(self._folder)
        return FileLock(self._folder / f"{name}.lock", thread_local=False)

"""Models into a repository: all of them or none, and no model of another name touched.

A server that watches the repository takes every folder in it for a model, hidden ones too, so that
models are put together beside it and renamed into it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trtcolor.errors import ExportError
from trtcolor.files import refuse_existing, temporary_folder, to_disk

CONFIG_FILE = "config.pbtxt"


def refuse_taken(repository: Path, names: Sequence[str], *, overwrite: bool) -> None:
    """Refuse names of models that are in use.

    Raises:
        OutputExistsError: one is there and `overwrite` is false.
        ExportError: the repository is a file, or something there is no model of Triton's.
    """
    if os.path.lexists(repository) and not repository.is_dir():
        raise ExportError(
            f"{repository} is no folder; one with models in it, or a free name, was needed; choose "
            "another"
        )
    for path in (repository / name for name in names):
        if os.path.lexists(path) and not (path / CONFIG_FILE).is_file():
            raise ExportError(
                f"{path} is there and no model of Triton's; only a model is overwritten; choose "
                "another name"
            )
        if not overwrite:
            refuse_existing(path)


@contextmanager
def staging(repository: Path) -> Iterator[Path]:
    """An empty folder on the repository's disk, outside it where that can be.

    Raises:
        OSError: it cannot be made.
    """
    parent = repository.absolute().parent
    outside = not repository.exists() or (
        os.access(parent, os.W_OK) and parent.stat().st_dev == repository.stat().st_dev
    )
    with temporary_folder(parent if outside else repository) as folder:
        yield folder


def put_in_place(
    staged: Path, repository: Path, names: Sequence[str], *, overwrite: bool
) -> list[Path]:
    """Rename finished models into the repository; what goes wrong leaves it as it was.

    A process that is killed in between leaves some of them; the last is the one that needs the
    others.

    Args:
        staged: from `staging`, with a folder of each name in it.

    Returns:
        The models' folders.

    Raises:
        OutputExistsError, ExportError: as from `refuse_taken`.
        OSError: the repository is not writable, and so on.
    """
    refuse_taken(repository, names, overwrite=overwrite)
    for path in sorted(staged.rglob("*")):
        to_disk(path)
    aside = staged / ".replaced"
    aside.mkdir()
    with ExitStack() as undo:
        if not repository.exists():
            repository.mkdir(parents=True)
            undo.callback(repository.rmdir)
        for name in names:
            if os.path.lexists(repository / name):
                _move(repository / name, aside / name, undo)
            _move(staged / name, repository / name, undo)
        to_disk(repository)
        undo.pop_all()
    return [repository / name for name in names]


def _move(source: Path, target: Path, undo: ExitStack) -> None:
    os.rename(source, target)
    undo.callback(os.rename, target, source)

"""`RemoteFilm`: a film in a store, coloured by way of files of this machine.

CACHE/films/KEY/             of one source and one output, so that a killed run goes on
    lock                     held while a run is at work
    source.mkv               the film, fetched whole
    output.mp4, .parts       what is coloured, as of any output (trtcolor.video.work)
    finished.json            of what output.mp4 is, once it is whole and not yet uploaded
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from trtcolor.archive.record import Identity
from trtcolor.closing import Closing
from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.files import whole_file
from trtcolor.stores.address import Address
from trtcolor.stores.objects import abort_uploads, check_free, is_there, upload
from trtcolor.stores.remote_file import RemoteFile, renamed


class RemoteFilm(Closing):
    """Files of this machine for a film and for what it becomes, of which either may be remote.

    Where both are paths they are taken as they are. Nothing is removed before it is uploaded, so
    that ``resume`` goes on after whatever ended a run, that of the upload too.

    Args:
        place: of the film.
        target: of the coloured film; None: none is made.
        resume, overwrite: as for `trtcolor.video.film.color_film`.
        note: called with each sentence that the user should know.

    Attributes:
        source, output: files of this machine.

    Raises:
        OutputExistsError: there is a coloured film, there or here, and neither was asked for.
        VideoError: another process is at work on it.
        StoreError: the film cannot be fetched, or its output not be looked for.
        OSError: the disk is full, and so on.
    """

    def __init__(
        self,
        place: Path | Address,
        target: Path | Address | None,
        *,
        resume: bool = False,
        overwrite: bool = False,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._place, self._target = place, target
        self._resume, self._overwrite = resume, overwrite
        self._folder: Path | None = None
        self.output: Path | None = None
        if isinstance(place, Path) and not isinstance(target, Address):
            self.source: Path = place
            self.output = target
            return
        key = hashlib.sha256(f"{place} {target}".encode()).hexdigest()[:16]
        self._folder = folder = platformdirs.user_cache_path("trtcolor") / "films" / key
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        self._claim()
        try:
            if isinstance(target, Address):
                self.output = folder / f"output{target.suffix}"
                begun = self.has_begun
                check_free(target, overwrite=overwrite or (resume and begun))
                if begun and not resume and not overwrite:
                    raise OutputExistsError(
                        f"{folder} has what an earlier run made for {target}; a decision was "
                        "needed; pass --resume to go on with it, or --overwrite to begin again"
                    )
                if overwrite and not resume:
                    self._finished.unlink(missing_ok=True)
                if not self._finished.exists() and not self._parts(self.output).exists():
                    self.output.unlink(missing_ok=True)  # nobody knows any more what it is of
            else:
                self.output = target
            if isinstance(place, Address):
                self.source = folder / f"source{place.suffix[:20]}"
                _fetch(RemoteFile(place), self.source, note)
            else:
                self.source = place
        except BaseException:
            self.close()
            raise

    def finished(self, asked: Mapping[str, Any]) -> Any:
        """What `finish` was told of an output that waits for its upload; None: there is none.

        Raises:
            VideoError: it was asked for otherwise.
        """
        try:
            stored = json.loads(self._finished.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if stored["asked"] != self._asked(asked):
            raise VideoError(
                f"{self._folder} has a film for {self._target} that was coloured otherwise; the "
                "same command was needed; give it, or begin again with --overwrite"
            )
        return stored["said"]

    def finish(self, asked: Mapping[str, Any], said: object) -> None:
        """The output is whole: upload it, and remove what is left here.

        Args:
            asked: all that decides what the output is, as JSON can hold it.
            said: for `finished`, if the upload fails.

        Raises:
            OutputExistsError: an object has come that is another.
            StoreError: the store does not answer, and so on; ``resume`` tries again.
        """
        if self._folder is None:
            return
        if isinstance(self._target, Address):
            assert self.output is not None, "what is uploaded has a file"
            with whole_file(self._finished, overwrite=True) as stream:
                stream.write(json.dumps({"asked": self._asked(asked), "said": said}).encode())
            if not self._is_uploaded(self.output, self._target):
                abort_uploads(self._target)
                upload(self.output, self._target, overwrite=self._overwrite)
        shutil.rmtree(self._folder)

    @contextmanager
    def errors_named(self) -> Iterator[None]:
        """What trtcolor refuses in the block names addresses in the place of their files."""
        with ExitStack() as stack:
            for path, place in ((self.source, self._place), (self.output, self._target)):
                if path is not None and isinstance(place, Address):
                    stack.enter_context(renamed(path, place))
            yield

    def close(self) -> None:
        """Let other processes have it; what was fetched stays if there is work to go on with."""
        if self._folder is not None and not self._lock.closed:
            if not self.has_begun:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._lock.close()

    @property
    def has_begun(self) -> bool:
        """Whether there is work here to go on with."""
        if self.output is None:
            return False
        waits = isinstance(self._target, Address) and self.output.exists()
        return waits or self._parts(self.output).is_dir()

    @staticmethod
    def _parts(output: Path) -> Path:
        return output.with_name(f"{output.name}.parts")

    def _asked(self, asked: Mapping[str, Any]) -> Any:
        """With what tells the film from another, as JSON gives it back."""
        found = self.source.stat()
        return json.loads(json.dumps({**asked, "film": [found.st_size, found.st_mtime_ns]}))

    @property
    def _finished(self) -> Path:
        return (self._folder or Path(os.devnull)) / "finished.json"

    def _is_uploaded(self, output: Path, target: Address) -> bool:
        """Whether a run was killed between the upload and its end."""
        if not self._resume or not is_there(target):
            return False
        with RemoteFile(target).local() as path:
            return Identity.of(path).holds_for(output, trust_time=False)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise VideoError(
                f"another process works on {self._place} for {self._target}; one at a time was "
                "needed; wait for it, or end it"
            ) from None


def _fetch(file: RemoteFile, path: Path, note: Callable[[str], None]) -> None:
    """Have a film here, unless an earlier run has fetched it as it is now."""
    state = file.seen()
    if path.exists():
        found = path.stat()
        if state.mtime_ns and (found.st_size, found.st_mtime_ns) == (state.bytes, state.mtime_ns):
            return
    size = f" of {state.bytes / 1e6:.1f} MB" if state.bytes >= 0 else ""
    note(f"{file}{size} is fetched to {path}")
    part = path.with_suffix(".part")
    file.fetch(part)
    part.replace(path)

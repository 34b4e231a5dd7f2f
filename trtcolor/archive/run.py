"""One run: the pictures that were found, coloured side by side into a folder.

    found -> tasks -> workers make parts -> the run settles them -> outputs

Workers are threads (`trtcolor.archive.local`) or the actors of a cluster. Only the run writes into
the journal and gives outputs their names, in that order, so that whatever ends it or them, no
output is unknown, missing or double.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import Protocol

from trtcolor.archive.desk import Desk
from trtcolor.archive.find import Found
from trtcolor.archive.job import NO_DISK
from trtcolor.archive.journal import Journal
from trtcolor.archive.local import Threads
from trtcolor.archive.making import Existing, Made, Task
from trtcolor.archive.names import output_names
from trtcolor.archive.place import Place
from trtcolor.archive.pool import unordered
from trtcolor.archive.provenance import Provenance
from trtcolor.archive.record import Outcome, Record
from trtcolor.archive.report import check_report, reported
from trtcolor.archive.settings import PictureSettings
from trtcolor.archive.sources import Source
from trtcolor.archive.store_place import StorePlace, names_below
from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, StoreError, StoreUnreachableError
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.stores.address import Address

Tell = Callable[[Record, Progress], None]


class Workers(Protocol):
    """What makes parts of outputs, wherever it is.

    Attributes:
        settings, provenance: of all outputs.
        stages: what each stage takes.
    """

    settings: PictureSettings
    provenance: Provenance
    stages: Stages

    def made(
        self, tasks: Iterable[Task], desk: Desk, existing: Existing
    ) -> Generator[Sequence[Made], None, None]:
        """What becomes of each task, in any order, some at a time.

        A task may be made twice if only one of both comes; what the other left is removed with the
        desk's parts. Closing the generator ends all work.

        Raises:
            OSError: the disk is full or read-only.
        """
        ...


@dataclass
class Summary:
    """What became of all pictures.

    Attributes:
        counts: pictures by outcome.
        stages: what each stage took, and the whole.
    """

    counts: dict[Outcome, int]
    stages: Stages

    @property
    def failed(self) -> int:
        """How many were not coloured and should have been."""
        return self.counts["failed"]


def color_pictures(
    colorizer: Colorizer,
    found: Found,
    output: str | os.PathLike[str] | Address,
    settings: PictureSettings | None = None,
    *,
    skip_existing: bool = False,
    overwrite: bool = False,
    report: str | os.PathLike[str] | Address | None = None,
    workers: int | None = None,
    memory: int | None = None,
    tell: Tell = lambda record, progress: None,
) -> Summary:
    """Colour pictures into a folder, which keeps the structure that they have below their root.

    Several are read, coloured and written at the same time, each in a thread of its own, while the
    pixels of all together keep to a bound. Everything else is as `run_pictures` says.

    Args:
        colorizer: its ``threads`` are those of one picture; 1 is best where there are many.
        found: from `trtcolor.archive.find.find_pictures`.
        output: the folder, made if it is missing, or a prefix of a store.
        settings: how.
        skip_existing, overwrite: ``skips`` and ``replaces`` of `Existing`.
        report, tell: as there.
        workers, memory: as for `Threads`.

    Raises:
        OutputExistsError, PictureError, StoreError, OSError: as there.
    """
    threads = Threads(
        colorizer,
        settings or PictureSettings(),
        pictures=len(found.pictures),
        workers=workers,
        memory=memory,
    )
    existing = Existing(skips=skip_existing, replaces=overwrite)
    return run_pictures(threads, found, output, existing, report=report, tell=tell)


def run_pictures(
    workers: Workers,
    found: Found,
    output: str | os.PathLike[str] | Address,
    existing: Existing,
    *,
    report: str | os.PathLike[str] | Address | None = None,
    tell: Tell = lambda record, progress: None,
) -> Summary:
    """Have pictures coloured into a folder, which keeps the structure that they have.

    One that fails is recorded, and the others go on. What was done is kept whatever ends the run,
    and nothing that is half-made lies under an output's name (see `trtcolor.archive.place` and
    `trtcolor.archive.journal`).

    Args:
        workers: make them.
        found: from `trtcolor.archive.find.find_pictures`.
        output: the folder, made if it is missing, or a prefix of a store.
        existing: what becomes of outputs that are there. A picture whose output is something that
            it does not allow to replace fails.
        report: a file for the lines of `Record`, behind one with the version and the settings,
            written also where the run ends early; an earlier report is replaced.
        tell: called after every picture, in the caller's thread.

    Raises:
        OutputExistsError: outputs exist, and `existing` refuses them; or the report's name is that
            of a file that is none.
        PictureError: another process works on the folder, it is a file, or the report would lie in
            its ``.trtcolor``.
        StoreError: another process works on the prefix, a store does not answer, and so on.
        OSError: the disk is full or read-only; what was done is kept.
    """
    folder = output if isinstance(output, Address) else Path(output)
    file = report if report is None or isinstance(report, Address) else Path(report)
    names = output_names(found.pictures, found.root, workers.settings.format)
    if not existing.skips and not existing.replaces:
        _refuse_existing(folder, names)
    check_report(file, folder, overwrite=existing.replaces)
    where = str(folder) if isinstance(folder, Address) else os.path.abspath(folder)
    head = workers.provenance.head(root=str(found.root), folder=where)
    summary = Summary({"coloured": 0, "skipped": 0, "failed": 0}, workers.stages)
    expected = len(names) + len(found.faults)
    with (
        StorePlace(folder) if isinstance(folder, Address) else Place(folder) as place,
        place.journal(head) as journal,
        reported(journal, file),
        closing(_Run(workers, place, journal, existing).records(found, names)) as records,
    ):
        workers.stages.start()
        for record in records:
            summary.counts[record.outcome] += 1
            done, skipped = sum(summary.counts.values()), summary.counts["skipped"]
            tell(record, Progress(done, skipped, expected, workers.stages.seconds))
        workers.stages.stop()
    return summary


def _refuse_existing(folder: Path | Address, names: Sequence[PurePath]) -> None:
    if isinstance(folder, Address):
        taken = names_below(folder)
        there = [str(folder.joinpath(name)) for name in names if name.as_posix() in taken]
    else:
        there = [str(folder / name) for name in names if os.path.lexists(folder / name)]
    if there:
        raise OutputExistsError(
            f"{len(there)} of {len(names)} outputs are there already, the first is {there[0]}; "
            "free names were needed; choose another folder, or go on with --skip-existing, or "
            "allow overwriting"
        )


class _Run:
    """What comes back from the workers, settled."""

    def __init__(
        self, workers: Workers, place: Place | StorePlace, journal: Journal, existing: Existing
    ) -> None:
        self._workers, self._place, self._journal = workers, place, journal
        self._existing = existing

    def records(self, found: Found, names: Sequence[PurePath]) -> Generator[Record, None, None]:
        """Those of all pictures, each of which is in the journal, and in its place, by then."""
        for fault in found.faults:
            record = self._workers.provenance.record(str(fault.path), None, fault.reason)
            self._journal.add(record)
            yield record
        tasks = self._tasks(found.pictures, names)
        with closing(self._workers.made(tasks, self._place.desk, self._existing)) as batches:
            made = chain.from_iterable(batches)
            if self._place.at_once == 1:
                yield from map(self._settled, made)
                return
            with closing(unordered(self._settled, made, self._place.at_once)) as records:
                yield from records

    def _tasks(self, pictures: Iterable[Source], names: Iterable[PurePath]) -> Iterator[Task]:
        known = self._place.there
        for picture, name in zip(pictures, names, strict=True):
            earlier = self._journal.made(name.as_posix()) if self._existing.skips else None
            there = None if known is None else name.as_posix() in known
            yield Task(picture, name, earlier, there)

    def _settled(self, made: Made) -> Record:
        """Remember what was made, then give it its name."""
        record, part = made.record, made.part
        self._journal.add(record, durable=part is not None)
        if part is None:
            return record
        assert record.output is not None, "a part is that of an output"
        output = PurePath(record.output)
        overwrite = self._existing.skips or self._existing.replaces
        try:
            self._place.put(part, output, overwrite=overwrite)
        except StoreUnreachableError:
            raise
        except (OutputExistsError, StoreError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_DISK:
                raise
            shown = self._place.desk.shown(output)
            record = record.failed(f"{shown} was not written ({error}); choose another folder")
            self._journal.add(record)
        return record

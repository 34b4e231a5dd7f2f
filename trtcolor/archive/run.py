"""One run: the pictures that were found, coloured side by side into a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from trtcolor.archive.budget import Budget
from trtcolor.archive.find import Found
from trtcolor.archive.job import NETWORK, NO_DISK, READ, STAGES, WRITE, color_file, gate_of
from trtcolor.archive.journal import Journal
from trtcolor.archive.names import output_names
from trtcolor.archive.place import Place
from trtcolor.archive.pool import unordered
from trtcolor.archive.record import Outcome, Record
from trtcolor.archive.report import check_report, reported
from trtcolor.archive.settings import PictureSettings, model_key
from trtcolor.archive.size import bytes_needed
from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, TrtcolorError
from trtcolor.files import put_file_in_place
from trtcolor.memory import available_memory
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.threads import usable_cores

Tell = Callable[[Record, Progress], None]
AHEAD = 1
"""Threads more than cores: some wait for the disk."""


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
    output: str | os.PathLike[str],
    settings: PictureSettings | None = None,
    *,
    skip_existing: bool = False,
    overwrite: bool = False,
    report: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    memory: int | None = None,
    tell: Tell = lambda record, progress: None,
) -> Summary:
    """Colour pictures into a folder, which keeps the structure that they have below their root.

    Several are read, coloured and written at the same time, each in a thread of its own, while the
    pixels of all together keep to a bound. One that fails is recorded, and the others go on. What
    was done is kept whatever ends the run, and nothing that is half-made lies under an output's
    name (see `trtcolor.archive.place` and `trtcolor.archive.journal`).

    Args:
        colorizer: its ``threads`` are those of one picture; 1 is best where there are many.
        found: from `trtcolor.archive.find.find_pictures`.
        output: the folder; made if it is missing.
        settings: how.
        skip_existing: leave an output that was made from the same content with the same settings
            and the same model; make one again that was made by an earlier run and is unchanged
            since; a picture whose output is something else fails.
        overwrite: replace whatever has an output's name.
        report: a file for the lines of `Record`, behind one with the version and the settings,
            written also where the run ends early; an earlier report is replaced.
        workers: pictures at a time; None: `AHEAD` more than there are cores.
        memory: bytes for the pixels of all pictures that are being worked on; one that takes more
            is worked on alone. None: half of what the machine has available.
        tell: called after every picture, in the caller's thread.

    Raises:
        OutputExistsError: outputs exist, and neither was asked for; or the report's name is that of
            a file that is none.
        PictureError: another process works on the folder, it is a file, or the report would lie in
            its ``.trtcolor``.
        OSError: the disk is full or read-only; what was done is kept.
    """
    return _Run(
        colorizer,
        found,
        Path(output),
        settings or PictureSettings(),
        replaces=overwrite,
        skips=skip_existing,
        workers=workers,
        memory=memory,
        tell=tell,
    ).run(None if report is None else Path(report))


class _Run:
    def __init__(
        self,
        colorizer: Colorizer,
        found: Found,
        output: Path,
        settings: PictureSettings,
        *,
        replaces: bool,
        skips: bool,
        workers: int | None,
        memory: int | None,
        tell: Tell,
    ) -> None:
        self._colorizer, self._found, self._output = colorizer, found, output
        self._settings, self._replaces, self._skips, self._tell = settings, replaces, skips, tell
        names = output_names(found.pictures, found.root, settings.format)
        self._items = list(zip(found.pictures, names, strict=True))
        self._workers = min(workers or usable_cores() + AHEAD, max(len(names), 1))
        self._budget = Budget(available_memory() // 2 if memory is None else memory)
        self._device = gate_of(colorizer)
        self._stages = Stages(
            STAGES,
            workers={
                READ: self._workers,
                NETWORK: 1 if self._device else self._workers,
                WRITE: self._workers,
            },
            unit="picture",
        )
        self._blank = Record(
            input="",
            output=None,
            outcome="failed",
            settings=settings.key(colorizer),
            model=colorizer.spec.name,
            model_sha256=model_key(colorizer),
        )

    def run(self, report: Path | None) -> Summary:
        self._refuse_existing()
        check_report(report, self._output, overwrite=self._replaces)
        head = self._settings.head(
            self._colorizer, root=str(self._found.root), folder=os.path.abspath(self._output)
        )
        summary = Summary({"coloured": 0, "skipped": 0, "failed": 0}, self._stages)
        expected = len(self._items) + len(self._found.faults)
        with (
            Place(self._output) as place,
            Journal(place.inner, head) as journal,
            reported(journal, report),
            closing(self._records(place, journal)) as records,
        ):
            self._stages.start()
            for record in records:
                summary.counts[record.outcome] += 1
                done, skipped = sum(summary.counts.values()), summary.counts["skipped"]
                self._tell(record, Progress(done, skipped, expected, self._stages.seconds))
            self._stages.stop()
        return summary

    def _refuse_existing(self) -> None:
        if self._replaces or self._skips:
            return
        paths = [self._output / name for _, name in self._items]
        there = [path for path in paths if os.path.lexists(path)]
        if there:
            raise OutputExistsError(
                f"{len(there)} of {len(paths)} outputs are there already, the first is "
                f"{there[0]}; free names were needed; choose another folder, or go on with "
                "--skip-existing, or allow overwriting"
            )

    def _records(self, place: Place, journal: Journal) -> Generator[Record, None, None]:
        for fault in self._found.faults:
            record = replace(self._blank, input=str(fault.path), reason=fault.reason)
            journal.add(record)
            yield record
        with closing(
            unordered(lambda item: self._color(item, place, journal), self._items, self._workers)
        ) as records:
            yield from records

    def _color(self, item: tuple[Path, PurePath], place: Place, journal: Journal) -> Record:
        """Colour one picture, unless it was; its line is in the journal then."""
        source, name = item
        record = replace(self._blank, input=str(source), output=name.as_posix())
        try:
            target = place.target(name)
            earlier = journal.made(name.as_posix())
            if self._is_done(source, target, earlier):
                assert earlier is not None
                reason = "made earlier from the same picture, with the same settings and model"
                record = replace(
                    earlier, input=str(source), outcome="skipped", reason=reason, seconds={}
                )
            else:
                return self._make(source, target, record, place, journal)
        except TrtcolorError as error:
            record = record.failed(str(error))
        except OSError as error:
            if error.errno in NO_DISK:
                raise
            record = record.failed(
                f"{source}: its output cannot be {self._output / name} "
                f"({error.strerror}); choose another folder"
            )
        journal.add(record)
        return record

    def _is_done(self, source: Path, target: Path, earlier: Record | None) -> bool:
        """Whether a picture may be left out; raises if its output may not be replaced."""
        if not os.path.lexists(target) or not self._skips:
            return False
        if earlier is not None and earlier.source is not None:
            same = (earlier.settings, earlier.model_sha256) == (
                self._blank.settings,
                self._blank.model_sha256,
            )
            here = earlier.input == str(source)
            if same and earlier.source.holds_for(source, trust_time=here):
                return True
            if earlier.made is not None and earlier.made.holds_for(target, trust_time=False):
                return False
        if self._replaces:
            return False
        raise OutputExistsError(
            f"{target} is there and is not what trtcolor made of {source}; a free name was needed; "
            "move it, or allow overwriting"
        )

    def _make(
        self, source: Path, target: Path, record: Record, place: Place, journal: Journal
    ) -> Record:
        part = place.part(PurePath(target.name))
        try:
            with self._budget.part(bytes_needed(source, self._settings.max_pixels)):
                made = color_file(
                    self._colorizer,
                    source,
                    part,
                    self._settings,
                    stages=self._stages,
                    device=self._device,
                )
            made = replace(
                made, output=record.output, reason=made.reason.replace(str(part), str(target))
            )
            journal.add(made, durable=made.outcome == "coloured")
            if made.outcome == "coloured":
                try:
                    put_file_in_place(part, target, overwrite=self._replaces or self._skips)
                except (OutputExistsError, OSError) as error:
                    if isinstance(error, OSError) and error.errno in NO_DISK:
                        raise
                    made = made.failed(f"{target} was not written ({error}); choose another folder")
                    journal.add(made)
            return made
        finally:
            place.drop(part)

"""One picture of a run: left out because it was made earlier, or coloured into a part."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import PurePath

from trtcolor.archive.budget import Budget
from trtcolor.archive.desk import Desk
from trtcolor.archive.job import NO_DISK, color_file, gate_of
from trtcolor.archive.provenance import Provenance
from trtcolor.archive.record import Record
from trtcolor.archive.settings import PictureSettings
from trtcolor.archive.size import bytes_needed
from trtcolor.archive.sources import Source, at_hand, has_content
from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, StoreUnreachableError, TrtcolorError
from trtcolor.stages import Stages


@dataclass(frozen=True)
class Task:
    """A picture to be coloured. It pickles.

    Attributes:
        source: absolute, or an object of a store.
        output: path below the output folder.
        earlier: of the last time that this output was made; None: it never was.
        there: whether something has the output's name; None: the desk is to look.
    """

    source: Source
    output: PurePath
    earlier: Record | None = None
    there: bool | None = None


@dataclass(frozen=True)
class Made:
    """What was made of a picture. It pickles.

    Attributes:
        record: what to remember of it.
        part: the output, which has no name yet, as `trtcolor.archive.desk.Part.keep` gave it; None:
            the picture was left out or failed.
    """

    record: Record
    part: str | None = None


@dataclass(frozen=True)
class Existing:
    """What becomes of outputs that are there already. If it is neither, they are refused.

    Attributes:
        skips: leave those that were made from the same content, with the same settings and model;
            make again those that an earlier run made and that are unchanged since.
        replaces: replace all others.
    """

    skips: bool = False
    replaces: bool = False


class Maker:
    """Makes parts of outputs. Threads may share it.

    Args:
        colorizer: an open one.
        settings: how.
        desk: where parts are made.
        existing: what becomes of outputs that are there.
        stages: takes the times.
        budget: bytes for the pixels of all pictures that are being made.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        settings: PictureSettings,
        desk: Desk,
        existing: Existing,
        *,
        stages: Stages,
        budget: Budget,
    ) -> None:
        self._colorizer, self._settings, self._desk = colorizer, settings, desk
        self._existing, self._stages, self._budget = existing, stages, budget
        self._provenance = Provenance.of(colorizer, settings)
        self._gate: AbstractContextManager[object] | None = gate_of(colorizer)

    def make(self, task: Task) -> Made:
        """Make what is to be made of a picture; one that fails is a record that says why.

        Raises:
            OSError: the disk is full or read-only: no other picture could be made either.
            StoreUnreachableError: nor could it where a store does not answer.
        """
        output = task.output.as_posix()
        try:
            if self._is_done(task):
                assert task.earlier is not None
                reason = "made earlier from the same picture, with the same settings and model"
                record = replace(task.earlier, input=str(task.source), outcome="skipped")
                return Made(replace(record, reason=reason, seconds={}))
            return self._part(task)
        except StoreUnreachableError:
            raise
        except TrtcolorError as error:
            reason = str(error)
        except OSError as error:
            if error.errno in NO_DISK:
                raise
            reason = (
                f"{task.source}: its output cannot be {self._desk.shown(task.output)} "
                f"({error.strerror}); choose another folder"
            )
        return Made(self._provenance.record(str(task.source), output, reason))

    def _is_done(self, task: Task) -> bool:
        """Whether a picture may be left out; raises if its output may not be replaced."""
        there, earlier = task.there, task.earlier
        if there is None:
            there = self._desk.is_there(task.output)
        if not there or not self._existing.skips:
            return False
        if earlier is not None and earlier.source is not None:
            here = earlier.input == str(task.source)
            if self._provenance.made(earlier) and has_content(
                task.source, earlier.source, trust_time=here
            ):
                return True
            if earlier.made is not None and self._desk.holds(task.output, earlier.made):
                return False
        if self._existing.replaces:
            return False
        raise OutputExistsError(
            f"{self._desk.shown(task.output)} is there and is not what trtcolor made of "
            f"{task.source}; a free name was needed; move it, or allow overwriting"
        )

    def _part(self, task: Task) -> Made:
        with at_hand(task.source) as source, self._desk.part(task.output) as part:
            with self._budget.part(bytes_needed(source, self._settings.max_pixels)):
                record = color_file(
                    self._colorizer,
                    source,
                    part.file,
                    self._settings,
                    stages=self._stages,
                    device=self._gate,
                )
            reason = record.reason.replace(str(part.file), self._desk.shown(task.output))
            record = replace(
                record,
                input=str(task.source),
                output=task.output.as_posix(),
                reason=reason.replace(str(source), str(task.source)),
            )
            return Made(record, part.keep() if record.outcome == "coloured" else None)

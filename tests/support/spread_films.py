"""A film made from its spans, in any order, by several makers of this process."""

from __future__ import annotations

import os
import random
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from trtcolor.colorizer import Colorizer
from trtcolor.stages import Stages
from trtcolor.video.film import color_film, colour_by, model_identity
from trtcolor.video.job import FilmJob
from trtcolor.video.making import FragmentMaker
from trtcolor.video.report import FilmReport
from trtcolor.video.run import FilmRun
from trtcolor.video.scan import Scan
from trtcolor.video.settings import FilmSettings
from trtcolor.video.spans import Span
from trtcolor.video.work import Work

Files = dict[str, bytes]


class Spread:
    """Makes the missing fragments of a job from its spans.

    Args:
        seed: of the order in which they are made.
        makers: how many there are.
        most: fragments after which it stops with an error.

    Attributes:
        spans: all that the scan gave.
        misses: spans that were not found by jumping.
    """

    def __init__(
        self, colorizer: Colorizer, *, seed: int = 0, makers: int = 2, most: int | None = None
    ) -> None:
        self._colorizer, self._most = colorizer, most
        self._chance, self._makers = random.Random(seed), makers
        self.spans: list[Span] = []
        self.misses = 0

    def __call__(self, job: FilmJob) -> None:
        stages, made = Stages(), 0
        colour = colour_by(self._colorizer, job.settings, stages)
        with ExitStack() as stack:
            makers = [
                stack.enter_context(
                    FragmentMaker(job.file, job.encoding, job.settings, colour, stages=stages)
                )
                for _ in range(self._makers)
            ]
            for span in self._in_any_order(job):
                if made == self._most:
                    raise KeyboardInterrupt
                maker = self._chance.choice(makers)
                job.work.take(maker.make(span))
                made += 1
            self.misses = sum(maker.reader.misses for maker in makers)

    def _in_any_order(self, job: FilmJob) -> Iterator[Span]:
        scan = Scan(job, self._colorizer.spec, self._colorizer.render, threads=1)
        self.spans = list(scan.spans())
        left = [s for s in self.spans if not job.work.has(s.number, s.first, len(s.marks))]
        while left:
            ready = [s for s in left if not s.waits or s.number - 1 not in {o.number for o in left}]
            span = self._chance.choice(ready)
            left.remove(span)
            yield span.after(job.work.state(span.number - 1)) if span.waits else span


def alone(
    colorizer: Colorizer, film: Path, output: Path, *, resume: bool = False, **settings: Any
) -> tuple[FilmReport, Files]:
    """Coloured by one process, as users do; its report, and the files of its fragments."""
    with _kept_work() as files:
        report = color_film(colorizer, film, output, FilmSettings(**settings), resume=resume)
    return report, files


def spread(
    colorizer: Colorizer,
    film: Path,
    output: Path,
    make: Spread,
    *,
    resume: bool = False,
    **settings: Any,
) -> tuple[FilmReport, Files]:
    """The same, made by ``make``."""
    run = FilmRun(
        os.fspath(film),
        output,
        FilmSettings(**settings),
        model=lambda: model_identity(colorizer),
        make=make,
        chroma=None,
        stages=Stages(),
        note=lambda sentence: None,
    )
    with _kept_work() as files:
        report = run.run(resume=resume, overwrite=False)
    return report, files


@contextmanager
def _kept_work() -> Generator[Files, None, None]:
    """The files of the fragments, taken before their folder is removed."""
    files: Files = {}
    remove = Work.remove

    def look(work: Work) -> None:
        files.update((path.name, path.read_bytes()) for path in work.folder.glob("[0-9]*.*"))
        remove(work)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, "remove", look)
        yield files

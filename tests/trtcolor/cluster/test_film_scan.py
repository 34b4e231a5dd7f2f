"""The scan of a film that goes on in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from films import WITH_FFMPEG, make_film, pictures

from trtcolor.bundle import open_bundle
from trtcolor.cluster.film_scan import Scanning
from trtcolor.video.encoding import Encoding
from trtcolor.video.job import FilmFile, FilmJob
from trtcolor.video.scan import Scan
from trtcolor.video.settings import FilmSettings
from trtcolor.video.source import FilmFrame, FilmSource
from trtcolor.video.work import Work

pytestmark = WITH_FFMPEG


class Endless:
    """A film whose first frame is shown for ever."""

    def __init__(self, film: FilmSource) -> None:
        self._film, self.read = film, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._film, name)

    def __iter__(self) -> Iterator[FilmFrame]:
        first, index = next(iter(self._film)), 0
        while True:
            yield replace(first, index=index, pts=first.pts + index)
            index += 1
            if index == 20:
                self.read.set()


@pytest.fixture
def job(tmp_path: Path) -> Iterator[FilmJob]:
    path = make_film(tmp_path / "in.mkv", pictures(4), "-c:v", "ffv1")
    settings = FilmSettings(fragment=10**9)
    file = FilmFile.of(str(path), settings, upright=False)
    with file.open() as film, Work(tmp_path / "parts", {}) as work:
        yield FilmJob(
            file, cast(FilmSource, Endless(film)), cast(Encoding, None), settings, work, {}, False,
            print,
        )  # fmt: skip


def test_a_scan_ends_in_the_middle_of_a_fragment(job: FilmJob) -> None:
    scanning = Scanning(Scan(job, open_bundle("default").spec, 32, threads=1), ahead=2)
    assert cast(Endless, job.film).read.wait(60)
    closing = threading.Thread(target=scanning.close, daemon=True)
    closing.start()
    closing.join(60)
    assert not closing.is_alive()
    assert scanning.take() is None

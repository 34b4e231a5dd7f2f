"""A film coloured by the workers of a cluster; its frames are those of `color_film`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from trtcolor.archive.settings import PictureSettings
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.closing import Closing
from trtcolor.cluster.connection import connected
from trtcolor.cluster.description import described
from trtcolor.cluster.film_crew import Crew
from trtcolor.cluster.film_scan import Scanning
from trtcolor.cluster.film_worker import Order
from trtcolor.cluster.machines import check_machines
from trtcolor.cluster.program import program_here
from trtcolor.cluster.share import needs_gpu, share_of
from trtcolor.cluster.shipping import ship
from trtcolor.cluster.worker import Model
from trtcolor.progress import Progress
from trtcolor.stages import Stages
from trtcolor.video.job import FilmJob
from trtcolor.video.report import FilmReport
from trtcolor.video.run import FilmRun
from trtcolor.video.scan import Scan
from trtcolor.video.settings import FilmSettings

AHEAD = 2
"""Spans that the scan may be ahead of each worker."""


def color_film_on(
    address: str,
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: FilmSettings | None = None,
    *,
    model: str | os.PathLike[str] = "default",
    options: Mapping[str, Any] | None = None,
    style: NDArray[Any] | None = None,
    threads: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    stages: Stages | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> FilmReport:
    """Colour a film by the workers of a Ray cluster.

    This process decodes the film once to find its shots, hands out fragments, keeps what comes, and
    puts it together. The work lies beside the output, as that of `color_film`: either goes on with
    what the other left. Each machine must see the film under the same path.

    The fragments are, byte by byte, those of `color_film` on such a machine as the workers run on.
    Processors with other vector instructions, other GPUs and other versions of a backend may round
    the network's output otherwise.

    Args:
        address: as for `trtcolor.cluster.connection.connected`.
        source, output: files.
        settings: how; a style is that of ``style``.
        model: as for `Colorizer`; its bundle is carried to the workers.
        options: further ones of each worker's `Colorizer`.
        style: pixels of a picture whose global features all frames get; None: each its own.
        threads: cores of a worker; None: as `trtcolor.cluster.share.share_of` finds best.
        resume, overwrite, stages, note: as for `color_film`.
        tell: called after every fragment.

    Raises:
        ClusterError: no cluster, a machine that is not as the others or does not see the film, or
            workers that end wherever they try.
        OutputExistsError, VideoError, BackendError, OSError: as from `color_film`.
    """
    times = stages or Stages()
    with Shoot(address, source, model, options or {}, threads, times, tell, note) as shoot:
        asked = settings or FilmSettings()
        if style is not None:
            asked = replace(asked, style=shoot.style(style))
        return FilmRun(
            os.fspath(source),
            Path(output),
            asked,
            model=shoot.identity,
            make=shoot.make,
            chroma=None,
            stages=times,
            note=note,
        ).run(resume=resume, overwrite=overwrite)


class Shoot(Closing):
    """The cluster, from when it is first needed: what can be refused without it comes before.

    Arguments are those of `color_film_on`.
    """

    def __init__(
        self,
        address: str,
        source: str | os.PathLike[str],
        model: str | os.PathLike[str],
        options: Mapping[str, Any],
        threads: int | None,
        stages: Stages,
        tell: Callable[[Progress], None],
        note: Callable[[str], None],
    ) -> None:
        self._address, self._source, self._threads = address, Path(source), threads
        self._options, self._stages, self._tell, self._note = options, stages, tell, note
        self._bundle: Bundle = open_bundle(model)
        self._gpu = needs_gpu(options.get("backend"), options.get("engine"))
        self._stack = ExitStack()
        self._opened = False

    def style(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The global features of a picture, as a worker finds them."""
        self._open(pixels)
        found = self._description.settings.style
        assert found is not None, "it was asked for"
        return found

    def identity(self) -> dict[str, Any]:
        """As of `trtcolor.video.film.model_identity` there."""
        self._open(None)
        return {
            "name": self._bundle.spec.name,
            "sha256": hashlib.sha256(self._bundle.spec.to_json().encode()).hexdigest(),
            "backend": self._description.backend,
            "render": self._options.get("render", "auto"),
        }

    def make(self, job: FilmJob) -> None:
        """Make the fragments that are missing."""
        order = Order(
            program=program_here(),
            model=self._model,
            file=replace(job.file, name=os.path.abspath(job.file.name)),
            encoding=job.encoding,
            settings=job.settings,
            identity=job.identity,
        )
        scan = Scan(job, self._bundle.spec, self._options.get("render", "auto"))
        ahead = AHEAD * max(1, self._share.workers(self._cluster.nodes()))
        with (
            Crew(
                self._cluster, self._share, order, job, stages=self._stages, tell=self._tell
            ) as crew,
            Scanning(scan, ahead) as scanning,
        ):
            crew.work(scanning)

    def close(self) -> None:
        """Leave the cluster; a second call does nothing."""
        self._stack.close()

    def _open(self, style: NDArray[Any] | None) -> None:
        if self._opened:
            return
        self._cluster = self._stack.enter_context(connected(self._address, tell=self._note))
        self._share = share_of(self._cluster, cores=self._threads, gpu=self._gpu)
        nodes = [node for node in self._cluster.nodes() if self._share.fits(node)]
        check_machines(self._cluster, nodes, paths=[self._source.absolute()])
        options = {**self._options, "threads": self._share.cores}
        self._model = Model(ship(self._bundle), options)
        self._description = described(
            self._cluster, self._share, self._model, PictureSettings(), style, self._note
        )
        if self._description.backend_reason is not None:
            self._note(f"backend {self._description.backend}: {self._description.backend_reason}")
        self._opened = True

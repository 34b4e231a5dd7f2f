"""What the options of ``colorize`` come to: one picture coloured, or as many as there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.cli.bar import Bar
from trtcolor.cli.going_on import telling_how_to_go_on
from trtcolor.cli.results import check_results, write_bytes
from trtcolor.cli.runner import Runner
from trtcolor.cli.sheets import check_sheet_options, write_sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtcolor.archive.find import Found
    from trtcolor.archive.record import Record
    from trtcolor.archive.run import Workers
    from trtcolor.archive.settings import PictureSettings
    from trtcolor.archive.sources import Source
    from trtcolor.colorizer import Colorizer
    from trtcolor.progress import Progress
    from trtcolor.stores.address import Address


@dataclass(frozen=True, kw_only=True)
class Coloring(Runner):
    """The options by their names, and the two things that are done by them."""

    style: Path | Address | None
    saturation: float
    upsampling: Any
    format: str | None
    quality: int
    keep_metadata: bool
    max_pixels: int
    skip_existing: bool
    report: Path | Address | None
    sheet: Path | None
    compare: tuple[str, ...]
    overwrite: bool
    ray: str | None

    def color_one(self, source: Source, output: Path | Address) -> None:
        from trtcolor.archive.names import FORMATS
        from trtcolor.archive.provenance import Provenance
        from trtcolor.archive.record import line_of
        from trtcolor.archive.single import check_single, color_picture
        from trtcolor.archive.sources import source_of
        from trtcolor.errors import PictureError
        from trtcolor.images import WRITE_FORMATS

        if self.skip_existing:
            raise click.UsageError("--skip-existing needs a folder for OUT, which remembers")
        if self.ray is not None:
            raise click.UsageError("--ray needs a folder for OUT: it spreads several pictures")
        kind = None if self.format is None else WRITE_FORMATS[FORMATS[self.format]]
        if kind is not None and WRITE_FORMATS.get(output.suffix.lower(), kind) != kind:
            raise click.UsageError(f"--format {self.format} and OUT's {output.suffix} disagree")
        self._check_outputs(1)
        check_single(output, overwrite=self.overwrite, format=kind)
        with self.colorizer(self.threads) as colorizer:
            settings = self._settings(colorizer)
            record = color_picture(colorizer, source, output, settings, overwrite=self.overwrite)
            head = line_of(Provenance.of(colorizer, settings).head())
        if self.report is not None:
            write_bytes(self.report, head + record.line(), self.overwrite)
        if record.outcome == "failed":
            raise PictureError(record.reason)
        if record.reason:
            click.echo(f"note: {record.reason}", err=True)
        pages = f", {record.pages} pages" if record.pages != 1 else ""
        click.echo(f"{output}: {record.width}x{record.height}{pages}")
        self._write_sheet([(source.name, source, source_of(output))])

    def color_many(
        self, inputs: tuple[str, ...], lists: tuple[str, ...], output: Path | Address
    ) -> None:
        from trtcolor.archive.find import find_pictures
        from trtcolor.archive.making import Existing
        from trtcolor.archive.names import SUFFIXES, is_folder
        from trtcolor.archive.run import run_pictures
        from trtcolor.archive.sources import source_of

        if output.suffix.lower() in SUFFIXES and not is_folder(output):
            raise click.UsageError(f"several pictures need a folder for OUT, not the file {output}")
        found = find_pictures(inputs, lists, output=output)
        if isinstance(output, Path) and self.report is not None and self.report.parent == output:
            output.mkdir(parents=True, exist_ok=True)  # so that the report may lie there
        self._check_outputs(len(found.pictures))
        sources = {str(source): source for source in found.pictures} if self.sheet else {}
        pairs: list[tuple[str, Source, Source]] = []
        told = 0
        with (
            telling_how_to_go_on(lambda: told > 0, "--skip-existing"),
            Bar("pictures", "a second") as bar,
        ):

            def tell(record: Record, progress: Progress) -> None:
                nonlocal told
                told = progress.done
                if record.outcome == "failed":
                    bar.say(record.reason, "failed")
                elif self.sheet is not None and record.output is not None:
                    after = source_of(output.joinpath(record.output))
                    pairs.append((record.output, sources[record.input], after))
                bar.show(progress)

            with self._workers(found, bar) as workers:
                summary = run_pictures(
                    workers,
                    found,
                    output,
                    Existing(skips=self.skip_existing, replaces=self.overwrite),
                    report=self.report,
                    tell=tell,
                )
        if found.others:
            click.echo(f"note: files without a picture's suffix: {found.others}", err=True)
        if summary.stages.stages:
            click.echo(summary.stages.table(), err=True)
        said = ", ".join(f"{count} {outcome}" for outcome, count in summary.counts.items())
        click.echo(f"{output}: {said}")
        if pairs:
            self._write_sheet(sorted(pairs, key=itemgetter(0)))
        if summary.failed:
            click.get_current_context().exit(1)

    def _check_outputs(self, pictures: int) -> None:
        """Refuse a report or a sheet that could not be written, before the work."""
        check_results(self.report, self.overwrite or self.skip_existing)
        check_sheet_options(self.sheet, self.compare, pictures, overwrite=self.overwrite)

    @contextmanager
    def _workers(self, found: Found, bar: Bar) -> Iterator[Workers]:
        """What makes the pictures: threads of this process, or the workers of a cluster."""
        from trtcolor.archive.local import Threads
        from trtcolor.threads import usable_cores

        if self.ray is not None:
            with self._cluster_workers(self.ray, found, bar) as workers:
                yield workers
            return
        alone = self.memory is not None  # the limit of all pictures together: one at a time
        pictures = len(found.pictures)
        each = max(1, (self.threads or usable_cores()) // (1 if alone else max(pictures, 1)))
        with self.colorizer(each) as colorizer:
            settings = self._settings(colorizer)
            yield Threads(colorizer, settings, pictures=pictures, workers=self.threads)

    @contextmanager
    def _cluster_workers(self, address: str, found: Found, bar: Bar) -> Iterator[Workers]:
        from trtcolor.bundle import open_bundle
        from trtcolor.cluster.connection import connected
        from trtcolor.cluster.pictures import Actors
        from trtcolor.cluster.share import needs_gpu, share_of
        from trtcolor.cluster.shipping import ship
        from trtcolor.cluster.worker import Model

        gpu = needs_gpu(self.backend, self.engine)
        bundle, style = open_bundle(self.model), self._style()
        with connected(address, tell=bar.say) as cluster:
            share = share_of(cluster, cores=self.threads, gpu=gpu)
            threads = 1 if self.memory is None else share.cores  # with a limit: one at a time
            yield Actors(
                cluster,
                share,
                Model(ship(bundle), self.options() | {"threads": threads}),
                self._settings(),
                root=found.root,
                style=style,
                tell=bar.say,
            )

    def options(self) -> dict[str, Any]:
        return super().options() | {"upsampling": self.upsampling}

    def _settings(self, colorizer: Colorizer | None = None) -> PictureSettings:
        """With the style, where there is a Colorizer that reads it from its picture."""
        from trtcolor.archive.settings import PictureSettings

        style = None
        if colorizer is not None and self.style is not None:
            style = colorizer.global_features(self._style())
        return PictureSettings(
            saturation=self.saturation,
            style=style,
            format=self.format,
            quality=self.quality,
            keep_metadata=self.keep_metadata,
            max_pixels=self.max_pixels,
            runner=self.words,
        )

    def _style(self) -> NDArray[Any] | None:
        from trtcolor.archive.sources import read_pixels, source_of

        return None if self.style is None else read_pixels(source_of(self.style), self.max_pixels)

    def _write_sheet(self, pairs: list[tuple[str, Source, Source]]) -> None:
        from trtcolor.bundle import find_bundle, read_spec
        from trtcolor.colorizer import Colorizer
        from trtcolor.gallery.sheets import Pair

        if self.sheet is None:
            return
        write_sheet(
            self.sheet,
            (Pair(name, *map(self._shown, pair)) for name, *pair in pairs),
            compare=self.compare,
            model=read_spec(find_bundle(self.model)).name,
            open_model=partial(
                Colorizer,
                backend=self.backend,
                render=self.render,
                upsampling=self.upsampling,
                threads=self.threads,
                memory=self.memory,
            ),
            style=self._style(),
            saturation=self.saturation,
            max_pixels=self.max_pixels,
            overwrite=self.overwrite,
        )

    def _shown(self, source: Source) -> Path | NDArray[Any]:
        """What a sheet shows of it: a file, which may be gone, or pixels that were fetched."""
        from trtcolor.archive.sources import read_pixels
        from trtcolor.errors import PictureError, StoreError

        if isinstance(source, Path):
            return source
        try:
            return read_pixels(source, self.max_pixels)
        except (PictureError, StoreError):
            return Path(str(source))

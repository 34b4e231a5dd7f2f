"""`evaluate`: bundles, grey and mean colour over the pictures of a data set, each decoded once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

from trtcolor import dataset
from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.evaluation.features import Features
from trtcolor.evaluation.figures import Column, Figure
from trtcolor.evaluation.mean_colour import mean_colours
from trtcolor.evaluation.picture import Original, Picture
from trtcolor.evaluation.result import Evaluation, Row, Settings, check_positive, last_parts
from trtcolor.evaluation.systems import (
    Network,
    OneColour,
    Originals,
    System,
    row_names,
    scenes_of,
)
from trtcolor.sheet import fit
from trtcolor.threads import usable_cores

SHEET_CELL = 128
DIGITS = 7
"""Significant ones of a picture's values; the figures are made of the values as they are kept."""

NAMED = 5
"""Unreadable pictures that an error names; tables and JSON name all of them."""

Model = str | os.PathLike[str]


def evaluate(
    models: Sequence[Model],
    data: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    training_data: str | os.PathLike[str] | None = None,
    fid: str | os.PathLike[str] | None = None,
    lpips: str | os.PathLike[str] | None = None,
    pictures: dataset.PictureSet | None = None,
    threads: int | None = None,
    show: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Colour the grey copies of colour pictures with each model and compare with these.

    Pictures that are grey themselves are left out, as in training (`trtcolor.dataset`).

    Args:
        models: one or several, each as for `trtcolor.colorizer.Colorizer`.
        data: as for `trtcolor.dataset.open_pictures`.
        settings: which of its pictures, and how they are coloured.
        training_data: training pictures of models that do not say their mean colour.
        fid, lpips: files of networks (`trtcolor.metrics.distributions`); None: not measured.
        pictures: those of ``data`` if they were opened before; None: they are opened here.
        threads: pictures at a time, each in one thread; None: one for each core.
        show: how many of the first pictures kept to keep for a sheet.
        progress: is given the numbers of pictures done and to be done.

    Raises:
        ValueError: no models, a number that cannot be, or as from the Colorizer.
        DataError: no data, no such class, no colour picture in it, or only one where FID is asked.
        TrtcolorError: as from the Colorizer.
    """
    settings = settings or Settings()
    check_positive(threads=threads)
    if not models:
        raise ValueError("no models came; at least one was needed; name a bundle")
    workers = threads or usable_cores()
    start = time.perf_counter()
    features = Features(fid, lpips)
    source = chosen(pictures or dataset.open_pictures(data), settings)
    with ExitStack() as stack:
        networks = _networks(models, source, settings, stack)
        specs = [(network.name, network.spec) for network in networks]
        means, notes = mean_colours(specs, training_data, workers)
        systems: list[System] = [Originals(), OneColour("grey", "grey", (0, 0)), *means, *networks]
        kept, counts, unreadable = _measured(
            source, systems, features, settings, workers, show, progress
        )
    if not kept:
        more = [".."] if len(unreadable) > NAMED else []
        named = f": {', '.join(unreadable[:NAMED] + more)}" if unreadable else ""
        raise DataError(
            f"no colour picture in {os.fspath(data)!r} ({counts}{named}); readable colour "
            "pictures were needed; point at other data"
        )
    return Evaluation(
        data=last_parts(data),
        settings=settings,
        keys=tuple(picture.key for picture in kept),
        counts=counts,
        unreadable=tuple(unreadable),
        rows=_rows(systems, kept, features.figures()),
        notes=(*notes, *features.notes()),
        seconds=time.perf_counter() - start,
        shown=tuple(picture.shown for picture in kept[:show]),
    )


def chosen(pictures: dataset.PictureSet, settings: Settings) -> dataset.PictureSet:
    """The pictures of a data set that the settings ask for.

    Raises:
        DataError: no class of that name, or no picture of it.
    """
    if settings.only_class is not None:
        pictures = dataset.only_class(pictures, settings.only_class)
    return replace(pictures, samples=pictures.samples[: settings.limit])


def _networks(
    models: Sequence[Model], source: dataset.PictureSet, settings: Settings, stack: ExitStack
) -> list[Network]:
    """Each model opened, to be closed with the stack."""
    colorizers = [
        stack.enter_context(Colorizer(model, threads=1, render=settings.render)) for model in models
    ]
    labelled = any(sample.label is not None for sample in source.samples)
    return [
        Network(
            name,
            colorizer,
            settings.saturation,
            scenes_of(colorizer.spec, source.classes, labelled),
        )
        for name, colorizer in zip(row_names(models, colorizers), colorizers, strict=True)
    ]


class _Measured(NamedTuple):
    """A picture kept: values of each system, and the pictures of a sheet (or none)."""

    key: str
    values: list[dict[str, float | None]]
    shown: tuple[Picture, ...]


def _measured(
    source: dataset.PictureSet,
    systems: Sequence[System],
    features: Features,
    settings: Settings,
    workers: int,
    show: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[_Measured], dataset.FilterCounts, list[str]]:
    """Every picture through every system; also the counts and the keys of the unreadable."""
    kept: list[_Measured] = []
    unreadable, colourless = list(source.unreadable), 0

    def work(sample: dataset.Sample) -> _Measured | DataError | None:
        try:
            rgb = dataset.decode(sample, settings.size)
        except DataError as error:
            return error
        original = Original(rgb)
        if not dataset.is_colourful(original.lab):
            return None
        values, pictures = zip(
            *(system.run(original, sample.label) for system in systems), strict=True
        )
        deep = [{}, *features.take(rgb, pictures[1:])]
        # The main thread fills `kept` in order, so it cannot be full before a picture that belongs
        # on the sheet has been taken.
        shown = _shown(systems, pictures) if len(kept) < show else ()
        return _Measured(sample.key, list(map(_rounded, values, deep)), shown)

    with ThreadPoolExecutor(workers) as pool:
        results = zip(source.samples, pool.map(work, source.samples), strict=True)
        for done, (sample, result) in enumerate(results, 1):
            if isinstance(result, DataError):
                unreadable.append(sample.key)
            elif result is None:
                colourless += 1
            else:
                kept.append(result)
            if progress is not None:
                progress(done, len(source.samples))
    return kept, dataset.FilterCounts(len(kept), colourless, len(unreadable)), unreadable


def _shown(systems: Sequence[System], pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Grey, each bundle's and the original, no larger than their places on a sheet."""
    of: dict[str, list[Picture]] = {"grey": [], "bundle": [], "originals": []}
    for system, picture in zip(systems, pictures, strict=True):
        if system.kind in of:
            large = max(picture.shape) > SHEET_CELL
            of[system.kind].append(fit(picture, SHEET_CELL) if large else picture)
    return tuple(picture for group in of.values() for picture in group)


def _rounded(*parts: Mapping[str, float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None else float(f"{value:.{DIGITS}g}")
        for values in parts
        for name, value in values.items()
    }


def _rows(
    systems: Sequence[System], kept: Sequence[_Measured], whole: Sequence[Mapping[str, Figure]]
) -> tuple[Row, ...]:
    """A row a system; ``whole`` are figures of all pictures at once, of none or of each but the
    originals.
    """
    columns = [
        _columns([picture.values[index] for picture in kept]) for index in range(len(systems))
    ]
    figures = [{}, *whole] if whole else [{}] * len(systems)
    return tuple(
        Row(system.name, system.kind, system.spec, tuple(system.left_out), values, own)
        for system, values, own in zip(systems, columns, figures, strict=True)
    )


def _columns(values: Sequence[Mapping[str, float | None]]) -> dict[str, Column]:
    """Values of each picture by name -> of each name by picture."""
    names = {name: None for found in values for name in found}
    return {name: tuple(found.get(name) for found in values) for name in names}

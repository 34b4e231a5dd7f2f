"""`evaluate`: bundles, grey and mean colour over the pictures of a data set, each decoded once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePath
from typing import NamedTuple

from trtcolor import dataset
from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.evaluation.features import Features
from trtcolor.evaluation.figures import Values
from trtcolor.evaluation.mean_colour import mean_colours
from trtcolor.evaluation.picture import Original, Picture
from trtcolor.evaluation.result import Evaluation, Row, Settings, check_positive, nothing_kept
from trtcolor.evaluation.systems import Network, OneColour, Originals, System, scenes_of
from trtcolor.measure import usable_cores
from trtcolor.sheet import fit

SHEET_CELL = 128
DIGITS = 7
"""Significant ones of a picture's values; the figures are made of the values as they are kept."""

Model = str | os.PathLike[str]


def evaluate(
    models: Sequence[Model],
    data: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    training_data: str | os.PathLike[str] | None = None,
    fid: str | os.PathLike[str] | None = None,
    lpips: str | os.PathLike[str] | None = None,
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
    source = chosen(dataset.open_pictures(data), settings)
    with ExitStack() as stack:
        colorizers = [
            stack.enter_context(Colorizer(model, threads=1, render=settings.render))
            for model in models
        ]
        names = _names(models, [colorizer.spec.name for colorizer in colorizers])
        labelled = any(sample.label is not None for sample in source.samples)
        networks = [
            Network(
                name,
                colorizer,
                settings.saturation,
                scenes_of(colorizer.spec, source.classes, labelled),
            )
            for name, colorizer in zip(names, colorizers, strict=True)
        ]
        means, notes = mean_colours(
            [(network.name, network.spec) for network in networks], training_data, workers
        )
        systems: list[System] = [Originals(), OneColour("grey", "grey", (0, 0)), *means, *networks]
        features = Features(len(systems) - 1, fid, lpips)
        kept, counts, unreadable = _measured(
            source, systems, features, settings, workers, show, progress
        )
    if not kept:
        raise nothing_kept(os.fspath(data), counts)
    whole = features.figures()
    rows = tuple(
        Row(
            system.name,
            system.kind,
            system.spec,
            tuple(system.left_out),
            _columns([picture.values[index] for picture in kept]),
            whole[index - 1] if whole and index else {},
        )
        for index, system in enumerate(systems)
    )
    return Evaluation(
        # A path of this machine has no place in published results.
        data="/".join(PurePath(data).parts[-2:]),
        settings=settings,
        keys=tuple(picture.key for picture in kept),
        counts=counts,
        unreadable=tuple(unreadable),
        rows=rows,
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


def _columns(values: Sequence[Mapping[str, float | None]]) -> dict[str, Values]:
    """Values of each picture by name -> of each name by picture."""
    names = {name: None for found in values for name in found}
    return {name: tuple(found.get(name) for found in values) for name in names}


def _names(models: Sequence[Model], names: Sequence[str]) -> list[str]:
    """A name for each row: the model's own, with its folder where another has the same."""
    found: list[str] = []
    for model, name in zip(models, names, strict=True):
        if names.count(name) > 1:
            name = f"{name} ({os.path.basename(os.path.normpath(os.fspath(model)))})"
        while name in found:
            name += "'"
        found.append(name)
    return found

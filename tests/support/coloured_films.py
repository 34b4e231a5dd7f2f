"""Films coloured by a small real network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trtcolor.colorizer import Colorizer
from trtcolor.video.film import color_film
from trtcolor.video.report import FilmReport
from trtcolor.video.settings import FilmSettings


@pytest.fixture
def colorizer(make_bundle: Callable[..., Path]) -> Iterator[Colorizer]:
    """Of a network of a few nodes with global features."""
    with Colorizer(make_bundle(global_size=16, render_size=32), threads=1) as colorizer:
        yield colorizer


def color(colorizer: Colorizer, source: Path, output: Path | None = None, **settings: Any) -> Path:
    """A film in colour; by default as FFV1 in ``out.mkv`` beside it."""
    colored(colorizer, source, output, **settings)
    return output or source.with_name("out.mkv")


def colored(
    colorizer: Colorizer, source: Path, output: Path | None = None, **settings: Any
) -> FilmReport:
    """The same; the report of it."""
    return color_film(
        colorizer,
        source,
        output or source.with_name("out.mkv"),
        FilmSettings(**({"codec": "ffv1"} | settings)),
        overwrite=True,
    )

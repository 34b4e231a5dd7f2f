"""`run_demo`: one sheet that shows what a model does to photographs everybody may use."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.images import check_output, read_picture, write_picture
from trtcolor.sheet import contact_sheet

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg")
"""Colour photographs inside the scikit-image package, in the public domain (NASA, SpaceX) or CC0
(Stefan van der Walt, Rachel Michetti), by the docstrings of ``skimage.data``."""

NEUTRAL = np.zeros((2, 1, 1), np.float32)
"""Chroma of a grey picture."""


def photographs() -> list[Path]:
    """Those of `PHOTOGRAPHS` that are installed, as files.

    The files are read as they lie there: ``skimage.data`` may want to download them, and importing
    scikit-image takes longer than colouring a picture.

    Returns:
        Paths in the order of `PHOTOGRAPHS`; none where scikit-image is not installed.
    """
    found = find_spec("skimage")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "data"
    return [folder / name for name in PHOTOGRAPHS if (folder / name).is_file()]


def run_demo(
    output: Path,
    *,
    model: str = "default",
    backend: str | None = None,
    overwrite: bool = False,
    saturation: float = 1.0,
    threads: int | None = None,
    say: Callable[[str], None],
) -> Path:
    """Colour grey copies of a few photographs and write one sheet: grey, coloured, original.

    Args:
        output: of the sheet; the suffix names the format.
        model, backend, saturation, threads: as for `trtcolor.colorizer.Colorizer`.
        overwrite: replace a file that is there.
        say: is given a line for each picture, and at last where the sheet is.

    Returns:
        `output`.

    Raises:
        DataError: scikit-image, which has the photographs, is not installed.
        PictureError, OutputExistsError: the sheet cannot be written there.
        TrtcolorError: as from the Colorizer.
    """
    output = Path(output)
    files = photographs()
    if not files:
        raise DataError(
            "no photographs for the demo were found; those inside scikit-image were needed; run: "
            'pip install "trtcolor[demo]"'
        )
    check_output(output, overwrite=overwrite)
    rows: list[tuple[NDArray[np.uint8], ...]] = []
    captions: list[str] = []
    with Colorizer(model, backend=backend, threads=threads) as colorizer:
        if colorizer.backend_reason is not None:
            say(f"backend {colorizer.backend}: {colorizer.backend_reason}")
        for file in files:
            original = read_picture(file).rgb8
            lightness = color.lightness_from_rgb(original)
            grey = color.merge_lab(lightness, NEUTRAL, scale=None)[..., 0]
            if not rows:
                colorizer.colorize(grey)  # loads the network, which is not this picture's time
            start = time.perf_counter()
            coloured = colorizer.colorize(grey, saturation=saturation)
            seconds = time.perf_counter() - start
            height, width = grey.shape
            captions.append(f"{file.name}, {width}x{height}, coloured in {seconds * 1000:.0f} ms")
            say(captions[-1])
            rows.append((grey, coloured, original))
        name = colorizer.spec.name
    headings = ("grey (what the network sees)", f"coloured by {name}", "original")
    sheet = contact_sheet(rows, headings=headings, captions=captions, cell=320)
    write_picture(output, sheet, overwrite=overwrite)
    say(f"the sheet is {output}")
    return output

"""`compare_with_paper`: bundles measured as a paper measures, in its own table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trtcolor import dataset
from trtcolor.evaluation.papers import hwang, iizuka, olah
from trtcolor.evaluation.papers.comparison import Comparison
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import Model, evaluate
from trtcolor.papers import PROTOCOLS


def compare_with_paper(
    paper: str,
    models: Sequence[Model],
    data: str | os.PathLike[str],
    settings: Settings,
    *,
    places: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Comparison:
    """Measure models as a paper does and put the figures into its table.

    Args:
        paper: "001", "003" or "004".
        models, options: as for `trtcolor.evaluation.run.evaluate`.
        data: the pictures of the paper's test set, or others in their place; for 003 those of
            Tiny ImageNet.
        settings: size and class are the paper's where they are None (of flat folders and of data
            without the paper's class all pictures are taken).
        places: for 003, pictures of MIT Places.

    Raises:
        ValueError: no such paper, or ``places`` for another than 003.
        TrtcolorError: as from `evaluate`.
    """
    if paper not in PROTOCOLS:
        raise ValueError(f"paper {paper!r} came; one of {', '.join(PROTOCOLS)} was needed")
    if places is not None and paper != "003":
        raise ValueError(
            f"a second data set came for paper {paper}; 003 alone has one; leave it out"
        )
    # What is not there is refused before the pictures of the other set are measured.
    opened = {
        source: dataset.open_pictures(source) for source in (data, places) if source is not None
    }
    protocol = PROTOCOLS[paper]
    name = settings.only_class
    if name is None and protocol.only_class in opened[data].classes:
        name = protocol.only_class
    settings = replace(settings, size=settings.size or protocol.size, only_class=name)
    found = [
        evaluate(models, source, settings, pictures=pictures, **options)
        for source, pictures in opened.items()
    ]
    if paper == "001":
        return hwang.compare(found[0])
    if paper == "003":
        return olah.compare(found[0], None if places is None else found[-1])
    return iizuka.compare(found[0])

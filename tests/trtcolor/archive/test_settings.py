"""The key of settings tells apart what gives other outputs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor.archive.provenance import Provenance
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer

MakeBundle = Callable[..., Path]
STYLE = np.ones(3, np.float32)


def test_whatever_changes_an_output_changes_the_key(make_bundle: MakeBundle) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"saturation": 0.9},
        {"style": STYLE},
        {"style": STYLE * 2},
        {"format": "png"},
        {"format": "jpeg"},
        {"quality": 94},
        {"keep_metadata": False},
        {"runner": "fp16"},
    ]
    with Colorizer(make_bundle(render_size=32), threads=1) as colorizer:
        keys = [Provenance.of(colorizer, PictureSettings(**change)).key for change in changes]
    assert all(first != second for first, second in combinations(keys, 2))


def test_so_does_how_the_colorizer_was_opened(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(render_size=32)
    ways: list[dict[str, Any]] = [
        {},
        {"render": "full"},
        {"upsampling": "joint-bilateral"},
        {"backend": "openvino"},
    ]
    keys = []
    for options in ways:
        with Colorizer(bundle, threads=1, **options) as colorizer:
            keys.append(Provenance.of(colorizer, PictureSettings()).key)
    assert len(set(keys)) == len(keys)


def test_threads_and_limits_do_not(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(render_size=32)
    keys = set()
    for threads, limit in ((1, 10**6), (2, 10**8)):
        with Colorizer(bundle, threads=threads) as colorizer:
            style = STYLE.copy()
            settings = PictureSettings(style=style, max_pixels=limit)
            keys.add(Provenance.of(colorizer, settings).key)
    assert len(keys) == 1


def test_a_model_is_told_by_its_files_and_not_by_its_name_or_folder(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    keys = []
    for folder, seed in (("one", 0), ("two", 0), ("three", 1)):
        with Colorizer(make_bundle("same", models=tmp_path / folder, seed=seed)) as colorizer:
            keys.append(Provenance.of(colorizer, PictureSettings()).model_sha256)
    assert keys[0] == keys[1] != keys[2]

"""Bundles of narrow networks of every family, as a short training and an export leave them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calibrated import calibrated_network, saved

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.demo import photographs
from trtcolor.images import read_picture
from trtcolor_train.decoder import Decoder
from trtcolor_train.export import export


def family_bundle(
    family: str,
    folder: Path,
    *,
    dimensions: Mapping[str, Any] | None = None,
    decoder: Decoder | None = None,
    precision: Any = "float16",
) -> Bundle:
    """Write a bundle into a folder, which must be there."""
    checkpoint = family_checkpoint(family, folder, dimensions=dimensions)
    path, _ = export(checkpoint, folder / "bundle", precision=precision, decoder=decoder)
    return open_bundle(path)


def family_checkpoint(
    family: str, folder: Path, *, dimensions: Mapping[str, Any] | None = None
) -> Path:
    """Write ``checkpoint.safetensors`` into a folder, which must be there."""
    photos = [read_picture(file).rgb8 for file in photographs()]
    network = calibrated_network(family, photos, dimensions)
    return saved(network, family, folder / "checkpoint.safetensors")

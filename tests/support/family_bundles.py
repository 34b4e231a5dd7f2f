"""Bundles of narrow networks of every family, as a short training and an export leave them.

An export takes seconds, and many files of tests want the same ones: each is made once for all
processes of a test run, and is not to be changed.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrated import calibrated_network, saved
from filelock import FileLock
from numpy.typing import NDArray

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.demo import photographs
from trtcolor.images import read_picture
from trtcolor_train.decoder import Decoder
from trtcolor_train.export import export
from trtcolor_train.parity import Parity


@dataclass(frozen=True)
class FamilyExport:
    """What an export took and gave.

    Attributes:
        checkpoint: of the network.
        bundle: the folder.
        parity: how near the graphs are to the network.
    """

    checkpoint: Path
    bundle: Path
    parity: Parity


def family_export(
    family: str,
    factory: pytest.TempPathFactory,
    *,
    dimensions: Mapping[str, Any] | None = None,
    decoder: Decoder | None = None,
    precision: Any = "float16",
    bins: NDArray[np.float32] | None = None,
) -> FamilyExport:
    """A family's export; of colour bins of one's own, where their (Q, 2) a*b* are given."""
    chosen = (family, sorted((dimensions or {}).items()), decoder, precision)
    centres = b"" if bins is None else bins.tobytes()
    name = hashlib.sha256(repr(chosen).encode() + centres).hexdigest()[:16]
    folder = _of_all_processes(factory) / f"{family}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    parity = folder / "parity"
    with FileLock(folder / "lock"):
        if not parity.exists():
            checkpoint = family_checkpoint(family, folder, dimensions=dimensions, bins=bins)
            _, found = export(checkpoint, folder / "bundle", precision=precision, decoder=decoder)
            parity.write_bytes(pickle.dumps(found))
    return FamilyExport(
        folder / "checkpoint.safetensors", folder / "bundle", pickle.loads(parity.read_bytes())
    )


def family_bundle(
    family: str, factory: pytest.TempPathFactory, *, dimensions: Mapping[str, Any] | None = None
) -> Bundle:
    """The bundle of a family's export."""
    return open_bundle(family_export(family, factory, dimensions=dimensions).bundle)


def family_checkpoint(
    family: str,
    folder: Path,
    *,
    dimensions: Mapping[str, Any] | None = None,
    bins: NDArray[np.float32] | None = None,
) -> Path:
    """Write ``checkpoint.safetensors`` into a folder, which must be there."""
    photos = [read_picture(file).rgb8 for file in photographs()]
    network = calibrated_network(family, photos, dimensions, bins)
    return saved(network, family, folder / "checkpoint.safetensors")


def _of_all_processes(factory: pytest.TempPathFactory) -> Path:
    """A folder of the whole test run: each process of pytest-xdist has one of its own in it."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "families"

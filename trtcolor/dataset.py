"""Labelled pictures from disk: image folders and WebDataset shards, decoded on demand.

Training and evaluation read their data here, so that both see the same pictures, the same labels
and the same filter. A source is one of

- a folder of pictures, in sub-folders named after their class or flat (no labels);
- shards (``.tar``, ``.tar.gz``, ``.tgz``) of samples ``KEY.jpg`` + ``KEY.cls``, given as a file, a
  glob pattern, or a folder that holds shards; class names come from ``classes.txt`` beside them.

Pictures stay encoded in memory (shards) or on disk (folders) until they are wanted.
"""

from __future__ import annotations

import glob
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.errors import DataError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
SHARD_SUFFIXES = (".tar", ".tar.gz", ".tgz")

# The filter of 004, section 4 ("grey and low-variance pictures"): below either the picture teaches
# no colours. Of the 22,000 MiniPlaces training pictures these two drop 1,309 (6 %; 004 speaks of
# about 5 % of Places).
MIN_MEAN_CHROMA = 3.5
MIN_LIGHTNESS_DEVIATION = 8.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Sample:
    """One picture: its key, where its encoded bytes are, and its class index (None: unlabelled)."""

    key: str
    encoded: bytes | Path
    label: int | None


@dataclass
class PictureSet:
    """Samples in a fixed order with the names of their classes.

    Attributes:
        samples: in the order of the shards or of the sorted paths.
        classes: class names by label; empty where there are no labels.
        unreadable: keys of samples that could not be read, found so far.
    """

    samples: list[Sample]
    classes: tuple[str, ...] = ()
    unreadable: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True)
class FilterCounts:
    """What `drop_colourless` kept and dropped."""

    kept: int
    colourless: int
    unreadable: int

    def __str__(self) -> str:
        return (
            f"{self.kept} pictures kept, {self.colourless} grey or low-variance dropped, "
            f"{self.unreadable} unreadable"
        )


def open_pictures(source: str | os.PathLike[str]) -> PictureSet:
    """List the pictures of a folder, a shard or a glob pattern of shards.

    Raises:
        DataError: nothing there, no picture in it, a label that is no class, or classes missing.
    """
    text = os.fspath(source)
    path = Path(text)
    if path.is_dir():
        shards = sorted(p for p in path.iterdir() if p.name.endswith(SHARD_SUFFIXES))
        pictures = _from_shards(shards) if shards else _from_folder(path)
    elif path.is_file() or glob.has_magic(text):
        shards = [path] if path.is_file() else [Path(p) for p in sorted(glob.glob(text))]
        pictures = _from_shards(shards)
    else:
        raise DataError(
            f"no data at {text!r}; a folder of pictures, a shard or a pattern of shards was "
            "needed; check the path"
        )
    if not pictures.samples:
        damage = f" ({'; '.join(pictures.unreadable)})" if pictures.unreadable else ""
        raise DataError(
            f"no picture in {text!r}{damage}; files of "
            f"{', '.join(sorted(PICTURE_SUFFIXES))} or shards of them were needed; check the path"
        )
    labels = {sample.label for sample in pictures.samples if sample.label is not None}
    if labels and not 0 <= min(labels) <= max(labels) < len(pictures.classes):
        raise DataError(
            f"{text!r} has labels from {min(labels)} to {max(labels)} for "
            f"{len(pictures.classes)} class names; a name for each was needed; put classes.txt "
            "beside the shards"
        )
    return pictures


def _read_classes(folder: Path) -> tuple[str, ...]:
    """One name a line; a name may hold spaces."""
    names = folder / "classes.txt"
    if not names.is_file():
        return ()
    try:
        lines = names.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{names} cannot be read ({error}); class names in UTF-8, one a line, were needed; "
            "mend or remove it"
        ) from None
    return tuple(" ".join(line.split()) for line in lines if line.strip())


def _from_folder(folder: Path) -> PictureSet:
    files = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()
    )
    classes = _read_classes(folder) or tuple(
        sorted({p.relative_to(folder).parts[0] for p in files if p.parent != folder})
    )
    index = {name: i for i, name in enumerate(classes)}
    samples = []
    for file in files:
        relative = file.relative_to(folder)
        label = index.get(relative.parts[0]) if len(relative.parts) > 1 else None
        samples.append(Sample(relative.as_posix(), file, label))
    return PictureSet(samples, classes)


def _from_shards(shards: Sequence[Path]) -> PictureSet:
    samples: list[Sample] = []
    broken: list[str] = []
    for shard in shards:
        pictures: dict[str, bytes] = {}
        labels: dict[str, int] = {}
        try:
            with tarfile.open(shard) as archive:
                for member in archive:
                    stream = archive.extractfile(member) if member.isfile() else None
                    if stream is None:
                        continue
                    key, suffix = os.path.splitext(member.name)
                    if suffix.lower() in PICTURE_SUFFIXES:
                        pictures[key] = stream.read()
                    elif suffix == ".cls":
                        labels[key] = int(stream.read())
        except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
            # What was whole before the damage is kept; the damage is counted and reported.
            broken.append(f"{shard.name} ({error})")
        samples += [Sample(key, data, labels.get(key)) for key, data in pictures.items()]
    classes = _read_classes(shards[0].parent) if shards else ()
    return PictureSet(samples, classes, broken)


def decode(sample: Sample, side: int | None = None) -> NDArray[np.uint8]:
    """Decode a sample to RGB, uint8 (H, W, 3).

    Args:
        sample: from `open_pictures`.
        side: scale to this many pixels square, aspect not kept (004, 3.4); None: as it is.

    Raises:
        DataError: the bytes are no picture or a damaged one.
    """
    from PIL import Image, ImageOps

    from trtcolor.images import READ_FORMATS

    encoded = sample.encoded
    try:
        source = io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded
        with Image.open(source, formats=READ_FORMATS) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except Exception as error:  # a decoder on broken bytes may raise nearly anything
        raise DataError(
            f"{sample.key} could not be decoded ({error}); a whole picture was needed; remove or "
            "replace it"
        ) from None
    if side is not None and picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(picture)


def is_colourful(lab: NDArray[np.float32]) -> bool:
    """Whether a picture has colours worth learning or measuring.

    Args:
        lab: float32 (H, W, 3), CIE L*a*b* in real units.

    Source: 004, section 4: grey and low-variance pictures are removed from both sets.
    """
    mean_chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    deviation = float(lab[..., 0].std())
    return mean_chroma >= MIN_MEAN_CHROMA and deviation >= MIN_LIGHTNESS_DEVIATION


def drop_colourless(
    pictures: PictureSet, *, side: int | None = None, threads: int = 2
) -> tuple[PictureSet, FilterCounts]:
    """Keep the pictures that decode and are colourful; say how many were not.

    Args:
        pictures: what to filter.
        side: size in pixels at which to judge (as `decode`).
        threads: how many decode at once.

    Raises:
        DataError: none is left.
    """

    def judge(sample: Sample) -> bool | None:
        try:
            return is_colourful(color.lab_from_rgb(decode(sample, side)))
        except DataError:
            return None

    verdicts = in_threads(judge, pictures.samples, threads)
    kept = [s for s, good in zip(pictures.samples, verdicts, strict=True) if good]
    lost = [s.key for s, good in zip(pictures.samples, verdicts, strict=True) if good is None]
    unreadable = pictures.unreadable + lost
    counts = FilterCounts(len(kept), verdicts.count(False), len(unreadable))
    if not kept:
        raise DataError(
            f"no colour picture left ({counts}); readable colour pictures were needed; point at "
            "other data"
        )
    return PictureSet(kept, pictures.classes, unreadable), counts


def in_threads(
    function: Callable[[Sample], Result], samples: Iterable[Sample], threads: int
) -> list[Result]:
    """Apply ``function`` to every sample in ``threads`` threads; results in order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, samples, chunksize=1))

"""Labelled pictures from disk: image folders and WebDataset shards, decoded on demand.

Training and evaluation read their data here, so that both see the same pictures, the same labels
and the same filter. A source is one of

- a folder of pictures, in sub-folders named after their class or flat (no labels);
- shards (``.tar``, ``.tar.gz``, ``.tgz``) of samples ``KEY.jpg`` + ``KEY.cls``, given as a file, a
  glob pattern, or a folder that holds shards; class names come from ``classes.txt`` beside them.

Pictures stay where they are, on disk, until they are wanted; those of compressed shards, which can
only be read in sequence, stay in memory, still encoded: unpack them if they are larger than it.
"""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.errors import DataError
from trtcolor.shards import PICTURE_SUFFIXES, SHARD_SUFFIXES, Span, read_shard

# The filter of 004, section 4 ("grey and low-variance pictures"): below either the picture teaches
# no colours. Of the 22,000 MiniPlaces training pictures these two drop 1,309 (6 %; 004 speaks of
# about 5 % of Places).
MIN_MEAN_CHROMA = 3.5
MIN_LIGHTNESS_DEVIATION = 8.0

# Pillow reduces by whole factors first, down to this many times the size asked for: as good as
# without and much faster on large pictures.
REDUCING_GAP = 3

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture: its key, where its encoded bytes are, and its class index (None: unlabelled)."""

    key: str
    encoded: bytes | Path | Span
    label: int | None

    def read(self) -> bytes:
        """The encoded bytes.

        Raises:
            OSError: the file has gone or cannot be read.
        """
        match self.encoded:
            case bytes():
                return self.encoded
            case Path():
                return self.encoded.read_bytes()
            case Span():
                return self.encoded.read()


@dataclass
class PictureSet:
    """Samples in a fixed order with the names of their classes.

    Attributes:
        samples: in the order of the shards or of the sorted paths.
        classes: class names by label; empty where there are no labels.
        unreadable: keys of samples that could not be read, found so far.
        fingerprint: of the content (see `drop_colourless`), in hexadecimal; None: not computed.
        mean_chroma: a* and b* in real units, mean over the pixels of all pictures at the size that
            they were judged at (see `drop_colourless`); None: not computed.
    """

    samples: list[Sample]
    classes: tuple[str, ...] = ()
    unreadable: list[str] = field(default_factory=list)
    fingerprint: str | None = None
    mean_chroma: tuple[float, float] | None = None

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
            f"no picture in {text!r}{damage}; a folder or shards with files of "
            f"{', '.join(sorted(PICTURE_SUFFIXES))} were needed; check the path"
        )
    labels = {sample.label for sample in pictures.samples if sample.label is not None}
    if labels and not 0 <= min(labels) <= max(labels) < len(pictures.classes):
        raise DataError(
            f"{text!r} has labels from {min(labels)} to {max(labels)} for "
            f"{len(pictures.classes)} class names; a name for each was needed; put classes.txt "
            "beside the shards"
        )
    return pictures


def only_class(pictures: PictureSet, name: str) -> PictureSet:
    """The pictures of one class; labels and class names stay.

    Raises:
        DataError: there is no such class, or no picture of it.
    """
    if name not in pictures.classes:
        known = ", ".join(pictures.classes) or "none"
        raise DataError(
            f"the class {name!r} was asked for and the data have the classes {known}; one of these "
            "was needed; choose another or leave it out"
        )
    label = pictures.classes.index(name)
    samples = [sample for sample in pictures.samples if sample.label == label]
    if not samples:
        raise DataError(
            f"no picture of the class {name!r} is in the data; at least one was needed; point at "
            "other data or choose another class"
        )
    return replace(pictures, samples=samples)


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


def _from_shards(paths: Sequence[Path]) -> PictureSet:
    shards = [read_shard(path) for path in paths]
    labelled = any(shard.labels for shard in shards)
    samples: list[Sample] = []
    broken: list[str] = []
    for path, shard in zip(paths, shards, strict=True):
        if shard.damage is not None:
            broken.append(f"{path.name} ({shard.damage})")
        for key, encoded in shard.pictures.items():
            label = shard.labels.get(key)
            # A picture whose label the damage has taken goes with it.
            if label is not None or not labelled or shard.damage is None:
                samples.append(Sample(key, encoded, label))
    classes = _read_classes(paths[0].parent) if paths else ()
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

    try:
        with Image.open(io.BytesIO(sample.read()), formats=READ_FORMATS) as file:
            if side is not None:  # JPEG: let the decoder itself reduce by a power of two
                file.draft(None, (side * REDUCING_GAP, side * REDUCING_GAP))
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except Exception as error:  # a decoder on broken bytes may raise nearly anything
        raise DataError(
            f"{sample.key} could not be decoded ({error}); a whole picture was needed; remove or "
            "replace it"
        ) from None
    if side is not None and picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
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

    Returns:
        The pictures that are left, with their mean a*b* (each picture weighs the same) and their
        fingerprint: SHA-256 over the class names and, in order, each picture's key, label and
        SHA-256. The same pictures as folder and as shards have different keys and so different
        fingerprints.

    Raises:
        DataError: none is left.
    """

    def judge(sample: Sample) -> _Kept | bool | None:
        """False for colourless, None for unreadable."""
        try:
            encoded = sample.read()
            picture = decode(replace(sample, encoded=encoded), side)
        except (OSError, DataError):
            return None
        lab = color.lab_from_rgb(picture, threads=1)
        if not is_colourful(lab):
            return False
        mean = lab[..., 1:].mean(axis=(0, 1), dtype=np.float64)
        return _Kept(hashlib.sha256(encoded).hexdigest(), mean)

    verdicts = in_threads(judge, pictures.samples, threads)
    kept: list[Sample] = []
    lost: list[str] = []
    chroma = np.zeros(2)
    fingerprint = hashlib.sha256(_line(list(pictures.classes)))
    for sample, verdict in zip(pictures.samples, verdicts, strict=True):
        if isinstance(verdict, _Kept):
            kept.append(sample)
            fingerprint.update(_line([sample.key, sample.label, verdict.digest]))
            chroma += verdict.mean_chroma
        elif verdict is None:
            lost.append(sample.key)
    unreadable = pictures.unreadable + lost
    counts = FilterCounts(len(kept), verdicts.count(False), len(unreadable))
    if not kept:
        raise DataError(
            f"no colour picture left ({counts}); readable colour pictures were needed; point at "
            "other data"
        )
    a, b = (chroma / len(kept)).tolist()
    left = PictureSet(kept, pictures.classes, unreadable, fingerprint.hexdigest(), (a, b))
    return left, counts


class _Kept(NamedTuple):
    """SHA-256 of a picture's bytes, and its mean a* and b*."""

    digest: str
    mean_chroma: NDArray[np.float64]


def _line(values: list[object]) -> bytes:
    return json.dumps(values).encode() + b"\n"


def in_threads(
    function: Callable[[Sample], Result], samples: Sequence[Sample], threads: int
) -> list[Result]:
    """Apply ``function`` to every sample in ``threads`` threads; results in order."""
    # In parts, as a future for each of a million samples is a gigabyte of futures.
    size = max(1, min(64, len(samples) // (4 * threads)))
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(lambda part: [function(sample) for sample in part], parts)
        return [result for part in done for result in part]

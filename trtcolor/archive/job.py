"""One picture, from its file to its coloured copy; what came of it is a line of the report."""

from __future__ import annotations

import errno
import math
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtcolor.archive.names import FORMATS
from trtcolor.archive.provenance import Provenance
from trtcolor.archive.record import Identity, Record
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer, Prepared
from trtcolor.errors import PictureError
from trtcolor.images import WRITE_FORMATS, Picture, read_pages, write_pages
from trtcolor.images.opening import opened
from trtcolor.metrics.gamut import share_outside_gamut
from trtcolor.stages import Laps, Stages

READ, NETWORK, WRITE = STAGES = "read", "network", "write"
SAMPLE = 1 << 18
"""Pixels of a picture that are looked at for the share that was pulled into gamut."""

NO_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What keeps every other picture from being written too."""


def color_file(
    colorizer: Colorizer,
    source: Path,
    output: Path,
    settings: PictureSettings,
    *,
    overwrite: bool = False,
    stages: Stages | None = None,
    device: AbstractContextManager[object] | None = None,
) -> Record:
    """Colour a picture file, all pages of it.

    What is in the file, and what it is written as, decides the record and the output, and nothing
    else does; calls on threads, processes and machines of their own give the same.

    Args:
        colorizer: threads may share it.
        source, output: files; the output's suffix names its format.
        settings: how.
        overwrite: replace an output that is there.
        stages: takes the times.
        device: held while the network runs, where one picture has it at a time.

    Returns:
        What became of it, with `source` and `output` as they came; ``"failed"`` with the reason
        where the picture cannot be read, coloured or written. Nothing is left then.

    Raises:
        OSError: the disk is full or read-only: no other picture could be written either.
    """
    work = _Work(colorizer, source, settings, device or nullcontext())
    record = Provenance.of(colorizer, settings).record(str(source), str(output))
    try:
        _refuse_in_place(source, output)
        before = Identity.of(source)
        notes = write_pages(
            output,
            work.pages(),
            keep_metadata=settings.keep_metadata,
            quality=settings.quality,
            format=None if settings.format is None else WRITE_FORMATS[FORMATS[settings.format]],
            overwrite=overwrite,
        )
        work.laps.begin(WRITE)
        made = Identity.of(output)
        if not before.holds_for(source, trust_time=True):
            output.unlink()
            raise PictureError(
                f"{source} changed while it was read; a file at rest was needed; colour it again"
            )
    except Exception as error:  # a picture may make any library raise nearly anything
        full = _disk_error(error)
        if full is not None:
            raise OSError(full.errno, full.strerror, str(output)) from error
        return replace(record, reason=_reason(error, source))
    finally:
        work.laps.end(stages or Stages(STAGES))
    return work.found.record(
        replace(record, outcome="coloured", source=before, made=made), work.laps, notes
    )


@dataclass
class _Seen:
    """What is known of a picture once its pages have come."""

    size: tuple[int, int] = (0, 0)
    bits: int = 0
    pages: int = 0
    pulled: float = 0.0
    pixels: int = 0
    warnings: tuple[str, ...] = ()

    def record(self, record: Record, laps: Laps, left_out: tuple[str, ...]) -> Record:
        remarks = [*dict.fromkeys(self.warnings)]
        if left_out:
            remarks.append(f"not kept, the format has no place for it: {', '.join(left_out)}")
        return replace(
            record,
            reason="; ".join(remarks),
            seconds={name: laps.seconds.get(name, 0.0) for name in STAGES},
            height=self.size[0],
            width=self.size[1],
            bits=self.bits,
            pages=self.pages,
            pulled_in=self.pulled / self.pixels,
        )


class _Work:
    """The pages of one picture on their way; what writes them asks for each when it has room."""

    def __init__(
        self,
        colorizer: Colorizer,
        source: Path,
        settings: PictureSettings,
        device: AbstractContextManager[object],
    ) -> None:
        self._colorizer, self._source, self._settings = colorizer, source, settings
        self._device = device
        self.laps, self.found = Laps(), _Seen()
        self.laps.begin(READ)

    def pages(self) -> Iterator[tuple[NDArray[np.generic], Picture]]:
        """Coloured pixels, and what they were made from."""
        self.laps.begin(READ)
        for picture in read_pages(self._source, max_pixels=self._settings.max_pixels):
            yield self._coloured(picture), picture
            del picture  # the next page comes into its room
            self.laps.begin(READ)
        self.laps.begin(WRITE)

    def _coloured(self, picture: Picture) -> NDArray[np.generic]:
        colorizer, settings = self._colorizer, self._settings
        prepared = colorizer.prepare(picture.pixels, global_features=settings.style)
        self.laps.begin(None)  # waiting is no work
        with self._device:
            self.laps.begin(NETWORK)
            chroma = colorizer.predict(prepared)
            self.laps.begin(WRITE)
        chroma *= np.float32(settings.saturation)
        self._look(picture, prepared, chroma)
        return colorizer.merge(prepared, chroma)

    def _look(self, picture: Picture, prepared: Prepared, chroma: NDArray[np.float32]) -> None:
        found, size = self.found, prepared.frame.size
        if found.pages == 0:
            found.size, found.bits = size, picture.bits
        found.pages += 1
        found.pixels += math.prod(size)
        found.pulled += pulled_in(prepared, chroma) * math.prod(size)
        found.warnings += picture.warnings


def pulled_in(prepared: Prepared, chroma: NDArray[np.float32]) -> float:
    """Share of a picture's pixels whose predicted colour is outside sRGB, 0..1.

    Of all pixels, or of a regular sample of about `SAMPLE` in larger pictures, each with the chroma
    that is nearest to it: a look at all would take longer than their colours.

    Args:
        prepared: the picture.
        chroma: (2, h, w) float32 a*b*, as it is merged.
    """
    lightness = prepared.frame.lightness
    height, width = lightness.shape
    step = math.ceil(math.sqrt(height * width / SAMPLE))
    if step == 1:
        return share_outside_gamut(lightness, chroma, scale=prepared.plan.merge_scale)
    rows, columns = (np.arange(min(step // 2, n - 1), n, step) for n in (height, width))
    near_rows = rows * chroma.shape[1] // height
    near_columns = columns * chroma.shape[2] // width
    return share_outside_gamut(
        np.ascontiguousarray(lightness[np.ix_(rows, columns)]),
        np.ascontiguousarray(chroma[:, near_rows[:, None], near_columns]),
        scale=1,
    )


def gate_of(colorizer: Colorizer) -> threading.Lock | None:
    """What the pictures of a run hold while the network runs, so that it has one at a time.

    None on a CPU, whose cores share the work best if each has a picture of its own, but where the
    memory of the network was limited: that is the limit of all together.
    """
    predictor = colorizer.predictor
    return None if predictor.device == "cpu" and predictor.memory is None else threading.Lock()


def _refuse_in_place(source: Path, output: Path) -> None:
    """Refuse an output that would take the place of the picture itself, which nobody could undo."""
    with opened(source):  # a pipe, which would be waited for, is refused here
        if output.exists() and output.samefile(source):
            raise PictureError(
                f"{source} and {output} are one file; an output beside the original was needed; "
                "choose another name"
            )


def _disk_error(error: BaseException | None) -> OSError | None:
    """The error behind others that says that the disk takes nothing more."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_DISK:
            return error
        error = error.__cause__ or error.__context__
    return None


def _reason(error: Exception, source: Path) -> str:
    """One sentence on one line, with the file's name."""
    if isinstance(error, MemoryError):
        text = "takes more memory than there is; a smaller picture was needed; reduce it"
    elif isinstance(error, OSError) and error.strerror is not None:
        text = (
            f"cannot be read ({error.strerror}); a picture file was needed; check the path and its "
            "permissions"
        )
    elif isinstance(error, PictureError):
        text = str(error)
    else:
        text = " ".join(str(error).split()) or type(error).__name__
    if os.fspath(source) in text:
        return text
    return f"{source}{':' if isinstance(error, PictureError) else ''} {text}"

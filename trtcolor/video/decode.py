"""Frames of a video file, by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import BackendError, VideoError


class VideoReader:
    """The first video stream of a file, as RGB frames one at a time.

    Frames come in the order in which they are shown, as they are coded: a rotation that the file
    asks players for is not applied.

    Args:
        path: of the file.

    Attributes:
        declared_frames: how many the file says there are, or None where it does not.
        size: (height, width) in pixels.

    Raises:
        BackendError: PyAV is not installed.
        VideoError: no such file, no video, or none that can be decoded.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._av = _import_av()
        self._name = os.fspath(path)
        try:
            self._container = self._av.open(self._name)
        except (OSError, ValueError) as error:  # FFmpeg's errors are these too
            reason = getattr(error, "strerror", None) or error
            raise VideoError(
                f"{self._name!r} cannot be opened ({reason}); a video file was needed; check the "
                "path, or copy the file again"
            ) from None
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(
                f"{self._name!r} has no video stream; one was needed; choose another file"
            )
        self._stream: Any = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.declared_frames: int | None = self._stream.frames or None
        self.size: tuple[int, int] = (self._stream.height, self._stream.width)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """uint8 RGB (H, W, 3) each; once through the file.

        Raises:
            VideoError: a frame is damaged, or there is none.
        """
        count = 0
        try:
            for frame in self._container.decode(self._stream):
                yield frame.to_ndarray(format="rgb24")
                count += 1
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise VideoError(
                f"{self._name!r} is damaged after {count} frames ({reason}); a whole video was "
                "needed; copy the file again, or take fewer frames"
            ) from None
        if not count:
            raise VideoError(
                f"{self._name!r} has no frame; a video was needed; choose another file"
            )

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _import_av() -> Any:
    try:
        return import_module("av")
    except ImportError as error:
        raise BackendError(
            f"PyAV, which reads video, does not import ({error}); it was needed; "
            'run: pip install "trtcolor[video]"'
        ) from None

"""Frames of a video file, by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.closing import Closing
from trtcolor.errors import VideoError
from trtcolor.video.pyav import failures, open_container, reason_of


class VideoReader(Closing):
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
        self._name = os.fspath(path)
        self._container = open_container(self._name)
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
        except failures() as error:
            raise VideoError(
                f"{self._name!r} is damaged after {count} frames ({reason_of(error)}); a whole "
                "video was needed; copy the file again, or take fewer frames"
            ) from None
        if not count:
            raise VideoError(
                f"{self._name!r} has no frame; a video was needed; choose another file"
            )

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._container.close()

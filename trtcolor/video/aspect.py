"""The aspect ratio of samples, where PyAV cannot write it: by the ffmpeg program, if there is one.

PyAV gives a muxer the aspect that the coded video states. MP4 and MOV keep that; Matroska and WebM
ask for it elsewhere, so there it is known only to codecs that state it in their own headers.
"""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

from trtcolor.errors import VideoError

_ASKING = ("matroska", "webm")
_STATING = ("264", "265", "h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video")


def aspect_is_lost(container: str, codec: str, aspect: Fraction | None) -> bool:
    """Whether samples that are not square would count as such.

    Args:
        container, codec: FFmpeg's names; of the codec, its encoder's.
        aspect: of a sample; None: not said.
    """
    stated = any(name in codec for name in _STATING)
    return aspect not in (None, 1) and container in _ASKING and not stated


def write_aspect(
    path: Path,
    container: str,
    stream: int,
    aspect: Fraction,
    size: tuple[int, int],
    display_matrix: tuple[int, ...] | None,
) -> list[str]:
    """Write a file anew with the aspect of a stream's samples, all else copied.

    Args:
        path: of the file; it is replaced.
        stream: index of the video in it.
        size: (height, width) of its frames.
        display_matrix: how it is to be turned; None: not. Programs before FFmpeg 6.1 lose that.

    Returns:
        Why it is not done, if it is not.

    Raises:
        VideoError: the program failed.
    """
    program = shutil.which("ffmpeg")
    if program is None or display_matrix is not None:
        why = "is not installed" if program is None else "may lose the rotation"
        return [
            f"the samples' aspect of {aspect} is lost, since only the ffmpeg program could write "
            f"it here and {why}; --codec libx264 or .mp4 keep it"
        ]
    height, width = size
    shown = aspect * width / height
    copy = path.with_name(f"{path.name}.aspect")
    done = subprocess.run(
        [program, "-v", "error", "-nostdin", "-y", "-copyts", "-i", str(path), "-map", "0",
         "-c", "copy", "-copy_unknown", f"-aspect:{stream}",
         f"{shown.numerator}:{shown.denominator}", "-f", container, str(copy)],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode(errors="replace").split())[-300:]
        raise VideoError(
            f"the ffmpeg program did not copy {path} ({reason}); it was needed for the samples' "
            "aspect; choose --codec libx264 or .mp4, or make room on the disk, and --resume"
        )
    copy.replace(path)
    return []

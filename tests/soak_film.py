"""Colour a long film and watch the memory that it takes.

    python tests/soak_film.py --frames 6000 --model default --render 32

The film is made by ffmpeg; `trtcolor video` runs in a process of its own, whose resident memory is
read every half second and printed for each tenth of the run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from films import ffmpeg, times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=6000)
    parser.add_argument("--size", default="320x240")
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name) / "in.mkv", Path(name) / "out.mkv"
        ffmpeg(
            "-f", "lavfi", "-i", f"testsrc2=s={options.size}:r=24", "-f", "lavfi", "-i",
            "sine=440", "-frames:v", str(options.frames), "-shortest", "-c:v", "libx264",
            "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac", str(source),
        )  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trtcolor.cli", "video", source, output, *others],
            stderr=subprocess.DEVNULL,
        )
        resident = []
        while process.poll() is None:
            found = _resident(process.pid)
            if found is not None:
                resident.append(found)
            time.sleep(0.5)
        seconds = time.monotonic() - began
        whole = process.returncode == 0 and times(output) == times(source)
    print(f"{options.frames} frames in {seconds:.0f} s, {'whole' if whole else 'NOT WHOLE'}")
    tenth = max(1, len(resident) // 10)
    peaks = [max(resident[i : i + tenth]) for i in range(0, len(resident), tenth)]
    print("peak MiB of each tenth:", " ".join(f"{peak / 2**20:.0f}" for peak in peaks))
    return 0 if whole else 1


def _resident(process: int) -> int | None:
    """Bytes of a process that are in memory; None: it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        return next(
            1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")
        )
    except (OSError, StopIteration):
        return None


if __name__ == "__main__":
    sys.exit(main())

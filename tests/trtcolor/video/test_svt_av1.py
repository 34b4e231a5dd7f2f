"""SVT-AV1 leaves the process alone that it encodes in: its threads' priority, and its output."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from coloured_films import color, colorizer
from films import RATE, WITH_FFMPEG, make_film, pictures, probe

from trtcolor.colorizer import Colorizer

pytestmark = [
    WITH_FFMPEG,
    pytest.mark.skipif(sys.platform != "linux", reason="threads have no policies to see here"),
]
__all__ = ["colorizer"]


def policies() -> set[int]:
    """Of this process's threads."""
    return {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}


def test_a_film_in_av1_leaves_threads_the_priority_that_they_had(
    tmp_path: Path, colorizer: Colorizer, capfd: pytest.CaptureFixture[str]
) -> None:
    options = "-c:v ffv1 -pix_fmt yuv420p10le"
    film = make_film(tmp_path / "in.mkv", pictures(RATE), *options.split())
    color(colorizer, film, tmp_path / "out.webm", codec=None)
    assert probe(tmp_path / "out.webm", "streams")["streams"][0]["codec_name"] == "av1"
    assert policies() == {os.SCHED_OTHER}
    assert capfd.readouterr() == ("", "")

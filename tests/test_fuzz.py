"""A short run of each fuzzer; tests/fuzz_color.py and fuzz_pictures.py have the long ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_whatever_is_thrown_at_the_colour_functions_gives_a_result_or_one_sentence() -> None:
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "fuzz_color.py"), "--calls", "3000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "3000 calls" in run.stdout


def test_whatever_a_picture_file_holds_gives_a_picture_or_one_sentence() -> None:
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "fuzz_pictures.py"), "--files", "1500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "1500 files" in run.stdout

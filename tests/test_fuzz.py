"""A short run of each fuzzer; tests/fuzz_color.py and fuzz_pictures.py have the long ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("script", "option", "count"),
    [("fuzz_color.py", "--calls", 3000), ("fuzz_pictures.py", "--files", 1500)],
)
def test_whatever_is_thrown_gives_a_result_or_one_sentence(
    script: str, option: str, count: int
) -> None:
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parent / script), option, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert f"{count} {option.removeprefix('--')}" in run.stdout

"""A short run of the fuzzer; tests/fuzz_color.py has the long one."""

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

"""A disk of a test's own, which may be small or become read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def on_disk(folder: Path, options: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that finds `folder` to be a disk of its own, gone when it ends.

    Skips the test where none can be made.

    Args:
        options: of mount(8), such as ``size=1m,mode=700``.
    """
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} none {folder}"
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to make a small disk with")
    trial = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True)
    if trial.returncode != 0:
        pytest.skip(f"this system makes no small disk: {trial.stderr.strip()}")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-P", "-c",
         f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{program}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )  # fmt: skip

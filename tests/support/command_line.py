"""The command line in a process of its own, as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys


def command(*arguments: object) -> list[str]:
    """``trtcolor ARGUMENTS``, for those who start it themselves."""
    return [sys.executable, "-P", "-m", "trtcolor.cli", *map(str, arguments)]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """``trtcolor ARGUMENTS``, with further variables in its environment."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=300,
        check=False,
    )


def refused(*arguments: object, **environment: str) -> str:
    """Run what must be refused; the one line that says why."""
    done = run(*arguments, **environment)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.lower().startswith("error")]
    assert len(lines) == 1, done.stderr
    return lines[0]

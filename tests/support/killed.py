"""`trtcolor video` killed at random moments, and gone on with until it ends."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path


def begin(*arguments: object) -> subprocess.Popen[bytes]:
    """``trtcolor video ARGUMENTS`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "trtcolor.cli", "video", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def unbroken(*arguments: object, output: Path) -> float:
    """Run to the end; how long it worked, from its manifest to its output, in seconds."""
    process = begin(*arguments, output)
    began = _working(process, output)
    assert process.wait(timeout=300) == 0, process.stderr and process.stderr.read().decode()
    return time.monotonic() - began


def killed(*arguments: object, output: Path, kills: int, seconds: float, seed: int) -> list[float]:
    """Run, killing and resuming, until so many kills have been or it is through; then to the end.

    Args:
        seconds: how long an unbroken run works; a kill comes at a random time within.

    Returns:
        How many seconds each killed run had worked.
    """
    chance = random.Random(seed)
    worked: list[float] = []
    parts = output.with_name(f"{output.name}.parts")
    while not output.exists() or parts.exists():  # else a kill came when all was done
        process = begin(*arguments, output, "--resume")
        began = _working(process, output)
        try:
            last = len(worked) == kills
            status = process.wait(timeout=300 if last else chance.uniform(0, seconds))
            assert status == 0, process.stderr and process.stderr.read().decode()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            assert not last, "it does not end"
            worked.append(time.monotonic() - began)
    return worked


def _working(process: subprocess.Popen[bytes], output: Path) -> float:
    """When it had begun to work: its folder is there and changes, or it is through."""
    lock = output.with_name(f"{output.name}.parts") / "lock"
    before = lock.stat().st_mtime_ns if lock.exists() else None
    while process.poll() is None:
        try:
            if lock.stat().st_mtime_ns != before:
                break
        except FileNotFoundError:
            pass
        time.sleep(0.005)
    return time.monotonic()

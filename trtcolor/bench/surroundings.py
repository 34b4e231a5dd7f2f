"""What figures depend on: machine, GPU, driver, clocks, versions, commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from trtcolor.measure import machine

DISTRIBUTIONS = (
    "onnx",
    "onnxruntime-gpu",
    "tensorrt",
    "tensorrt-rtx",
    "torch",
)
GPU_FIELDS = ("name", "driver_version", "memory.total", "clocks.sm", "clocks.max.sm", "power.limit")


def surroundings() -> dict[str, Any]:
    """`trtcolor.measure.machine` and what else a benchmark needs; None: not there or not told."""
    return {
        **machine(),
        **{name: _version(name) for name in DISTRIBUTIONS},
        "memory": _meminfo("MemTotal"),
        "clocks_mhz": _clocks(),
        "gpus": _gpus(),
        "commit": _commit(),
    }


def available_memory() -> int | None:
    """Bytes that a process could take now: what is free, at most what the container allows."""
    found = [_meminfo("MemAvailable")]
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        found.append(None if limit == "max" else int(limit) - used)
    except (OSError, ValueError):
        pass  # no container, or one of the first kind of groups
    known = [value for value in found if value is not None]
    return min(known) if known else None


def gpu_memory(process_id: int) -> int | None:
    """Bytes of GPU memory that a process holds by ``nvidia-smi``; None: none, or not told."""
    lines = _nvidia_smi("--query-compute-apps=pid,used_memory")
    for line in lines:
        pid, _, used = line.partition(",")
        if pid.strip() == str(process_id) and used.strip().isdigit():
            return int(used) * 2**20
    return None


def _gpus() -> list[dict[str, str]]:
    lines = _nvidia_smi(f"--query-gpu={','.join(GPU_FIELDS)}")
    return [dict(zip(GPU_FIELDS, map(str.strip, line.split(",")), strict=False)) for line in lines]


def _nvidia_smi(query: str) -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ("nvidia-smi", query, "--format=csv,noheader,nounits")
    return _output(*command).splitlines()


def _commit() -> str | None:
    """Of the checkout that this package is in, with a ``+`` if files of it were changed since."""
    folder = str(Path(__file__).parent)
    head = _output("git", "-C", folder, "rev-parse", "HEAD").strip()
    if not head:
        return None
    return head + ("+" if _output("git", "-C", folder, "status", "--porcelain", "-uno") else "")


def _output(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _clocks() -> list[float] | None:
    """Of the cores now, in MHz."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
    return found[: os.cpu_count()] or None


def _meminfo(entry: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == entry:
            return int(rest.split()[0]) * 1024
    return None


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None

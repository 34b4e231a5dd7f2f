"""How much memory the local graph's maps take for each pixel that it sees, measured in processes.

    python -m trtcolor_train.map_bytes BUNDLE FEATURES HEIGHT WIDTH

runs a bundle's local graph once in ONNX Runtime and prints the process's largest resident size in
bytes. What is live in a graph at once says too little of it: ONNX Runtime took 1.1 to 4.2 times
that, according to the network.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.errors import ExportError
from trtcolor.measure import peak_memory

SIDES = (384, 768)  # rounded up to the network's multiple


def measure_map_bytes(bundle: Path, multiple: int, features: int) -> int:
    """Bytes a pixel, from the peaks of two processes that run the graph at two sizes.

    Args:
        bundle: a whole bundle.
        multiple: of its `SizeRule`.
        features: length of the vector of global features; 0 for none.

    Raises:
        ExportError: the graph does not run.
    """
    sides = [-(-side // multiple) * multiple for side in SIDES]
    small, large = (_peak_of_a_process(bundle, features, side) for side in sides)
    return max(round((large - small) / (sides[1] ** 2 - sides[0] ** 2)), 1)


def _peak_of_a_process(bundle: Path, features: int, side: int) -> int:
    command = [sys.executable, "-P", "-m", "trtcolor_train.map_bytes"]
    arguments = [str(bundle), str(features), str(side), str(side)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise ExportError(
            f"the memory of {bundle} at {side}x{side} was not measured ({reason}); a run in ONNX "
            "Runtime was needed; free some memory and export again"
        )
    return int(done.stdout)


def _peak_of_a_run(bundle: Path, features: int, height: int, width: int) -> int:
    inputs = {"lightness": np.full((1, 1, height, width), 50, np.float32)}
    if features:
        inputs["global_features"] = np.zeros((1, features), np.float32)
    OnnxRuntimeRunner(open_bundle(bundle)).run("local", inputs, ["chroma"])
    return _peak()


def _peak() -> int:
    """As `peak_memory`, but on Linux without what the parent was before it started this process."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    peaks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else peak_memory() or 0


if __name__ == "__main__":
    print(_peak_of_a_run(Path(sys.argv[1]), *map(int, sys.argv[2:])))

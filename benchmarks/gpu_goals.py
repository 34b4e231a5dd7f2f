"""What gpu.py's times are held to: the best backend against PyTorch, and as a share of the peak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gpu_engines import BASELINE

BACKENDS = ("onnxruntime ", "tensorrt ", "tensorrt-rtx ")
"""How the names of trtcolor's backends begin."""
TIMES = 2.0
"""As fast as PyTorch eager in fp16 with channels last the best backend is to be."""
SHARE = 0.4
"""Of the peak of fp16 products that it is to reach from `LARGE` pixels on."""
LARGE = 1024


def goals(
    rows: Iterable[Mapping[str, Any]], floor: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The best backend of every size and batch at which one was timed.

    Args:
        rows: of the network alone, as gpu.py keeps them.
        floor: as from `gpu_device.floor`; the peak is that of fp16, whatever the engine computes
            in.

    Returns:
        ``size``, ``batch``, ``engine``, ``share_of_fp16_peak`` and whether it is enough
        (``share_met``, from `LARGE` on); ``times_torch``, over PyTorch's median, and whether that
        is enough (``times_met``), where PyTorch was timed too.
    """
    timed: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        if "median" in row:
            timed.setdefault((row["size"], row["batch"]), []).append(row)
    found = []
    for (size, batch), cell in sorted(timed.items()):
        backends = [row for row in cell if row["engine"].startswith(BACKENDS)]
        if not backends:
            continue
        best = min(backends, key=lambda row: row["median"])
        share = best["flops"] / best["median"] / floor["fp16"]["rate"]
        goal = {"size": size, "batch": batch, "engine": best["engine"]}
        goal["share_of_fp16_peak"] = share
        if size >= LARGE:
            goal["share_met"] = share >= SHARE
        for row in cell:
            if row["engine"] == BASELINE:
                times = row["median"] / best["median"]
                goal |= {"times_torch": times, "times_met": times >= TIMES}
        found.append(goal)
    return found


def goal_lines(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Goals as a list in Markdown."""
    lines = []
    for goal in found:
        parts = []
        if "times_torch" in goal:
            parts.append(
                f"{goal['times_torch']:.2f} times {BASELINE} (goal {TIMES:g}: "
                f"{_said(goal['times_met'])})"
            )
        share = f"{goal['share_of_fp16_peak']:.0%} of the fp16 peak"
        met = goal.get("share_met")
        parts.append(share if met is None else f"{share} (goal {SHARE:.0%}: {_said(met)})")
        lines.append(
            f"- best backend at {goal['size']} x{goal['batch']}, {goal['engine']}: "
            f"{', '.join(parts)}"
        )
    return lines


def _said(met: bool) -> str:
    return "met" if met else "missed"

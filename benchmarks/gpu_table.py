"""The rows of gpu.py as Markdown: the network alone, the whole way of a frame, the goals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpu_goals import goal_lines

from trtcolor.bench.table import pipes

HEADS = (
    "size x batch, engine",
    "ms",
    "p10",
    "p90",
    "pictures/s",
    "TFLOP/s",
    "of peak",
    "of floor",
    "max diff",
)


def table(result: dict[str, Any]) -> str:
    """Medians and shares, fastest first at each size; then what failed, the goals, the copies."""
    lines = [*_heading(result), "", *_section(result["rows"])]
    if result["frames"]:
        lines += ["", "Frames in and out, uint8 RGB; FLOPs and bytes are the network's:", ""]
        lines += _section(result["frames"])
    lines += ["", *goal_lines(result["goals"])]
    for entry in result["copies"]:
        ways = (
            f"{way} {entry[way]['median'] * 1e3:.3f} ms" for way in ("to_device", "from_device")
        )
        lines.append(
            f"- copies of {entry['of']} {entry['size']} x{entry['batch']}: {', '.join(ways)}"
        )
    return "\n".join(lines)


def _section(rows: Sequence[dict[str, Any]]) -> list[str]:
    timed = [row for row in rows if "median" in row]
    cells = [
        _cells(row)
        for row in sorted(timed, key=lambda row: (row["size"], row["batch"], row["median"]))
    ]
    failed = [
        f"- {_name(row)}: {row.get('error', 'no time was left')}"
        for row in rows
        if "median" not in row
    ]
    return [*pipes(HEADS, cells), "", *dict.fromkeys(failed)]


def _heading(result: dict[str, Any]) -> list[str]:
    machine, floor = result["machine"], result["floor"]
    gpu = machine.get("gpu", machine["processor"])
    version = result["model_version"]
    rates = [
        f"{name} {entry['rate'] / (1e9 if name == 'copy' else 1e12):.4g} "
        f"{'GB/s' if name == 'copy' else 'TFLOP/s'}"
        for name, entry in floor.items()
    ]
    return [
        f"{gpu}; {result['model']} ({result['model_sha256'][:12]}; {version}), {result['graph']}",
        f"floor: {', '.join(rates)}",
    ]


def _name(row: dict[str, Any]) -> str:
    return f"{row['size']} x{row['batch']} {row['engine']}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    milliseconds = (f"{row[key] * 1e3:.3f}" for key in ("median", "p10", "p90"))

    def share(key: str) -> str:
        return f"{row[key]:.0%}" if key in row else "-"

    rate = f"{row['flops'] / row['median'] / 1e12:.4g}"
    difference = row.get("max_difference")
    return (
        _name(row),
        *milliseconds,
        f"{row['batch'] / row['median']:.4g}",
        rate,
        share("share_of_peak"),
        share("share_of_floor"),
        "-" if difference is None else f"{difference:.2g}",
    )

"""The rows of gpu.py as Markdown."""

from __future__ import annotations

from typing import Any

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
    "max a*b* diff",
)


def table(result: dict[str, Any]) -> str:
    """Medians and shares, fastest first at each size; then what failed, the floor, the copies."""
    rows, failed = [], []
    timed = [row for row in result["rows"] if "median" in row]
    for row in sorted(timed, key=lambda row: (row["size"], row["batch"], row["median"])):
        rows.append(_cells(row))
    for row in result["rows"]:
        if "median" not in row:
            failed.append(f"- {_name(row)}: {row.get('error', 'no time was left')}")
    lines = [*_heading(result), "", *pipes(HEADS, rows), "", *dict.fromkeys(failed)]
    for entry in result["copies"]:
        ways = (
            f"{way} {entry[way]['median'] * 1e3:.3f} ms" for way in ("to_device", "from_device")
        )
        lines.append(f"- copies {entry['size']} x{entry['batch']}: {', '.join(ways)}")
    return "\n".join(lines)


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

"""A million scans: hours and what bounds them, from what one scan was measured to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from results import number, percent, result, table

SCANS = 1_000_000
CORES = 16
"""Of a machine: as many as the one with the H200 had."""
LINK = 1.25e9
"""Bytes a second of the store that holds the scans: 10 Gbit/s."""
MACHINES = (1, 4, 16, 64)


@dataclass(frozen=True)
class Scan:
    """One kind of scan, as measured: processor seconds of each stage, bytes read and written."""

    name: str
    read: float
    network: float
    write: float
    cpu: float
    bytes_in: float
    bytes_out: float


def scans() -> list[Scan]:
    names = {"jpg": "JPEG", "tif": "TIFF, 16 bits"}
    return [
        Scan(
            f"{names[row['suffix']]}, {number(row['size'][0] * row['size'][1] / 1e6, 1)} MP",
            *(row[key] for key in ("read", "network", "write", "cpu", "bytes_in", "bytes_out")),
        )
        for row in result("archive-stages.json")["rows"]
    ]


def card_seconds() -> float:
    """Of `iizuka2016` at 224x224 with ONNX Runtime on the H200, copies included."""
    for row in result("bench-iizuka2016-h200.json")["rows"]:
        if row["candidate"]["backend"] == "onnxruntime-cuda" and row["size"] == [224, 224]:
            steps: list[dict[str, Any]] = row["steps"]
            return float(next(step["median"] for step in steps if step["name"] == "predict"))
    raise LookupError("bench-iizuka2016-h200.json has no row of onnxruntime-cuda at 224x224")


def bounds(scan: Scan, machines: int, *, gpu: bool) -> dict[str, float]:
    """Hours that each thing alone would take; the largest is the run's."""
    busy = scan.cpu - scan.network if gpu else scan.cpu
    hours = {
        "processors": SCANS * busy / (machines * CORES) / 3600,
        "store": SCANS * (scan.bytes_in + scan.bytes_out) / LINK / 3600,
    }
    if gpu:
        hours["GPU"] = SCANS * card_seconds() / machines / 3600
    return hours


def scan_table() -> str:
    rows = [
        [scan.name, *(f"{x:.3f}" for x in (scan.read, scan.network, scan.write, scan.cpu)),
         number(scan.bytes_in / 1e6, 1), number(scan.bytes_out / 1e6, 1)]
        for scan in scans()
    ]  # fmt: skip
    heads = ["scan", "read", "network", "write", "all", "MB in", "MB out"]
    return table(heads, rows)


def million_table(gpu: bool) -> str:
    """Hours on N machines, what bounds them, and hours of machines paid for."""
    rows = []
    for scan in scans():
        cells = []
        for machines in MACHINES:
            hours = bounds(scan, machines, gpu=gpu)
            worst = max(hours, key=lambda name: hours[name])
            spent = number(machines * hours[worst], 1)
            cells.append(f"{number(hours[worst], 2)} ({worst}; {spent})")
        rows.append([scan.name, *cells])
    return table(["scan", *(f"N = {n}" for n in MACHINES)], rows)


def machines_for_the_link(gpu: bool) -> str:
    """From how many machines on the store's link is what bounds a run, for each kind of scan."""
    rows = []
    for scan in scans():
        one = bounds(scan, 1, gpu=gpu)
        own = max(hours for name, hours in one.items() if name != "store")
        rows.append([scan.name, number(own / one["store"], 1)])
    return table(["scan", "machines"], rows)


def driver_table() -> str:
    """Milliseconds that the driver may spend on a scan before it bounds N machines."""
    rows = [
        [scan.name, *(number(1e3 * scan.cpu / (n * CORES), 2) for n in MACHINES)]
        for scan in scans()
    ]
    return table(["scan", *(f"N = {n}" for n in MACHINES)], rows)


def scheduling_table() -> str:
    """Milliseconds from end to end of a scan without work on a cluster, by the paths in a block.

    Beside them how many machines without a GPU one driver keeps busy, if all of it were the
    driver's, with each kind of scan.
    """
    rows = []
    for paths, found in result("cluster.json")["empty"]["blocks"].items():
        each = 1 / found["rate"]
        machines = [number(scan.cpu / (CORES * each), 1) for scan in scans()]
        rows.append([paths, number(1e3 * each, 2), *machines])
    return table(["paths in a block", "ms a scan", *(scan.name for scan in scans())], rows)


def cores_for_a_card(index: int) -> float:
    """Cores that decode and write as fast as a GPU colours scans of that kind."""
    scan = scans()[index]
    return (scan.cpu - scan.network) / card_seconds()


def network_share(index: int) -> str:
    """What part of the processors' work a GPU takes away, of the scans' kind of that number."""
    scan = scans()[index]
    return percent(scan.network / scan.cpu)


TABLES: dict[str, Callable[..., Any]] = {
    "scan_table": scan_table,
    "million_table": million_table,
    "machines_for_the_link": machines_for_the_link,
    "driver_table": driver_table,
    "scheduling_table": scheduling_table,
    "cores_for_a_card": cores_for_a_card,
    "network_share": network_share,
    "card_seconds": card_seconds,
}

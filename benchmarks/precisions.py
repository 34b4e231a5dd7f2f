"""What 16 bits and int8 cost a model in colour: CIEDE2000 to its float32 output.

    python benchmarks/precisions.py MODEL DATA CALIBRATION [--limit 200] [--json FILE]

Every precision that `trtcolor build-engine` offers, as its gate measures it (trtcolor/precision),
on pictures of DATA; int8 in both forms, its ranges calibrated on pictures of CALIBRATION. What is
over the limits is shown too.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from trtcolor.bundle import open_bundle
from trtcolor.measure import machine
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.pictures import pictures_of

FORMS: tuple[tuple[Any, Any], ...] = (
    ("fp16", "tensorrt"),
    ("bf16", "tensorrt"),
    ("int8", "tensorrt"),
    ("int8", "cpu"),
)


@click.command()
@click.argument("model")
@click.argument("data")
@click.argument("calibration")
@click.option("--limit", default=200, show_default=True, help="Pictures of DATA.")
@click.option("--calibrate", default=64, show_default=True, help="Pictures of CALIBRATION.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str, data: str, calibration: str, limit: int, calibrate: int, json_file: Path | None
) -> None:
    """Print how far MODEL's other precisions are from float32."""
    bundle = open_bundle(model)
    pictures = pictures_of(calibration, data, limits=(calibrate, limit))
    results = {}
    for precision, form in FORMS:
        start = time.perf_counter()
        made = graphs_at(
            bundle, precision, form=form, pictures=pictures, accept_error=True, say=print
        )
        results[f"{precision} {form}" if precision == "int8" else precision] = {
            **made.gate.to_dict(),
            "float_nodes": made.float_nodes,
            "costs": made.costs,
            "seconds": time.perf_counter() - start,
            "megabytes": sum(graph.ByteSize() for graph in made.graphs.values()) / 1e6,
        }
    if json_file is not None:
        entries = {"model": bundle.spec.name, "calibration": len(pictures.calibration)}
        entries |= {"machine": machine(), "ciede2000": results}
        json_file.write_text(json.dumps(entries, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""What the rewrites of a graph and int8 save on a CPU: each form of a model's local graph, timed.

    python benchmarks/rewrites.py MODEL... [--sizes 224,512,1024] [--rounds 9] [--threads 1]
        [--json FILE]

MODEL is a bundle's folder or name, or ``untrained``: iizuka2016 with random weights. The forms are
the graph as exported (``plain``), with one rewrite, with those that an engine has
(trtcolor/precision/rewrites.py), and int8, all layers but the last, with and without them. They
take turns, one run each a round, in one process whose threads do not spin. Processor time is the
sum over all threads: on a machine that does other things as well it says more than the clock. Each
ratio is of the plain form's time in ONNX Runtime to the form's, medians.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.untrained import write_untrained
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.color import lightness_from_rgb
from trtcolor.engines.graphs import RUNNERS, optimised_graph
from trtcolor.measure import machine
from trtcolor.precision.pictures import find_pictures
from trtcolor.precision.plain import plain_graph
from trtcolor.precision.rewrites import rewritten
from trtcolor.precision.scores import scores_by_samples
from trtcolor.precision.sensitivity import Quantiser
from trtcolor.precision.upsample import upsamples_merged

PICTURES = 4
"""To calibrate int8 on: enough for timing."""

Forms = dict[str, onnx.ModelProto]


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--sizes", default="224,512,1024", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=9, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    models: tuple[str, ...], sizes: str, rounds: int, threads: int, json_file: Path | None
) -> None:
    """Print a table for each of MODELS."""
    results = []
    for name in models:
        with tempfile.TemporaryDirectory() as folder:
            bundle = open_bundle(write_untrained(Path(folder)) if name == "untrained" else name)
            forms = forms_of(bundle)
            print(f"{bundle.spec.name} {bundle.spec.version}: processor ms (ratio), ms (ratio)")
            rows = []
            for side in map(int, sizes.split(",")):
                rows += race(bundle, forms, side, rounds, threads)
            results.append(
                {"model": bundle.spec.name, "version": bundle.spec.version, "rows": rows}
            )
    if json_file is not None:
        entries = {"rounds": rounds, "threads": threads, "machine": machine(), "models": results}
        json_file.write_text(json.dumps(entries, indent=2) + "\n")


def forms_of(bundle: Bundle) -> Forms:
    """The local graph in all forms."""
    plain = {name: plain_graph(bundle, name) for name in bundle.spec.graphs}
    local = plain["local"]
    engine = {p: rewritten(local, "cpu", p) for p in ("fp32", "int8")}
    forms = {
        "plain": local,
        "upsamples merged": upsamples_merged(local),
        "scores by samples": scores_by_samples(local),
        "fp32 engine": engine["fp32"],
    }
    reference, pictures = OnnxRuntimeRunner(bundle), find_pictures().calibration[:PICTURES]
    for label, model in {
        "int8 plain": local,
        "int8 all rewrites": engine["fp32"],
        "int8 engine": engine["int8"],
    }.items():
        quantiser = Quantiser(bundle.spec, plain | {"local": model}, reference, pictures, "cpu")
        forms[label] = quantiser.graphs([], names=("local",))["local"]
    return forms


def race(
    bundle: Bundle, forms: Forms, side: int, rounds: int, threads: int
) -> list[dict[str, Any]]:
    """Times of each form in each backend at one size."""
    frames, _ = grey_frames((side, side), 1)
    lightness = lightness_from_rgb(np.repeat(frames[0][..., None], 3, 2))[None, None]
    inputs = {"lightness": lightness}
    for value in forms["plain"].graph.input[1:]:
        width = value.type.tensor_type.shape.dim[1].dim_value
        inputs[value.name] = np.full((1, width), 0.5, np.float32)
    runners = {
        (backend, label): make(bundle, threads=threads, graphs={"local": data})
        for backend, make in RUNNERS.items()
        for label, model in forms.items()
        for data in [optimised_graph(model, backend, bundle=bundle, graph="local")]
    }
    values: dict[tuple[str, str], list[tuple[float, float]]] = {key: [] for key in runners}
    for number in range(rounds + 1):
        for key, runner in runners.items():
            start = time.process_time(), time.perf_counter()
            runner.run("local", inputs, ["chroma"])
            spent = time.process_time() - start[0], time.perf_counter() - start[1]
            if number:  # the first is to warm up
                values[key].append(spent)
    for runner in runners.values():
        runner.close()
    base = medians(values["onnxruntime", "plain"])
    rows = []
    for (backend, label), found in values.items():
        middle = medians(found)
        ratios = [first / own for first, own in zip(base, middle, strict=True)]
        shown = (f"{1e3 * t:9.1f} ({r:5.2f})" for t, r in zip(middle, ratios, strict=True))
        print(f"{side:>5} {backend:12}{label:18}" + ",".join(shown), flush=True)
        cpu, wall = map(list, zip(*found, strict=True))
        rows.append(
            {
                "side": side,
                "backend": backend,
                "form": label,
                "processor_seconds": cpu,
                "seconds": wall,
                "processor_ratio": ratios[0],
                "ratio": ratios[1],
            }
        )
    return rows


def medians(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Of processor time and time."""
    cpu, wall = zip(*values, strict=True)
    return statistics.median(cpu), statistics.median(wall)


if __name__ == "__main__":
    main()

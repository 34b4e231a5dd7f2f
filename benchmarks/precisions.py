"""What float16 and int8 arithmetic would cost a model in colour: CIEDE2000 to its float32 output.

    python benchmarks/precisions.py MODEL DATA CALIBRATION [--limit 200] [--json FILE]

The joint graph (the local one where a network has no global features), converted by ONNX Runtime's
own tools and run by ONNX Runtime on the CPU on the pictures of DATA, scaled to the training size:
float16 with float32 inputs and outputs; int8 as QDQ with unsigned activations and signed weights
per channel, its ranges calibrated by the minimum and maximum over pictures of CALIBRATION, the
decoding of colour bins left in float32.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

from trtcolor import color, dataset
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.measure import machine
from trtcolor.metrics.difference import mean_ciede2000

Planes = list[np.ndarray]


def planes(data: str, side: int, limit: int) -> Planes:
    """(1, 1, side, side) L* of the first colourful pictures."""
    found: Planes = []
    for sample in dataset.open_pictures(data).samples:
        lab = color.lab_from_rgb(dataset.decode(sample, side))
        if dataset.is_colourful(lab):
            found.append(np.ascontiguousarray(lab[None, None, ..., 0]))
        if len(found) == limit:
            break
    return found


class Calibration(CalibrationDataReader):
    """Hands the calibration its pictures."""

    def __init__(self, pictures: Sequence[np.ndarray]) -> None:
        self.pictures: Iterator[np.ndarray] = iter(pictures)

    def get_next(self) -> dict[str, np.ndarray] | None:
        picture = next(self.pictures, None)
        return None if picture is None else {"lightness": picture}


def variants(bundle: Bundle, folder: Path, calibration: Planes) -> dict[str, Path]:
    """The graph's files by precision."""
    graph = "joint" if "joint" in bundle.spec.graphs else "local"
    plain = bundle.graph_path(graph)
    model = onnx.load(plain)  # its weights too, which may be halves that a Cast widens
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    whole, half, prepared, quantised = (
        folder / f"{name}.onnx" for name in ("whole", "float16", "prepared", "int8")
    )
    onnx.save(model, whole)
    quant_pre_process(whole, prepared, skip_symbolic_shape=True)
    optimised = onnx.load(prepared)
    onnx.save(convert_float_to_float16(optimised, keep_io_types=True), half)
    quantize_static(
        prepared,
        quantised,
        Calibration(calibration),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
        nodes_to_exclude=decoding(optimised),
    )
    return {"float32": plain, "float16": half, "int8": quantised}


def decoding(model: onnx.ModelProto) -> list[str]:
    """The convolutions that take the mean of the bins' centres: 256 steps are too coarse there."""
    exponentials = {node.output[0] for node in model.graph.node if node.op_type == "Exp"}
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[0] in exponentials
    ]


def coloured(file: Path, pictures: Planes, scale: Any) -> list[np.ndarray]:
    """uint8 RGB of each picture."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = []
    for lightness in pictures:
        (chroma,) = session.run(["chroma"], {"lightness": lightness})
        chroma = np.ascontiguousarray(chroma[0], np.float32)
        found.append(color.merge_lab(lightness[0, 0], chroma, scale=scale))
    return found


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
    """Print how far MODEL's float16 and int8 forms are from float32."""
    bundle = open_bundle(model)
    side, scale = bundle.spec.size.training_size, bundle.spec.size.chroma_scale
    pictures = planes(data, side, limit)
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = variants(bundle, Path(folder), planes(calibration, side, calibrate))
        reference = coloured(files.pop("float32"), pictures, scale)
        for name, file in files.items():
            differences = [
                mean_ciede2000(found, true)
                for found, true in zip(coloured(file, pictures, scale), reference, strict=True)
            ]
            results[name] = {
                "mean": float(np.mean(differences)),
                "p90": float(np.percentile(differences, 90)),
                "largest": float(np.max(differences)),
                "megabytes": file.stat().st_size / 1e6,
            }
            print(name, " ".join(f"{key} {value:.3f}" for key, value in results[name].items()))
    if json_file is not None:
        entries = {"model": bundle.spec.name, "pictures": len(pictures), "machine": machine()}
        json_file.write_text(json.dumps(entries | {"ciede2000": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()

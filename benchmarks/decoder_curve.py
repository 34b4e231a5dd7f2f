"""How a classifier's decoder trades truth for colour: CIEDE2000 against colourfulness.

    python benchmarks/decoder_curve.py DATA CHECKPOINT... [--limit 300] [--json FILE] [--plot FILE]

Each checkpoint is exported once for each temperature of the annealed mean, and measured on the
pictures of DATA as `trtcolor evaluate` does; then, at the middle temperature, with each saturation.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from trtcolor.evaluation.result import Evaluation, Settings, last_parts
from trtcolor.evaluation.run import evaluate
from trtcolor.measure import machine
from trtcolor_train.decoder import Decoder
from trtcolor_train.export import export

FIGURES = ("ciede2000", "ciede2000_ratio", "colourfulness", "colourfulness_ratio", "chroma_cosine")


def curve(
    checkpoint: Path, data: str, temperatures: list[float], saturations: list[float], limit: int
) -> Iterator[dict[str, Any]]:
    """The points of one checkpoint, those over the temperature first."""
    with tempfile.TemporaryDirectory() as folder:
        bundles = [
            export(
                checkpoint,
                Path(folder) / f"{temperature:g}",
                decoder=Decoder("annealed-mean", temperature=temperature),
                folded=False,
            )[0]
            for temperature in temperatures
        ]
        found = evaluate(bundles, data, Settings(limit=limit))
        yield from _points(found, [(temperature, 1.0) for temperature in temperatures])
        middle = len(temperatures) // 2
        for saturation in saturations:
            settings = Settings(limit=limit, saturation=saturation)
            found = evaluate([bundles[middle]], data, settings)
            yield from _points(found, [(temperatures[middle], saturation)])


def _points(found: Evaluation, settings: list[tuple[float, float]]) -> Iterator[dict[str, Any]]:
    for row, (temperature, saturation) in zip(found.bundles, settings, strict=True):
        figures = found.figures(row)
        yield {
            "temperature": temperature,
            "saturation": saturation,
            "pictures": found.counts.kept,
            **{name: figures[name].value for name in FIGURES},
        }


def plot(curves: dict[str, list[dict[str, Any]]], file: Path) -> None:
    """Both as shares: of grey pictures' CIEDE2000, of the originals' colourfulness."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
    for name, points in curves.items():
        (line,) = axes.plot([], [], label=name)
        for over, style in (("temperature", "o-"), ("saturation", "s--")):
            fixed = "saturation" if over == "temperature" else "temperature"
            value = 1.0 if fixed == "saturation" else points[-1]["temperature"]
            chosen = sorted((p for p in points if p[fixed] == value), key=lambda p: p[over])
            axes.plot(
                [p["colourfulness_ratio"] for p in chosen],
                [p["ciede2000_ratio"] for p in chosen],
                style,
                color=line.get_color(),
            )
    axes.axhline(1.0, color="grey", linewidth=0.8)
    axes.set_xlabel("colourfulness / originals'")
    axes.set_ylabel("CIEDE2000 / grey's")
    axes.set_title("over the temperature (circles) and over saturation (squares)")
    axes.legend()
    figure.savefig(file, dpi=120)


@click.command()
@click.argument("data")
@click.argument("checkpoints", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--temperatures", default="0.2,0.38,1", show_default=True)
@click.option("--saturations", default="1.3,1.6,2", show_default=True)
@click.option("--limit", default=300, show_default=True, help="Of DATA, the first pictures.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
@click.option("--plot", "plot_file", type=click.Path(path_type=Path))
def main(
    data: str,
    checkpoints: tuple[Path, ...],
    temperatures: str,
    saturations: str,
    limit: int,
    json_file: Path | None,
    plot_file: Path | None,
) -> None:
    """Print the points of each CHECKPOINT, a classifier, on the pictures of DATA."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for checkpoint in checkpoints:
        # A run folder's name, or the file's own where it stands by itself.
        plain = checkpoint.stem == "checkpoint"
        name = checkpoint.parent.name if plain else checkpoint.stem
        print(
            f"{name}\ntemperature  saturation  CIEDE2000 / grey  colourfulness / originals  cosine"
        )
        curves[name] = []
        for point in curve(
            checkpoint,
            data,
            [float(t) for t in temperatures.split(",")],
            [float(s) for s in saturations.split(",")],
            limit,
        ):
            curves[name].append(point)
            print(
                f"{point['temperature']:11g}{point['saturation']:12g}"
                f"{point['ciede2000_ratio']:18.3f}{point['colourfulness_ratio']:27.3f}"
                f"{point['chroma_cosine']:8.3f}",
                flush=True,
            )
    if json_file is not None:
        about = {"data": last_parts(data), "machine": machine()}
        json_file.write_text(json.dumps(about | {"curves": curves}, indent=2) + "\n")
    if plot_file is not None:
        plot(curves, plot_file)


if __name__ == "__main__":
    main()

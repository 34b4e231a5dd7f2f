"""How fast batches are made: pictures per second of the loader alone, by threads and processes.

    python benchmarks/loader.py CONFIG --data FOLDER [--threads 1,2] [--processes 1,2]
        [--batches N] [--rounds N] [-o FILE]

Reads, decodes, scales, crops, flips, ages and converts as the training of CONFIG would, on the
pictures unfiltered; nobody trains. In each round every kind of worker makes the same steps in turn,
in an order that rotates. The clock starts when a kind has come to its pace, start-up and first
batches made, and stops N batches later, with more under way. Figures are medians over the rounds; ~
marks a spread above 20 %.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import click

from trtcolor.dataset import PictureSet, open_pictures
from trtcolor.measure import Measurement, check_rounds, machine
from trtcolor_train.config import TrainingConfig, read_config
from trtcolor_train.data import training_batches
from trtcolor_train.models import family


@dataclass(frozen=True)
class Workers:
    """Who makes the batches: threads of this process, or processes of one thread each."""

    kind: str
    count: int

    def settings(self) -> dict[str, int]:
        """For `training_batches`."""
        if self.kind == "threads":
            return {"threads": self.count, "processes": 0}
        return {"threads": 1, "processes": self.count}


def seconds(pictures: PictureSet, config: TrainingConfig, workers: Workers, batches: int) -> float:
    """Time of so many batches, once the workers are at their pace."""
    size = family(config.network.family).resolve(config.network.dimensions).training_size
    warmup = 4 + 2 * workers.count  # all that are made ahead before the first is taken
    made = training_batches(
        pictures,
        size,
        config.training.batch_size,
        first=0,
        last=2 * warmup + batches,
        seed=config.training.seed,
        augmentation=config.augmentation,
        **workers.settings(),
    )
    for _ in islice(made, warmup):
        pass
    began = time.perf_counter()
    for _ in islice(made, batches):
        pass
    taken = time.perf_counter() - began
    made.close()  # type: ignore[attr-defined]  # both kinds are generators
    return taken


def row(workers: Workers, values: list[float], pictures: int) -> dict[str, Any]:
    """A line of the table and of the JSON file; ``pictures`` a value."""
    measured = Measurement(f"{workers.count} {workers.kind}", tuple(values))
    rate = pictures / measured.median
    mark = "~" if measured.unstable else ""
    print(f"{workers.kind:>10}{workers.count:>4}{rate:>12.0f} pictures/s{mark}", flush=True)
    return {**asdict(workers), "pictures_per_second": rate, "batches": measured.to_dict()}


@click.command()
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option("--data", default=Path(), type=click.Path(path_type=Path), help="Root of the data.")
@click.option("--threads", default="1,2", show_default=True, help="Numbers of threads, or none.")
@click.option("--processes", default="1,2", show_default=True, help="Of processes, or none.")
@click.option("--batches", default=20, show_default=True, help="Timed in a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="JSON file to write.")
def main(
    config_file: Path,
    data: Path,
    threads: str,
    processes: str,
    batches: int,
    rounds: int,
    output: Path | None,
) -> None:
    """Print pictures per second for each kind of worker."""
    check_rounds(rounds, 0)
    config = read_config(config_file)
    pictures = open_pictures(data / config.data.train)
    kinds = [
        Workers(kind, int(count))
        for kind, counts in (("threads", threads), ("processes", processes))
        for count in counts.split(",")
        if count
    ]
    values: dict[Workers, list[float]] = {workers: [] for workers in kinds}
    for number in range(rounds):
        first = number % len(kinds)
        for workers in kinds[first:] + kinds[:first]:
            values[workers].append(seconds(pictures, config, workers, batches))
    timed = batches * config.training.batch_size
    rows = [row(workers, values[workers], timed) for workers in kinds]
    if output is not None:
        description = {
            "config": config.name,
            "pictures": len(pictures),
            "batch_size": config.training.batch_size,
            "augmentation": asdict(config.augmentation),
            "timed_batches": batches,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {**machine(), **{n: metadata.version(n) for n in ("torch", "pillow")}},
        }
        text = json.dumps({**description, "rows": rows}, indent=2)
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

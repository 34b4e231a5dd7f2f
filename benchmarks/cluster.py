"""`trtcolor colorize --ray`: throughput by workers, and what scheduling costs a picture.

    python benchmarks/cluster.py --pictures 200 --empty 2000

Clusters of 1, 2 and 4 workers of one core are started on this machine, one after the other; where
it has fewer cores than workers, they share them. Rates are from the first block that comes back to
the last, the seconds before are told apart. Empty work is pictures that were coloured before, which
a run with --skip-existing leaves out: what that takes more than in one process, is scheduling.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ray.cluster_utils import Cluster

from trtcolor.archive.find import find_pictures
from trtcolor.archive.local import Threads
from trtcolor.archive.making import Existing
from trtcolor.archive.run import Workers, run_pictures
from trtcolor.archive.settings import PictureSettings
from trtcolor.bench.surroundings import surroundings
from trtcolor.bundle import open_bundle
from trtcolor.cluster import pictures
from trtcolor.cluster.connection import connected
from trtcolor.cluster.pictures import Actors
from trtcolor.cluster.share import Share
from trtcolor.cluster.shipping import ship
from trtcolor.cluster.worker import Model
from trtcolor.colorizer import Colorizer

MEMORY = 200 << 20
BLOCKS = (2, 8, 16, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--empty", type=int, default=2000)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/cluster.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "photos", options.pictures, (480, 640))
        _write(folder / "small", options.empty, (32, 32))
        one = _in_one_process(folder / "photos", folder / "one")
        _in_one_process(folder / "small", folder / "done")
        skipped = _in_one_process(folder / "small", folder / "done", skips=True)
        throughput = {
            workers: _on_cluster(workers, folder / "photos", folder / f"out{workers}")
            for workers in (1, 2, 4)
        }
        scheduling = {
            block: _on_cluster(2, folder / "small", folder / "done", skips=True, block=block)
            for block in BLOCKS
        }
    each = skipped["seconds"] / options.empty
    result = {
        "surroundings": surroundings(),
        "ray": version("ray"),
        "pictures": {"count": options.pictures, "height": 480, "width": 640},
        "one_process": one,
        "workers": throughput,
        "empty": {
            "count": options.empty,
            "one_process_ms_per_picture": 1000 * each,
            "blocks": {
                block: found | {"scheduling_ms_per_picture": 1000 * (1 / found["rate"] - each)}
                for block, found in scheduling.items()
            },
        },
    }
    options.output.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")
    print(json.dumps({key: result[key] for key in ("one_process", "workers", "empty")}, indent=2))


def _write(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Grey photographs: windows of those that scikit-image has."""
    from skimage import data

    photos = [Image.fromarray(photo).convert("L") for photo in (data.astronaut(), data.coffee())]
    chance = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        photo = photos[number % len(photos)]
        side = int(chance.integers(200, min(photo.size)))
        left, top = (int(chance.integers(0, edge - side + 1)) for edge in photo.size)
        window = photo.crop((left, top, left + side, top + side))
        window.resize(size[::-1]).save(folder / f"{number:05}.jpg")


def _in_one_process(source: Path, output: Path, *, skips: bool = False) -> dict[str, float]:
    with Colorizer(threads=1) as colorizer:
        workers = Threads(colorizer, PictureSettings(), pictures=len(list(source.iterdir())))
        return _timed(workers, source, output, skips=skips)


def _on_cluster(
    workers: int, source: Path, output: Path, *, skips: bool = False, block: int | None = None
) -> dict[str, float]:
    if block is not None:
        pictures.BLOCK = block
    with _started(workers) as address, connected(address) as cluster:
        share, model = Share(1), Model(ship(open_bundle()), {"threads": 1})
        actors = Actors(cluster, share, model, PictureSettings(), root=source)
        return _timed(actors, source, output, skips=skips)


@contextmanager
def _started(workers: int) -> Iterator[str]:
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(num_cpus=workers, object_store_memory=MEMORY)
        yield cluster.address
    finally:
        cluster.shutdown()


def _timed(workers: Workers, source: Path, output: Path, *, skips: bool) -> dict[str, float]:
    """Seconds of a run, those before its first block, and pictures a second after that."""
    times: list[float] = []
    tell: Callable[..., Any] = lambda record, progress: times.append(time.perf_counter())  # noqa: E731
    found = find_pictures([str(source)], [], output=output)
    began = time.perf_counter()
    summary = run_pictures(workers, found, output, Existing(skips=skips), tell=tell)
    assert summary.failed == 0
    assert len(times) == len(found.pictures)
    first = sum(moment - times[0] < 1e-3 for moment in times)  # one block comes at once
    return {
        "seconds": times[-1] - began,
        "seconds_to_first": times[0] - began,
        "rate": (len(times) - first) / max(times[-1] - times[0], 1e-9),
    }


if __name__ == "__main__":
    main()

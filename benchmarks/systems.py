"""Every system of the papers, trained for some minutes, exported, measured and looked at.

    python benchmarks/systems.py DATA WORK [--jobs 2] [--only NAMES] [--json FILE] [--sheet FILE]

DATA is a folder with shards in ``miniplaces/`` and ``mit8/`` and a picture for ``--picture``. The
configurations are the papers' in ``train/configs``; what a training of minutes needs (fewer steps,
another optimiser, smaller crops, half the width of most networks) is set on the command line,
and every command is kept in the JSON. A broken run goes on where it was: trainings resume, what is
exported and measured already is left alone. Each process computes in one thread, so that ``--jobs``
of them share the machine without waiting for each other.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from trtcolor.images import read_picture, write_picture
from trtcolor.measure import machine
from trtcolor.sheet import contact_sheet
from trtcolor_train.checkpoint import load_checkpoint

CONFIGS = Path("train/configs")
SHORT = (
    "training.precision=bf16",
    "training.batch_size=32",
    "training.checkpoint_every=50",
    "training.loader_threads=1",
    "optimizer.name=adamw",
    "optimizer.learning_rate=1e-3",
    "optimizer.weight_decay=0.01",
    "optimizer.schedule=cosine",
    "optimizer.warmup_steps=40",
)


@dataclass(frozen=True)
class System:
    """One training.

    Attributes:
        name: of its configuration.
        steps: of 32 pictures.
        data: folder of its shards below DATA.
        decoders: to export and measure; none for a regression.
        dimensions: narrower and smaller than the paper's where those take too long on CPU cores.
        varied: crop and flip at random although the paper does not.
    """

    name: str
    steps: int
    data: str = "miniplaces"
    decoders: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    varied: bool = False


BOTH = ("annealed-mean", "mode")
HALF_IIZUKA = (
    "training_size=64",
    "low=[[32,2],[64,1],[64,2],[128,1],[128,2],[256,1]]",
    "mid=[256,128]",
    "fusion=128",
    "colorization=[64,0,32,32,0,16]",
)
HALF_IIZUKA_GLOBAL = (
    *HALF_IIZUKA,
    "global_convolutions=[[256,2],[256,1],[256,2],[256,1]]",
    "global_layers=[512,256,128]",
    "classifier=128",
)
HALF_LEE = (
    "training_size=64",
    "low=[[32,2],[64,1],[64,2],[128,1]]",
    "mid=[128,64]",
    "global_convolutions=[[128,2],[128,1],[128,2],[128,1]]",
    "global_layers=[256,128,64]",
    "fusion=128",
    "colorization=[64,32,0,16]",
    "classifier=128",
)
SMALL = ("training_size=64",)
HALF_HWANG = (*SMALL, "encoder=[[32,32],[64,64],[128,128,128],[256,256,256],[256,256,256]]")
HALF_UNET = ("encoder=[[32,1],[64,2],[128,2],[256,2],[256,1]]", "decoder=[128,64,32]")
SYSTEMS = (
    System("iizuka2016", 1500, dimensions=HALF_IIZUKA_GLOBAL),
    System("iizuka2016-baseline", 2000, dimensions=HALF_IIZUKA),
    System("iizuka2016-yuv", 2000, dimensions=HALF_IIZUKA_GLOBAL),
    System("iizuka2016-rgb", 3000, dimensions=HALF_IIZUKA_GLOBAL),
    System("iizuka2016-baseline-yuv", 2000, dimensions=HALF_IIZUKA),
    System("iizuka2016-baseline-rgb", 3000, dimensions=HALF_IIZUKA),
    System("lee2016", 1500, dimensions=HALF_LEE, varied=True),
    System("lee2016-mean", 1500, dimensions=HALF_LEE, varied=True),
    System("hwang2016-regression", 5000, dimensions=HALF_HWANG, varied=True),
    System("hwang2016-regression-huber", 2000, dimensions=HALF_HWANG, varied=True),
    System("hwang2016-classification", 300, "mit8", BOTH, SMALL, varied=True),
    System("olah2022-regression", 2500),
    System("olah2022-cnn", 600, decoders=BOTH),
    System("olah2022-cnn-rebalanced", 600, decoders=BOTH),
    System("olah2022-unet", 500, decoders=BOTH, dimensions=HALF_UNET),
    System("olah2022-unet-rebalanced", 500, decoders=BOTH, dimensions=HALF_UNET),
)


class Runner:
    """Runs commands of the command line and keeps them, machine paths replaced by DATA and WORK."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work = data.absolute(), work.absolute()
        self.commands: list[str] = []

    def __call__(self, log: Path, *arguments: str | Path) -> str:
        """Run ``trtcolor ARGUMENTS`` and return what it said; stop the whole run if it fails."""
        shown = self.shown(arguments)
        self.commands.append(shown)
        program = [sys.executable, "-P", "-m", "trtcolor", *map(str, arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        done = subprocess.run(program, capture_output=True, text=True, env=environment)
        said = done.stderr + done.stdout
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"$ {shown}\n{said}\n")
        if done.returncode:
            raise SystemExit(f"{shown} failed:\n{said}")
        return said

    def shown(self, arguments: Sequence[str | Path]) -> str:
        """The command as it may be published."""
        line = shlex.join(["trtcolor", *map(str, arguments)])
        return line.replace(str(self.work), "WORK").replace(str(self.data), "DATA")


def measure(system: System, data: Path, work: Path, picture: Path, limit: int) -> list[Any]:
    """Train, export, evaluate and colour with one system; a row for each decoder."""
    run = Runner(data, work)
    folder = work / system.name
    folder.mkdir(parents=True, exist_ok=True)
    log, checkpoint = folder / "commands.log", folder / "run" / "checkpoint.safetensors"
    trained = folder / "trained.txt"
    changes = [f"training.steps={system.steps}", f"training.validate_every={system.steps}", *SHORT]
    changes += [f"network.dimensions.{entry}" for entry in system.dimensions]
    if system.varied:
        changes += ["augmentation.crop=true", "augmentation.flip=true"]
    command: list[str | Path] = ["train", CONFIGS / f"{system.name}.toml"]
    command += ["--data", data / system.data, "--run", checkpoint.parent]
    command += [word for change in changes for word in ("--set", change)]
    done = load_checkpoint(checkpoint).step if checkpoint.exists() else 0
    if done < system.steps:
        said = run(log, *command, *(["--resume"] if done else []))
        trained.write_text(said, encoding="utf-8")
    said = trained.read_text(encoding="utf-8") if trained.exists() else ""
    entries = [json.loads(s) for s in (checkpoint.parent / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    rows = []
    for decoder in system.decoders or ("",):
        name = f"{system.name}-{decoder}" if decoder else system.name
        result = folder / f"{name}.json"
        if not result.exists():
            rows.append(_row(run, system, decoder, name, folder, checkpoint, data, picture, limit))
            rows[-1] |= {
                "commands": [run.shown(command), *run.commands[-3:]],
                "loss_first": float(np.mean(losses[:20])),
                "loss_last": float(np.mean(losses[-20:])),
                "training": next((s for s in said.splitlines() if "pictures/s," in s), ""),
                "validation": entries[-1]["validation"],
            }
            result.write_text(json.dumps(rows[-1], indent=2), encoding="utf-8")
        else:
            rows.append(json.loads(result.read_text(encoding="utf-8")))
    print(f"{system.name}: done", file=sys.stderr, flush=True)
    return rows


def _row(
    run: Runner,
    system: System,
    decoder: str,
    name: str,
    folder: Path,
    checkpoint: Path,
    data: Path,
    picture: Path,
    limit: int,
) -> dict[str, Any]:
    log, bundle, figures = folder / "commands.log", folder / name, folder / f"{name}-figures.json"
    chosen = ["--decoder", decoder] if decoder else []
    said = run(log, "export", checkpoint, bundle, "--overwrite", "--name", name, *chosen)
    parity = re.search(r"float\d+: a\*b\* differ.*", said)
    run(
        log,
        "evaluate",
        bundle,
        str(data / system.data / "val-*.tar.gz"),
        "--limit",
        str(limit),
        "--threads",
        "1",
        "--json",
        figures,
        "--overwrite",
    )
    output = folder / f"{name}.png"
    run(log, "colorize", picture, "-o", output, "--model", bundle, "--threads", "1", "--overwrite")
    spec = json.loads((bundle / "model.json").read_text(encoding="utf-8"))
    evaluation = json.loads(figures.read_text(encoding="utf-8"))
    grey, measured = evaluation["rows"][1], evaluation["rows"][-1]
    return {
        "system": system.name,
        "decoder": decoder or "regression",
        "parity": parity.group() if parity else "",
        "halo": spec["size"]["halo"],
        "megabytes": sum(file.stat().st_size for file in bundle.iterdir()) / 1e6,
        "ciede2000_grey": grey["figures"]["ciede2000"]["value"],
        "figures": {name: figure["value"] for name, figure in measured["figures"].items()},
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A markdown table of the rows."""
    lines = [
        "| system | decoder | loss, first and last 20 steps | CIEDE2000 | left grey | ratio | "
        "colourfulness / originals | halo |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        f = row["figures"]
        lines.append(
            f"| {row['system']} | {row['decoder']} | {row['loss_first']:.4g} -> "
            f"{row['loss_last']:.4g} | {f['ciede2000']:.2f} | {row['ciede2000_grey']:.2f} | "
            f"{f['ciede2000_ratio']:.3f} | {f['colourfulness_ratio']:.2f} | {row['halo']} |"
        )
    return "\n".join(lines)


def write_sheet(sheet: Path, rows: Sequence[dict[str, Any]], work: Path, picture: Path) -> None:
    """The picture as every system colours it, the original first."""
    pictures, captions = [read_picture(picture).rgb8], ["original"]
    for row in rows:
        ending = "" if row["decoder"] == "regression" else f"-{row['decoder']}"
        name = row["system"] + ending
        pictures.append(read_picture(work / row["system"] / f"{name}.png").rgb8)
        captions.append(name)
    per_row = 4
    starts = range(0, len(pictures), per_row)
    write_picture(
        sheet,
        contact_sheet(
            [pictures[i : i + per_row] for i in starts],
            headings=("",) * per_row,
            captions=[(*captions[i : i + per_row], "", "", "")[:per_row] for i in starts],
            cell=256,
        ),
        overwrite=True,
    )


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("work", type=click.Path(path_type=Path))
@click.option("--jobs", default=2, show_default=True, help="Systems at a time.")
@click.option("--only", help="Names of systems, separated by commas.")
@click.option("--picture", default="photos/kodak/kodim23.png", show_default=True)
@click.option("--limit", default=400, show_default=True, help="Validation pictures to measure on.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path))
def main(
    data: Path,
    work: Path,
    jobs: int,
    only: str | None,
    picture: str,
    limit: int,
    json_file: Path | None,
    sheet: Path | None,
) -> None:
    """Train, export, measure and show every system of the papers."""
    names = [system.name for system in SYSTEMS]
    wanted = names if only is None else only.split(",")
    if not set(wanted) <= set(names):
        raise click.BadParameter(f"{only}; some of {', '.join(names)} were needed")
    chosen = [system for system in SYSTEMS if system.name in wanted]
    data, work = data.absolute(), work.absolute()
    with ThreadPoolExecutor(jobs) as pool:
        parts = pool.map(lambda s: measure(s, data, work, data / picture, limit), chosen)
        rows = [row for part in parts for row in part]
    print(table(rows))
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
    if sheet is not None:
        write_sheet(sheet, rows, work, data / picture)


if __name__ == "__main__":
    main()

"""The trainings behind the papers' tables and the default model, in lanes beside each other.

    python benchmarks/papers.py train DATA WORK --seconds 540
    python benchmarks/papers.py pack WORK FILE
    python benchmarks/papers.py export WORK
    python benchmarks/papers.py tables DATA WORK

DATA holds ``miniplaces/``, ``tinyimagenet/`` and ``mit8/`` with their shards. ``train`` gives each
lane a process of its own and the whole time, which its trainings share alike. A broken run goes on:
a training that is done, which its said.txt tells, is left alone, another is resumed from its
checkpoint if it has one. Made for a GPU that holds all pictures (``training.resident``); the same
commands run on a CPU, with less to show for it. ``pack`` writes the weights as float16, without the
optimiser's state, and the logs into one tar file, the first lane first, to be unpacked into another
WORK. ``export`` makes bundles of the papers' networks there, classifiers decoded by the mode as 001
and 003 do; how the default model is decoded is chosen by hand. ``tables`` prints the three papers'
tables with the bundles in them, and writes WORK/tables: text, JSON and sheets.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click
import torch
from rich.console import Console
from systems import HALF_HWANG, HALF_IIZUKA, HALF_IIZUKA_GLOBAL, HALF_LEE, HALF_UNET

from trtcolor.errors import TrtcolorError
from trtcolor_train.checkpoint import load_checkpoint, save_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.log import LOG_FILE
from trtcolor_train.loop import CHECKPOINT_FILE, train

CONFIGS = Path("train/configs")
SAID = "said.txt"  # in a run folder, once the training is done; SAYING before
SAYING = "saying.txt"
PREPARATION = 12.0  # seconds of a training's share that are no training
SHORT = (
    "training.steps=1000000",
    "training.batch_size=128",
    "training.precision=bf16",
    "training.resident=true",
    "training.loader_threads=8",
    "training.checkpoint_every=1000000",
    "training.validate_every=1000000",
    "training.validation_pictures=128",
    "optimizer.name=adamw",
    "optimizer.learning_rate=1e-3",
    "optimizer.weight_decay=0.02",
    "optimizer.schedule=cosine",
    "optimizer.warmup_steps=100",
    "augmentation.crop=true",
    "augmentation.flip=true",
    "augmentation.zoom=1.3",
)
HALF_CNN = ("encoder=[[32,2],[64,2],[128,2],[256,1]]", "decoder=[128,64]")
DESCRIPTIONS = {
    "miniplaces": "MiniPlaces (subset of Places2), 128x128, 100 scenes",
    "tinyimagenet": "Tiny ImageNet (8,000 pictures of it), 64x64, 200 objects",
    "mit8": "MIT CVCL, the class open country alone, 64x64",
}


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        config: name of its configuration.
        data: folder of its shards below DATA.
        dimensions: what differs from the paper's, mostly half the widths.
        changes: further entries of the configuration.
    """

    config: str
    data: str = "miniplaces"
    dimensions: tuple[str, ...] = ()
    changes: tuple[str, ...] = SHORT

    @property
    def name(self) -> str:
        """Of its run folder and bundle."""
        return self.config if self.data == "miniplaces" else f"{self.config}-{self.data}"


OPEN_COUNTRY = (*SHORT, "data.only=opencountry")
OF_003 = tuple(
    Training(f"olah2022-{network}", data, dimensions)
    for data in ("tinyimagenet", "miniplaces")
    for network, dimensions in (
        ("regression", ()),
        ("cnn", HALF_CNN),
        ("cnn-rebalanced", HALF_CNN),
        ("unet", HALF_UNET),
        ("unet-rebalanced", HALF_UNET),
    )
)
LANES = {
    "base": (Training("trtcolor-base", changes=()),),
    "003": OF_003,
    "001-004": (
        Training("hwang2016-regression", "mit8", HALF_HWANG, OPEN_COUNTRY),
        Training("hwang2016-classification", "mit8", HALF_HWANG, OPEN_COUNTRY),
        Training("iizuka2016", dimensions=HALF_IIZUKA_GLOBAL),
        Training("iizuka2016-baseline", dimensions=HALF_IIZUKA),
        Training("iizuka2016-yuv", dimensions=HALF_IIZUKA_GLOBAL),
        Training("iizuka2016-rgb", dimensions=HALF_IIZUKA_GLOBAL),
        Training("iizuka2016-baseline-yuv", dimensions=HALF_IIZUKA),
        Training("iizuka2016-baseline-rgb", dimensions=HALF_IIZUKA),
        Training("lee2016-mean", dimensions=HALF_LEE),
    ),
}


def run_lane(lane: str, data: Path, work: Path, seconds: float) -> bool:
    """Train what is left of a lane, one after the other, each with its share of the time left.

    Returns:
        Whether all of them went well; what failed says so on standard output.
    """
    end = time.monotonic() + seconds
    left = [training for training in LANES[lane] if not (work / training.name / SAID).exists()]
    well = True
    for i, training in enumerate(left):
        share = (end - time.monotonic()) / (len(left) - i)
        well = run_training(training, data, work, share) and well
    return well


def run_training(training: Training, data: Path, work: Path, seconds: float) -> bool:
    """Begin or go on with one training; whether it went well."""
    began = time.monotonic()
    changes = [*training.changes, f'data.description="{DESCRIPTIONS[training.data]}"']
    changes += [f"network.dimensions.{entry}" for entry in training.dimensions]
    config = read_config(CONFIGS / f"{training.config}.toml", changes)
    # Decoding and validating come before and after what the configuration limits.
    minutes = max(seconds - PREPARATION, 1) / 60
    config = replace(config, training=replace(config.training, minutes=minutes))
    run = work / training.name
    run.mkdir(parents=True, exist_ok=True)
    with (run / SAYING).open("a", encoding="utf-8") as saying:
        try:
            train(
                config,
                run,
                data_root=data / training.data,
                resume=(run / CHECKPOINT_FILE).exists(),
                console=Console(file=saying),
            )
        except (TrtcolorError, RuntimeError) as error:
            print(f"{training.name}: {error}", flush=True)
            return False
        finally:
            torch.cuda.empty_cache()
    said = (run / SAYING).rename(run / SAID).read_text(encoding="utf-8").splitlines()
    print(f"{training.name}: {time.monotonic() - began:.0f} s, {said[-1]}", flush=True)
    return True


@click.group()
def main() -> None:
    """Train in lanes; pack what came of it."""


@main.command("train")
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("work", type=click.Path(path_type=Path))
@click.option("--seconds", type=float, default=540.0, show_default=True, help="Of each lane.")
@click.option("--lanes", default=",".join(LANES), show_default=True, help="Separated by commas.")
def train_command(data: Path, work: Path, seconds: float, lanes: str) -> None:
    """Train all lanes, each in a process, within a time."""
    chosen = lanes.split(",")
    if not set(chosen) <= set(LANES):
        raise click.BadParameter(f"{lanes}; some of {', '.join(LANES)} were needed")
    if len(chosen) == 1:
        well = run_lane(chosen[0], data, work, seconds)
    else:
        again = [sys.executable, __file__, "train", str(data), str(work)]
        again += ["--seconds", str(seconds), "--lanes"]
        children = [subprocess.Popen([*again, lane]) for lane in chosen]
        statuses = [child.wait() for child in children]  # of all, before any is looked at
        well = not any(statuses)
    if not well:
        raise SystemExit("a lane failed; see above")


@main.command()
@click.argument("work", type=click.Path(path_type=Path, exists=True))
@click.argument("file", type=click.Path(path_type=Path))
def pack(work: Path, file: Path) -> None:
    """Write the weights and logs of WORK into one tar FILE."""
    with tarfile.open(file, "w") as archive:
        for training in (training for lane in LANES.values() for training in lane):
            run = work / training.name
            if not (run / CHECKPOINT_FILE).exists():
                continue
            halves = run / "weights.safetensors"
            checkpoint = load_checkpoint(run / CHECKPOINT_FILE, optimizer=False)
            model = {
                name: tensor.half() if tensor.ndim > 1 else tensor
                for name, tensor in checkpoint.model.items()
            }
            save_checkpoint(halves, replace(checkpoint, model=model))
            archive.add(halves, f"{training.name}/{CHECKPOINT_FILE}")
            log = gzip.compress((run / LOG_FILE).read_bytes(), mtime=0)
            entry = tarfile.TarInfo(f"{training.name}/{LOG_FILE}.gz")
            entry.size = len(log)
            archive.addfile(entry, io.BytesIO(log))
            said = SAID if (run / SAID).exists() else SAYING
            archive.add(run / said, f"{training.name}/{said}")


@main.command()
@click.argument("work", type=click.Path(path_type=Path, exists=True))
def export(work: Path) -> None:
    """Make WORK/bundles/NAME of every training of a paper's network that has none."""
    for training in (*OF_003, *LANES["001-004"]):
        checkpoint = work / training.name / CHECKPOINT_FILE
        bundle = work / "bundles" / training.name
        if bundle.exists() or not checkpoint.exists():
            continue
        options = ["--name", training.name, "--no-folded"]
        if load_checkpoint(checkpoint, optimizer=False).config.loss.color == "cross_entropy":
            options += ["--decoder", "mode"]
        _trtcolor("export", checkpoint, bundle, *options)


@main.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("work", type=click.Path(path_type=Path, exists=True))
def tables(data: Path, work: Path) -> None:
    """Print the tables of 001, 003 and 004 with the bundles of WORK."""
    folder = work / "tables"
    folder.mkdir(exist_ok=True)
    places = data / "miniplaces" / "val-*.tar.gz"
    also = ("--places", places)
    of_001 = [t.name for t in LANES["001-004"] if t.data == "mit8"]
    of_004 = [t.name for t in LANES["001-004"] if t.config.startswith("iizuka2016")]
    for paper, names, where, more in (
        ("001", of_001, data / "mit8" / "val-*.tar.gz", ()),
        ("003", [t.name for t in OF_003], data / "tinyimagenet" / "val-*.tar.gz", also),
        ("004", of_004, places, ()),
    ):
        files = [folder / f"{paper}.{ending}" for ending in ("json", "png", "txt")]
        outputs = ["--json", files[0], "--sheet", files[1], "--overwrite"]
        bundles = [work / "bundles" / name for name in names]
        said = _trtcolor("evaluate", "--paper", paper, *bundles, where, *more, *outputs)
        files[2].write_text(said, encoding="utf-8")
        print(said, flush=True)


def _trtcolor(*arguments: str | Path) -> str:
    """Run a command of the command line; what it printed."""
    command = [sys.executable, "-P", "-m", "trtcolor", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"trtcolor {' '.join(map(str, arguments))} failed; see above")
    return done.stdout


if __name__ == "__main__":
    main()

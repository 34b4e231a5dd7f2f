"""The training loop.

Reads top to bottom: data -> network -> optimiser -> steps, each step
lightness (N, 1, S, S) -> output (N, K, S/k, S/k), Lab (N, 3, S, S) -> target -> loss -> update.

A run folder holds ``checkpoint.safetensors``, ``log.jsonl`` (one line a step, one a validation) and
the TensorBoard events. A training killed at any moment goes on with ``resume=True`` as if it had
never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from trtcolor.dataset import FilterCounts, PictureSet, drop_colourless, only_class, open_pictures
from trtcolor.errors import CheckpointError, TrainingError
from trtcolor_train.bins import AbBins
from trtcolor_train.build import build_network, check_loss, network_from_checkpoint
from trtcolor_train.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from trtcolor_train.checks import (
    check_batch,
    check_finite,
    check_labels,
    check_one_encoder,
    check_resumable,
    check_run_folder,
    check_same_bins,
    check_same_data,
    check_same_everywhere,
    start_again,
)
from trtcolor_train.clock import Budget, Clock
from trtcolor_train.config import TrainingConfig
from trtcolor_train.data import Batch, scaled_side, training_batches, validation_batches
from trtcolor_train.log import Log
from trtcolor_train.losses import LossTerms, joint_loss
from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.optimizer import learning_rate, make_optimizer, restore_optimizer
from trtcolor_train.parallel import Processes, joined
from trtcolor_train.provenance import first_weights, seen_pictures
from trtcolor_train.resident import ResidentPictures
from trtcolor_train.validation import autocast, validate

CHECKPOINT_FILE = "checkpoint.safetensors"
UNREADABLE_SHOWN = 5  # names; all are counted


def train(
    config: TrainingConfig,
    run: Path,
    *,
    data_root: Path = Path(),
    resume: bool = False,
    init: Path | None = None,
    console: Console | None = None,
) -> Path:
    """Train a network as the configuration says.

    Args:
        config: what to train, on what, how.
        run: folder for checkpoint, log and TensorBoard events; made if missing.
        data_root: folder that the configuration's data paths are relative to.
        resume: go on from the run folder's checkpoint.
        init: start from the weights of another run's checkpoint, at step 0.
        console: where to say what happens; standard error if None.

    Returns:
        Path of the last checkpoint.

    Raises:
        ConfigError, DataError: the configuration or the data do not fit.
        CheckpointError: the run exists and ``resume`` is False, or there is nothing to resume or
            what there is does not fit.
        TrainingError: the run folder cannot be written, labels are missing, the processes do not
            fit together, memory is short, or the loss is not a number; the last checkpoint stays
            as it was.
    """
    console = console or Console(stderr=True)
    with joined() as processes:
        if not processes.first:
            console = Console(quiet=True)
        try:
            return _train(config, run, data_root, resume, init, console, processes)
        except torch.OutOfMemoryError as error:
            reason = str(error).partition(". ")[0]
            raise TrainingError(
                f"{config.training.batch_size // processes.world} pictures at a time are too many "
                f"for the memory of {processes.device} ({reason}); fewer were needed; lower "
                "training.batch_size or take more processes"
            ) from None


def _train(
    config: TrainingConfig,
    run: Path,
    data_root: Path,
    resume: bool,
    init: Path | None,
    console: Console,
    processes: Processes,
) -> Path:
    path = run / CHECKPOINT_FILE
    if path.exists() and not resume:
        raise CheckpointError(
            f"{run} already holds a training; an empty run folder was needed; give another one or "
            "go on with --resume"
        )
    start = load_checkpoint(path) if resume else None
    given = None
    if init is not None and start is None:
        given = load_checkpoint(init, optimizer=False)
    if start is not None:
        check_resumable(config, start, path)
    check_run_folder(run)
    settings, device = config.training, processes.device
    dimensions = family(config.network.family).resolve(config.network.dimensions)
    check_batch(config, dimensions, processes.world)

    # What can be refused is, before every picture is read.
    listed = _listed(data_root / config.data.train, config)
    listed_validation = _listed(data_root / config.data.validation, config)
    check_labels(config, dimensions.classes > 0, listed, listed_validation)
    torch.manual_seed(settings.seed)
    if start is not None:
        network = network_from_checkpoint(start, source=str(path)).train()
        check_loss(network, config)
    else:
        network = _fresh(config, len(listed.classes), data_root, given, str(init))

    # Data: filtered once, then decoded again each time it is wanted.
    pictures, counts = _filtered("training", listed, config, console)
    validation_pictures, _ = _filtered("validation", listed_validation, config, console)
    check_same_everywhere(processes.gathered(pictures.fingerprint))

    # Network, optimiser, and where both were left.
    if start is not None:
        check_same_data(start, pictures.fingerprint, path)
    _set_precision(device, settings.precision)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    resident = None
    if settings.resident:
        resident = ResidentPictures(
            pictures,
            dimensions.training_size,
            config.augmentation,
            device,
            settings.loader_threads,
        )
    if start is None and isinstance(network.coding, AbBins):
        network.coding.weigh(_bin_shares(network.coding, pictures, resident, config))
    shared = processes.share(network)
    optimizer = make_optimizer(network, config.optimizer)
    first = 0
    if start is not None:
        restore_optimizer(optimizer, start, source=str(path))
        torch.set_rng_state(start.random_state)
        first = start.step

    batches = _batches(pictures, resident, config, dimensions.training_size, first, processes)
    budget = Budget(settings.steps, settings.minutes, first)
    seen = seen_pictures(config, data_root, pictures, counts)
    begun = first_weights(config, given) if start is None else start.start
    clock = Clock() if start is None else Clock(start.seconds)
    with (
        _log(run, first) if processes.first else nullcontext() as log,
        _progress(console, first, settings.steps) as progress,
    ):
        shared.train()
        for done, batch in enumerate(clock.waiting(batches), start=first + 1):
            planned = processes.first_ones(budget.steps(done - 1))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config.optimizer, done - 1, planned)
            terms = _loss(network, shared, batch, config, device)
            optimizer.zero_grad(set_to_none=True)
            # Gradients are averaged over the processes, a sum over the batch is not.
            weight = processes.world if config.loss.reduction == "sum" else 1
            (terms.total * weight).backward()  # type: ignore[no-untyped-call]
            if config.optimizer.clip_norm:
                torch.nn.utils.clip_grad_norm_(network.parameters(), config.optimizer.clip_norm)
            optimizer.step()

            # Not read before: a GPU would have nothing to do until the backward pass is on its way.
            total, color, classification = _logged(terms, config, processes)
            if not math.isfinite(total):
                raise TrainingError(
                    f"the loss is {total} at step {done}; a finite loss was needed; "
                    f"{start_again(path)}"
                )
            clock.count(settings.batch_size)
            ends = done >= planned
            validates = ends or done % settings.validate_every == 0
            saves = ends or done % settings.checkpoint_every == 0
            if validates or saves:
                check_finite(network, f"after step {done}", start_again(path))
            if log is not None:
                log.step(done, total, color, classification, clock.rate)
                progress.update(
                    progress.task_ids[0],
                    completed=done,
                    total=planned,
                    loss=f"{total:.5f}",
                    rate=f"{clock.rate:.0f}",
                )
            if validates and log is not None:
                with clock.paused():
                    measured, sheet = validate(
                        network,
                        validation_pictures,
                        config,
                        device,
                        settings.batch_size // processes.world,
                    )
                log.validation(done, measured, sheet)
                console.print(f"step {done}: {measured}")
            if saves and log is not None:
                log.flush()
                _save(path, config, network, optimizer, done, pictures, seen, clock.total, begun)
            if ends:
                break
    console.print(str(clock))
    return path


def _fresh(
    config: TrainingConfig, classes: int, data_root: Path, given: Checkpoint | None, source: str
) -> ColorNetwork:
    """A network that no step was done of, with the weights of another training if given."""
    if given is None:
        return build_network(config, classes, data_root)
    check_one_encoder(config, source)
    network = build_network(config, classes, data_root)
    check_same_bins(network, given, source)
    load_weights(network, given, source=source)
    check_finite(network, f"in {source}", "give another checkpoint")
    return network


def _listed(source: Path, config: TrainingConfig) -> PictureSet:
    pictures = open_pictures(source)
    return only_class(pictures, config.data.only) if config.data.only else pictures


def _filtered(
    name: str, listed: PictureSet, config: TrainingConfig, console: Console
) -> tuple[PictureSet, FilterCounts]:
    """The pictures that teach colours, and how many did not, which is also said."""
    dimensions = family(config.network.family).resolve(config.network.dimensions)
    pictures, counts = drop_colourless(
        listed,
        side=scaled_side(dimensions.training_size),
        threads=config.training.loader_threads,
    )
    console.print(f"{name}: {counts}")
    if pictures.unreadable:
        shown = pictures.unreadable[:UNREADABLE_SHOWN]
        more = len(pictures.unreadable) - len(shown)
        console.print(f"unreadable: {', '.join(shown)}" + (f" and {more} more" if more else ""))
    return pictures, counts


def _set_precision(device: torch.device, precision: str) -> None:
    if device.type == "cuda":
        # Left alone, torch has convolutions of float32 round their inputs to TF32's 10 bits.
        torch.backends.cudnn.allow_tf32 = precision != "float32"
        torch.backends.cudnn.benchmark = True  # the sizes stay the same


def _loss(
    network: ColorNetwork,
    shared: torch.nn.Module,
    batch: Batch,
    config: TrainingConfig,
    device: torch.device,
) -> LossTerms:
    """Forward pass and loss of this process's part of a batch."""
    lightness = batch.lightness.to(device, non_blocking=True, memory_format=torch.channels_last)
    lab = batch.lab.to(device, non_blocking=True)
    labels = None if batch.labels is None else batch.labels.to(device, non_blocking=True)
    target = network.coding.target(lab, network.dimensions.chroma_scale)
    with autocast(device, config.training.precision):
        prediction = shared(lightness)
    color = network.coding.loss(prediction.output.float(), target, config.loss)
    return joint_loss(color, prediction.class_logits, labels, config.loss)


def _logged(
    terms: LossTerms, config: TrainingConfig, processes: Processes
) -> tuple[float, float, float | None]:
    """The loss and its terms over the whole batch, as plain numbers."""
    present = [term.detach() for term in terms if term is not None]
    values = processes.mean(torch.stack(present))
    if config.loss.reduction == "sum":
        values = values * processes.world
    total, color, *classification = values.tolist()
    return total, color, classification[0] if classification else None


def _batches(
    pictures: PictureSet,
    resident: ResidentPictures | None,
    config: TrainingConfig,
    training_size: int,
    first: int,
    processes: Processes,
) -> Iterator[Batch]:
    """This process's part of each step's batch, from step ``first`` on."""
    settings = config.training
    if resident is not None:
        return (
            resident.batch(
                step, settings.batch_size, settings.seed, processes.rank, processes.world
            )
            for step in range(first, settings.steps)
        )
    return training_batches(
        pictures,
        training_size,
        settings.batch_size,
        first=first,
        last=settings.steps,
        seed=settings.seed,
        augmentation=config.augmentation,
        threads=settings.loader_threads,
        processes=settings.loader_processes,
        rank=processes.rank,
        world=processes.world,
    )


@torch.no_grad()
def _bin_shares(
    coding: AbBins,
    pictures: PictureSet,
    resident: ResidentPictures | None,
    config: TrainingConfig,
) -> Tensor | None:
    """(Q,) share of each bin in all training pictures (003, 3.4); None: nobody asks.

    Where the pictures are resident, counting costs little, and a decoder may ask later.
    """
    d = family(config.network.family).resolve(config.network.dimensions)
    size = config.training.batch_size
    if resident is not None:
        batches = resident.plain_batches(size)
    elif config.loss.rebalance:
        batches = validation_batches(pictures, d.training_size, size, len(pictures))
    else:
        return None
    counts = torch.zeros(coding.channels, dtype=torch.float64)
    for batch in batches:
        lab = batch.lab.to(coding.centres.device)
        counts += coding.count(coding.target(lab, d.chroma_scale)).cpu()
    return counts / counts.sum()


def _save(
    path: Path,
    config: TrainingConfig,
    network: ColorNetwork,
    optimizer: torch.optim.Optimizer,
    step: int,
    pictures: PictureSet,
    seen: dict[str, Any],
    seconds: float | None,
    start: str | None,
) -> None:
    checkpoint = Checkpoint(
        config,
        asdict(network.dimensions),
        step,
        network.state_dict(),
        optimizer.state_dict(),
        pictures.classes,
        torch.get_rng_state(),
        seen,
        seconds,
        start,
    )
    save_checkpoint(path, checkpoint)


def _log(run: Path, first: int) -> Log:
    run.mkdir(parents=True, exist_ok=True)
    for unfinished in run.glob(f".{CHECKPOINT_FILE}.*.tmp"):  # a kill in the middle of writing
        unfinished.unlink()
    return Log(run, first)


def _progress(console: Console, first: int, steps: int) -> Progress:
    progress = Progress(
        TextColumn("step {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}, {task.fields[rate]} pictures/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    progress.add_task("train", total=steps, completed=first, loss="-", rate="-")
    return progress

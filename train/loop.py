"""The training loop.

Reads top to bottom: data -> network -> optimiser -> steps, each step
Lab (N, 3, S, S) -> lightness (N, 1, S, S), target (N, 2, S/k, S/k) -> prediction -> loss -> update.

A run folder holds ``checkpoint.safetensors``, ``log.jsonl`` (one line a step, one a validation) and
the TensorBoard events. A training killed at any moment goes on with ``resume=True`` as if it had
never stopped.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.nn import functional as F

from trtcolor.dataset import FilterCounts, PictureSet, drop_colourless, open_pictures
from trtcolor.errors import CheckpointError, ConfigError, TrainingError
from trtcolor_train.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from trtcolor_train.config import Optimizer, TrainingConfig
from trtcolor_train.data import scaled_side, training_batches
from trtcolor_train.log import Log
from trtcolor_train.losses import joint_loss
from trtcolor_train.models import family
from trtcolor_train.models.iizuka import JointNetwork
from trtcolor_train.validation import autocast, validate

CHECKPOINT_FILE = "checkpoint.safetensors"


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
        TrainingError: the run folder cannot be written, labels are missing, or the loss is not a
            number; the last checkpoint stays as it was.
    """
    console = console or Console(stderr=True)
    path = run / CHECKPOINT_FILE
    if path.exists() and not resume:
        raise CheckpointError(
            f"{run} already holds a training; an empty run folder was needed; give another one or "
            "go on with --resume"
        )
    start = load_checkpoint(path) if resume else None
    source = load_checkpoint(init) if init is not None and start is None else start
    _check_resumable(config, start, path)
    _check_run_folder(run)
    settings = config.training

    # Data: filtered once, then decoded again each time it is wanted.
    network_family = family(config.network.family)
    resolved = network_family.resolve(config.network.dimensions)
    if resolved.has_global and settings.batch_size < 2:
        raise ConfigError(
            "training.batch_size is 1; at least 2 pictures were needed for the batch norm of the "
            "global network; mend the configuration"
        )
    side = scaled_side(resolved.training_size)
    pictures, counts = _pictures(data_root / config.data.train, side, settings.loader_threads)
    console.print(f"training: {counts}")
    validation_pictures, validation_counts = _pictures(
        data_root / config.data.validation, side, settings.loader_threads
    )
    console.print(f"validation: {validation_counts}")
    _check_labels(config, pictures, validation_pictures)

    # Network, optimiser, and where both were left.
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dimensions = dict(config.network.dimensions)
    if network_family.dimensions.classes:
        dimensions["classes"] = len(pictures.classes)
    network = network_family.build(dimensions)
    if source is not None:
        load_weights(network, source, source=str(path if start else init))
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _optimizer(network, config.optimizer)
    first = 0
    if start is not None:
        optimizer.load_state_dict(start.optimizer)
        torch.set_rng_state(start.random_state)
        first = start.step

    run.mkdir(parents=True, exist_ok=True)
    for unfinished in run.glob(f".{CHECKPOINT_FILE}.*.tmp"):  # a kill in the middle of writing
        unfinished.unlink()
    data = {"description": config.data.description, "train": asdict(counts)}
    size, scale = network.dimensions.training_size, network.dimensions.chroma_scale
    batches = training_batches(
        pictures,
        size,
        settings.batch_size,
        first=first,
        last=settings.steps,
        seed=settings.seed,
        threads=settings.loader_threads,
    )
    began, pictures_done = time.monotonic(), 0
    with Log(run, first) as log, _progress(console, first, settings.steps) as progress:
        task = progress.task_ids[0]
        network.train()
        for step, batch in enumerate(batches, start=first):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config.optimizer, step, settings.steps)
            lab = batch.lab.to(device, memory_format=torch.channels_last)
            labels = None if batch.labels is None else batch.labels.to(device)
            target = F.avg_pool2d(lab[:, 1:], scale)  # (N, 2, S/k, S/k), the merge's alignment
            with autocast(device, settings.precision):
                prediction = network(lab[:, :1])
            terms = joint_loss(
                prediction.chroma, target, prediction.class_logits, labels, config.loss
            )
            loss = float(terms.total.detach())
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {step}; a finite loss was needed; lower the "
                    f"learning rate and go on from the last checkpoint in {run}"
                )
            optimizer.zero_grad(set_to_none=True)
            terms.total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

            done = step + 1
            pictures_done += len(lab)
            rate = pictures_done / (time.monotonic() - began)
            log.step(done, loss, terms.color, terms.classification, rate)
            progress.update(task, completed=done, loss=f"{loss:.5f}", rate=f"{rate:.0f}")
            if done % settings.validate_every == 0 or done == settings.steps:
                measured, sheet = validate(network, validation_pictures, config, device)
                log.validation(done, measured, sheet)
                console.print(
                    f"step {done}: CIEDE2000 {measured.ciede2000:.3f} "
                    f"(grey {measured.ciede2000_grey:.3f}), colourfulness "
                    f"{measured.colourfulness:.1f} (originals "
                    f"{measured.colourfulness_original:.1f})"
                    + ("" if measured.top1 is None else f", top-1 {measured.top1:.1%}")
                )
            if done % settings.checkpoint_every == 0 or done == settings.steps:
                log.flush()
                save_checkpoint(
                    path,
                    Checkpoint(
                        config,
                        done,
                        network.state_dict(),
                        optimizer.state_dict(),
                        pictures.classes,
                        torch.get_rng_state(),
                        data,
                    ),
                )
    return path


def learning_rate(settings: Optimizer, step: int, steps: int) -> float:
    """Linear warm-up, then constant or a half cosine that ends at 0 after the last step."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    progress = (step - settings.warmup_steps) / max(steps - settings.warmup_steps, 1)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def _check_resumable(config: TrainingConfig, start: Checkpoint | None, path: Path) -> None:
    if start is None:
        return
    # Paths may move and a training may be made longer; everything else decides the curve.
    same = replace(
        start.config,
        data=config.data,
        training=replace(start.config.training, steps=config.training.steps),
    )
    if same != config:
        raise CheckpointError(
            f"{path} was trained with another configuration; the same one (but for the data's path "
            "and the number of steps) was needed to resume; use --init to start a new training "
            "from its weights"
        )
    if start.step >= config.training.steps:
        raise CheckpointError(
            f"{path} is at step {start.step} of {config.training.steps} already; steps left to do "
            "were needed; raise training.steps to go on"
        )


def _check_run_folder(run: Path) -> None:
    """Refuse a run folder that could not be written, before the data are read."""
    there = next(folder for folder in (run, *run.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise TrainingError(
            f"{run} cannot hold a training, {there} is no folder or not writable; a writable "
            "folder was needed; choose another with --run"
        )


def _pictures(source: Path, side: int, threads: int) -> tuple[PictureSet, FilterCounts]:
    return drop_colourless(open_pictures(source), side=side, threads=threads)


def _check_labels(config: TrainingConfig, pictures: PictureSet, validation: PictureSet) -> None:
    if config.loss.alpha == 0:
        return
    unlabelled = sum(sample.label is None for sample in pictures.samples)
    if unlabelled:
        raise TrainingError(
            f"{unlabelled} of {len(pictures)} training pictures have no class and alpha is "
            f"{config.loss.alpha:g}; labels were needed; add them or set loss.alpha to 0"
        )
    if validation.classes != pictures.classes:
        raise TrainingError(
            f"training data has {len(pictures.classes)} classes and validation data "
            f"{len(validation.classes)} or others; the same were needed; use one classes.txt"
        )
    classes = config.network.dimensions.get("classes")
    if classes is not None and classes != len(pictures.classes):
        raise TrainingError(
            f"the configuration says {classes} classes, the data have {len(pictures.classes)}; the "
            "same number was needed; mend network.dimensions.classes or leave it out"
        )


def _optimizer(network: JointNetwork, settings: Optimizer) -> torch.optim.Optimizer:
    if settings.name == "adadelta":
        return torch.optim.Adadelta(
            network.parameters(),
            lr=settings.learning_rate,
            rho=settings.decay,
            weight_decay=settings.weight_decay,
        )
    # Weight decay shrinks matrices; shifts and scales of batch norm are left alone.
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
    )


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

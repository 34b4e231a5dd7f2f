"""The training loop.

Reads top to bottom: what preparation.py made ready -> steps, each step
lightness (N, 1, S, S) -> output (N, K, S/k, S/k), Lab (N, 3, S, S) -> target -> loss -> update.

A run folder holds ``checkpoint.safetensors``, ``log.jsonl`` (one line a step, one a validation) and
the TensorBoard events. A training killed at any moment goes on with ``resume=True`` as if it had
never stopped.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trtcolor.errors import TrainingError
from trtcolor_train.checkpoint import Checkpoint, save_checkpoint
from trtcolor_train.checks import check_finite, start_again
from trtcolor_train.clock import Budget, Clock
from trtcolor_train.config import TrainingConfig
from trtcolor_train.data import Batch
from trtcolor_train.log import Log
from trtcolor_train.losses import LossTerms, joint_loss
from trtcolor_train.optimizer import learning_rate
from trtcolor_train.parallel import joined
from trtcolor_train.preparation import Prepared, prepare
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
        TrainingError: the run folder cannot be written, labels are missing, the processes do not
            fit together, memory is short, or the loss is not a number; the last checkpoint stays
            as it was.
    """
    path = run / CHECKPOINT_FILE
    console = console or Console(stderr=True)
    with joined() as processes:
        if not processes.first:
            console = Console(quiet=True)
        try:
            training = prepare(
                config,
                path,
                data_root=data_root,
                resume=resume,
                init=init,
                console=console,
                processes=processes,
            )
            _take_steps(training, console)
        except torch.OutOfMemoryError as error:
            reason = str(error).partition(". ")[0]
            raise TrainingError(
                f"{config.training.batch_size // processes.world} pictures at a time are too many "
                f"for the memory of {processes.device} ({reason}); fewer were needed; lower "
                "training.batch_size or take more processes"
            ) from None
    return path


def _take_steps(training: Prepared, console: Console) -> None:
    """All steps that are left, each logged; validated, saved and ended when it is time."""
    config, settings, processes = training.config, training.config.training, training.processes
    with (
        _log(training) if processes.first else nullcontext() as log,
        _progress(console, training.first, settings.steps) as progress,
    ):
        # From here on: opening the log imports TensorBoard, for seconds that are no training.
        budget = Budget(settings.steps, settings.minutes, training.first, training.seconds)
        clock = Clock(training.seconds)
        for done, batch in enumerate(clock.waiting(training.batches), start=training.first + 1):
            planned = processes.first_ones(budget.steps(done - 1))
            terms = _loss(training, batch)
            _update(training, terms, learning_rate(config.optimizer, done - 1, planned))
            # Not read before: a GPU would have nothing to do until the backward pass is on its way.
            total, color, classification = _logged(training, terms)
            if not math.isfinite(total):
                raise TrainingError(
                    f"the loss is {total} at step {done}; a finite loss was needed; "
                    f"{start_again(training.path)}"
                )
            clock.count(settings.batch_size)
            ends = done >= planned
            validates = ends or done % settings.validate_every == 0
            saves = ends or done % settings.checkpoint_every == 0
            if validates or saves:
                check_finite(training.network, f"after step {done}", start_again(training.path))
            if log is not None:
                log.step(done, total, color, classification, clock.rate)
                _show(progress, done, planned, total, clock.rate)
                if validates:
                    _validate(training, done, log, clock, console)
                if saves:
                    log.flush()
                    _save(training, done, clock.total)
            if ends:
                break
    console.print(str(clock))


def _loss(training: Prepared, batch: Batch) -> LossTerms:
    """Forward pass and loss of this process's part of a batch.

    lightness (N, 1, S, S) -> output (N, K, S/k, S/k), Lab (N, 3, S, S) -> target of that grid.
    """
    config, network, device = training.config, training.network, training.processes.device
    lightness = batch.lightness.to(device, non_blocking=True, memory_format=torch.channels_last)
    lab = batch.lab.to(device, non_blocking=True)
    labels = None if batch.labels is None else batch.labels.to(device, non_blocking=True)
    with autocast(device, config.training.precision):
        prediction = training.shared(lightness)
    target = network.coding.target(lab, network.dimensions.chroma_scale)
    color = network.coding.loss(prediction.output.float(), target, config.loss)
    return joint_loss(color, prediction.class_logits, labels, config.loss)


def _update(training: Prepared, terms: LossTerms, rate: float) -> None:
    """One step of the optimiser down the gradient of the whole batch's loss."""
    config, optimizer = training.config, training.optimizer
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    # Gradients are averaged over the processes, a sum over the batch is not.
    weight = training.processes.world if config.loss.reduction == "sum" else 1
    (terms.total * weight).backward()  # type: ignore[no-untyped-call]
    if config.optimizer.clip_norm:
        torch.nn.utils.clip_grad_norm_(training.network.parameters(), config.optimizer.clip_norm)
    optimizer.step()


def _logged(training: Prepared, terms: LossTerms) -> tuple[float, float, float | None]:
    """The loss and its terms over the whole batch, as plain numbers."""
    processes = training.processes
    present = [term.detach() for term in terms if term is not None]
    values = processes.mean(torch.stack(present))
    if training.config.loss.reduction == "sum":
        values = values * processes.world
    total, color, *classification = values.tolist()
    return total, color, classification[0] if classification else None


def _validate(training: Prepared, step: int, log: Log, clock: Clock, console: Console) -> None:
    config, processes = training.config, training.processes
    with clock.paused():
        measured, sheet = validate(
            training.network,
            training.validation_pictures,
            config,
            processes.device,
            config.training.batch_size // processes.world,
        )
    log.validation(step, measured, sheet)
    console.print(f"step {step}: {measured}")


def _save(training: Prepared, step: int, seconds: float | None) -> None:
    checkpoint = Checkpoint(
        config=training.config,
        dimensions=asdict(training.network.dimensions),
        step=step,
        model=training.network.state_dict(),
        optimizer=training.optimizer.state_dict(),
        classes=training.classes,
        random_state=torch.get_rng_state(),
        data=training.seen,
        seconds=seconds,
        start=training.begun,
    )
    save_checkpoint(training.path, checkpoint)


def _log(training: Prepared) -> Log:
    """The run folder's log from the next step on, what a kill left half-written removed."""
    run = training.path.parent
    run.mkdir(parents=True, exist_ok=True)
    for unfinished in run.glob(f".{CHECKPOINT_FILE}.*.tmp"):  # a kill in the middle of writing
        unfinished.unlink()
    return Log(run, training.first)


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


def _show(progress: Progress, done: int, planned: int, loss: float, rate: float) -> None:
    task, *_ = progress.task_ids
    progress.update(task, completed=done, total=planned, loss=f"{loss:.5f}", rate=f"{rate:.0f}")

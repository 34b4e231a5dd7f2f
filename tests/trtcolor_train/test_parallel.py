"""Two processes on the CPU train as one does on the whole batch."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import two_processes
from torch import Tensor
from trainings import arguments, command, log_of, steps_of, write_narrow_config
from two_processes import SHAPES, batch, batch_norm

from trtcolor.errors import TrainingError
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.loop import CHECKPOINT_FILE, train
from trtcolor_train.parallel import joined

TORCHRUN = [sys.executable, "-P", "-m", "torch.distributed.run", "--standalone"]
TORCHRUN += ["--nproc-per-node", "2"]
NESTEROV = {"name": "nesterov", "learning_rate": 0.001}
STEPS = {"steps": 8, "batch_size": 12, "validate_every": 4, "loader_threads": 1}
# A loss that is a mean, one that is a sum, one that leaves a part of the network out, one that is
# weighted and its gradient clipped.
TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "mean": ("lee2016", {"loss": {"alpha": 1.0}, "optimizer": NESTEROV}),
    "sum": (
        "lee2016",
        {
            "loss": {"alpha": 5.0, "reduction": "sum"},
            "optimizer": NESTEROV | {"learning_rate": 3e-7},
        },
    ),
    "colours alone": (
        "lee2016",
        {"loss": {"alpha": 0}, "optimizer": NESTEROV | {"weight_decay": 0.1}},
    ),
    "rebalanced": (
        "olah2022-cnn",
        {
            "loss": {"color": "cross_entropy", "alpha": 0, "rebalance": True},
            "optimizer": NESTEROV | {"learning_rate": 2e-4, "clip_norm": 0.5},
        },
    ),
}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "odd": ("lee2016", {"training": {"batch_size": 5}}),
    "overflowing": (
        "olah2022-regression",
        {"loss": {"alpha": 0}, "optimizer": {"name": "nesterov", "learning_rate": 1e37}},
    ),
}
NEVER = 10**6
TIMED: dict[str, tuple[str, dict[str, Any]]] = {
    "timed": (
        "olah2022-regression",
        {
            "loss": {"alpha": 0},
            "training": STEPS | {"steps": NEVER, "validate_every": NEVER, "minutes": 0.03},
        },
    )
}


@pytest.fixture(scope="module")
def both(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each training by two processes, in two-NAME, and those to compare by one, in one-NAME."""
    folder = tmp_path_factory.mktemp("both")
    for name, (family, sections) in (TRAININGS | REFUSED | TIMED).items():
        sections = {"training": STEPS} | sections
        write_narrow_config(folder, family, **sections).rename(folder / f"{name}.toml")
    done = subprocess.run(
        [*TORCHRUN, two_processes.__file__, str(shards), str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path(two_processes.__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "FutureWarning" not in done.stderr
    for name in TRAININGS:
        config = read_config(folder / f"{name}.toml")
        train(config, folder / f"one-{name}", data_root=shards)
    return folder


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_have_the_curve_and_the_weights_of_one(both: Path, name: str) -> None:
    one, two = steps_of(both / f"one-{name}"), steps_of(both / f"two-{name}")
    assert len(one) == 8
    # The same sums in another order: roundings of 6e-8 that 8 steps multiply, the more the larger
    # they are and the smaller a gradient the optimiser still makes a step of (hence Nesterov's).
    for alone, shared in zip(one, two, strict=True):
        assert shared == pytest.approx(alone, rel=1e-4)
    weights = load_checkpoint(both / f"one-{name}" / CHECKPOINT_FILE).model
    again = load_checkpoint(both / f"two-{name}" / CHECKPOINT_FILE).model
    torch.testing.assert_close(again, weights, rtol=1e-3, atol=1e-4)


def test_the_validations_are_those_of_one_process(both: Path) -> None:
    one, two = (
        [e["validation"]["ciede2000"] for e in log_of(both / f"{run}-mean") if "validation" in e]
        for run in ("one", "two")
    )
    assert len(one) == 2
    assert two == pytest.approx(one, rel=1e-3)


def test_only_the_first_process_writes(both: Path) -> None:
    assert len(list((both / "two-mean").glob("events.out.*"))) == 1
    assert {file.name for file in (both / "two-mean").iterdir() if "events" not in file.name} == {
        "log.jsonl",
        CHECKPOINT_FILE,
    }


def test_a_batch_that_does_not_divide_is_refused_by_all(both: Path) -> None:
    for rank in (0, 1):
        assert "training.batch_size is 5 for 2 processes" in (both / f"odd-{rank}.txt").read_text()


def test_a_loss_that_is_no_number_stops_all(both: Path) -> None:
    first, second = ((both / f"overflowing-{rank}.txt").read_text() for rank in (0, 1))
    assert "a finite loss was needed" in first or "finite weights were needed" in first
    assert second == first


def test_two_processes_whose_time_is_over_end_at_the_same_step(both: Path) -> None:
    """One that went on would wait for the other, and say that it has lost it."""
    assert not list(both.glob("timed-*.txt"))
    step = load_checkpoint(both / "two-timed" / CHECKPOINT_FILE).step
    assert 1 < step < NEVER
    assert steps_of(both / "two-timed")[-1]["step"] == step


def ends(config: Path, data: list[Path], run: Path, limit: int | None = None) -> list[str]:
    """What each of two processes says that are started by hand, and that both are refused.

    Args:
        config: of a training.
        data: of each process.
        run: of both.
        limit: KiB that no file of the first process may go beyond, as on a disk that is full.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    processes = []
    for rank in (0, 1):
        line = shlex.join(command(config, data[rank], run))
        if rank == 0 and limit is not None:
            line = f"ulimit -f {limit}; {line}"
        variables = place | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
        processes.append(
            subprocess.Popen(
                ["bash", "-c", line],
                env=os.environ | variables,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [1, 1], said
    assert not any("Traceback" in text for text in said), said
    return [text.strip().splitlines()[-1] for text in said]


def test_a_full_disk_of_the_first_process_ends_both(shards: Path, tmp_path: Path) -> None:
    training = STEPS | {"checkpoint_every": 2}
    config = write_narrow_config(
        tmp_path, "olah2022-regression", loss={"alpha": 0}, training=training
    )
    first, second = ends(config, [shards, shards], tmp_path / "run", limit=20)
    assert "could not be written" in first
    assert "process 1 of 2 has lost another one" in second


def test_processes_that_see_other_pictures_are_refused(
    both: Path, shards: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(shards, other)
    shutil.copy(shards / "val-000.tar.gz", other / "train-000.tar.gz")
    for said in ends(both / "mean.toml", [shards, other], tmp_path / "run"):
        assert "process 1 sees other training pictures than process 0" in said


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with (
        pytest.raises(TrainingError, match="2 processes came on a machine with 1 GPU; one"),
        joined(),
    ):
        pass


@pytest.mark.parametrize("kind", SHAPES)
def test_synchronised_batch_norm_is_that_of_the_whole_batch(both: Path, kind: str) -> None:
    x, gradient = batch(kind)
    x.requires_grad_()
    norm = torch.nn.Sequential(batch_norm(kind))
    y = norm(x)
    (y * gradient).sum().backward()
    halves: list[dict[str, Tensor]] = [
        torch.load(both / f"norm-{rank}.pt")[kind] for rank in (0, 1)
    ]

    def whole(name: str) -> Tensor:
        return torch.cat([half[name] for half in halves])

    def close(found: Tensor, true: Tensor | None) -> None:
        assert true is not None
        torch.testing.assert_close(found, true, rtol=1e-5, atol=1e-5)

    close(whole("y"), y.detach())
    close(whole("x.grad"), x.grad)
    for name, parameter in norm.named_parameters():
        for half in halves:  # gradients are averaged over the processes
            close(2 * half[f"{name}.grad"], parameter.grad)
    for name, value in norm.state_dict().items():
        for half in halves:
            close(half[name], value)
    close(whole("evaluated"), norm.eval()(x).detach())


def descendants(process: int) -> Iterator[int]:
    """A process and all that it started, and they."""
    yield process
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield from descendants(int(child))


def test_a_killed_training_of_two_processes_goes_on_as_if_never_killed(
    shards: Path, both: Path, tmp_path: Path
) -> None:
    config, run = both / "mean.toml", tmp_path / "run"
    # Without the -- torchrun takes --run for an abbreviation of an option of its own.
    launch = [*TORCHRUN, "-m", "--", "trtcolor_train", *arguments(config, shards, run)]
    # torchrun starts its processes without -P: the installed package, not the working directory's.
    safe = {**os.environ, "PYTHONSAFEPATH": "1"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(launch, stdout=quiet, stderr=quiet, env=safe)
    try:
        deadline = time.monotonic() + 300
        while not (run / CHECKPOINT_FILE).exists():
            assert time.monotonic() < deadline, "no checkpoint was written"
            assert process.poll() is None, "the training ended before it could be killed"
            time.sleep(0.005)
    finally:
        for number in list(descendants(process.pid)) if process.poll() is None else []:
            os.kill(number, signal.SIGKILL)
        process.wait()
    assert load_checkpoint(run / CHECKPOINT_FILE).step < 8
    subprocess.run([*launch, "--resume"], check=True, capture_output=True, env=safe)
    assert load_checkpoint(run / CHECKPOINT_FILE).step == 8
    for killed, unbroken in zip(steps_of(run), steps_of(both / "two-mean"), strict=True):
        assert killed == pytest.approx(unbroken, rel=1e-6)

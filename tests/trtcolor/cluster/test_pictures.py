"""`trtcolor colorize --ray` on a real cluster whose nodes, workers and driver are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from archives import Archive, make_archive, outcomes, records, tree
from command_line import command, refused
from interrupts import heed_interrupts
from noise import picture
from PIL import Image
from ray_cluster import Nodes, ray_cluster

PICTURES = 120
KILLER = "box 1/killer.png"


@dataclass
class Losses:
    """A run that lost a node in the middle, and a worker each time that a picture was opened.

    Attributes:
        folder: with ``in``, ``one`` (made by one process), ``many`` (by the cluster), and a report
            of each.
        archive: what is in ``in``.
        killed_at: outputs when the node was killed.
        done: the process of the run.
    """

    folder: Path
    archive: Archive
    killed_at: int
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with ray_cluster(1, 1, 1, folder=tmp_path_factory.mktemp("nodes")) as started:
        yield started


@pytest.fixture(scope="module")
def losses(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Losses:
    folder = tmp_path_factory.mktemp("pictures")
    archive = make_archive(folder / "in", PICTURES)
    Image.fromarray(picture(40, 60, seed=1)).save(folder / "in" / KILLER)
    subprocess.run(
        command("colorize", folder / "in", "-o", folder / "one", "--report", folder / "one.jsonl"),
        capture_output=True,
        check=False,
    )
    many, report = folder / "many", folder / "many.jsonl"
    process = _begin(nodes, folder / "in", many, "--report", report)
    _wait(process, lambda: len(tree(many)) > 0)
    killed_at = len(tree(many))
    nodes.kill(nodes.ids()[0])
    output, errors = process.communicate(timeout=120)
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    return Losses(folder, archive, killed_at, done)


def test_the_node_was_killed_in_the_middle(losses: Losses) -> None:
    assert 0 < losses.killed_at < len(losses.archive.whole)


def test_outputs_are_those_of_one_process(losses: Losses) -> None:
    one, many = tree(losses.folder / "one"), tree(losses.folder / "many")
    assert one.pop(KILLER)
    assert many == one
    assert set(many) >= {name for name in losses.archive.whole if name.endswith(".png")}


def test_the_report_is_that_of_one_process(losses: Losses) -> None:
    one, many = (_report(losses.folder / f"{name}.jsonl") for name in ("one", "many"))
    assert one.pop(KILLER)["outcome"] == "coloured"
    assert many.pop(KILLER)["outcome"] == "failed"
    assert many == one


def test_a_picture_that_kills_its_workers_fails_alone(losses: Losses) -> None:
    outcome, reason = outcomes(losses.folder / "many")[KILLER]
    assert outcome == "failed"
    assert "ended its process, 3 times" in reason
    failed = [line for line in losses.done.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == len(losses.archive.broken) + 1


def test_the_exit_status_and_the_summary_are_as_on_one_machine(losses: Losses) -> None:
    assert losses.done.returncode == 1
    failed = len(losses.archive.broken) + 1
    said = f"{losses.folder / 'many'}: {len(losses.archive.whole)} coloured, 0 skipped, {failed} "
    assert losses.done.stdout == f"{said}failed\n"
    assert "did not come back" in losses.done.stderr
    assert "Traceback" not in losses.done.stderr
    assert "raylet" not in losses.done.stderr


def test_nothing_half_made_is_left(losses: Losses) -> None:
    inner = losses.folder / "many" / ".trtcolor"
    assert {path.name for path in inner.iterdir()} == {"lock", "results.jsonl"}


def test_an_interrupted_run_leaves_nothing_half_made_and_is_gone_on_with(
    losses: Losses, nodes: Nodes, tmp_path: Path
) -> None:
    (losses.folder / "in" / KILLER).unlink(missing_ok=True)
    process = _begin(nodes, losses.folder / "in", tmp_path / "out")
    parts = tmp_path / "out" / ".trtcolor" / "parts"
    _wait(process, lambda: parts.exists() and any(parts.iterdir()))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert ("--skip-existing goes on" in errors) == bool(records(tmp_path / "out"))
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / ".trtcolor" / "parts").exists()
    there = len(tree(tmp_path / "out"))
    process = _begin(nodes, losses.folder / "in", tmp_path / "out", "--skip-existing")
    output, _ = process.communicate(timeout=120)
    assert f"{len(losses.archive.whole) - there} coloured, {there} skipped" in output
    one = tree(losses.folder / "one")
    one.pop(KILLER)
    assert tree(tmp_path / "out") == one


def test_a_run_without_a_machine_with_enough_cores_is_refused(
    losses: Losses, nodes: Nodes, tmp_path: Path
) -> None:
    reason = refused(
        *("colorize", losses.folder / "in", "-o", tmp_path / "out", "--threads", 8),
        *("--ray", nodes.address),
    )
    assert "no machine of the cluster" in reason
    assert "8 cores" in reason


def _begin(nodes: Nodes, *arguments: object) -> subprocess.Popen[str]:
    source, output, *others = arguments
    return subprocess.Popen(
        command("colorize", source, "-o", output, "--ray", nodes.address, *others),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"RAY_ADDRESS": ""},
        preexec_fn=heed_interrupts,
    )


def _wait(process: subprocess.Popen[str], done: Any) -> None:
    """Until something is so, or the process ends."""
    while process.poll() is None and not done():
        time.sleep(0.02)


def _report(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a report by output, without what differs between two runs: times, its folder."""
    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()[1:]]
    for line in lines:
        del line["seconds"]
        if line["made"] is not None:
            del line["made"]["mtime_ns"]
        line["reason"] = line["reason"].replace(f"/{path.stem}/", "/OUT/")
    assert len({line["output"] for line in lines}) == len(lines)
    return {line["output"]: line for line in lines}

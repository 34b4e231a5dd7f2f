"""`trtcolor colorize --ray` on a real cluster whose nodes, workers and driver are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from archives import Archive, make_archive, outcomes, tree
from command_line import command, refused
from interrupts import heed_interrupts
from noise import picture
from object_stores import KEY, SECRET, Bucket, S3Server
from PIL import Image
from ray_cluster import Nodes, ray_cluster

from trtcolor.bundle import open_bundle
from trtcolor.cluster import shipping
from trtcolor.cluster.connection import connected
from trtcolor.cluster.machines import check_machines
from trtcolor.cluster.shipping import ship

PICTURES = 120
KILLER, SLOW = "box 1/killer.png", "box 2/slow.png"


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
def nodes(tmp_path_factory: pytest.TempPathFactory, s3: S3Server) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("nodes")
    with ray_cluster(1, 1, folder=folder, environment=s3.environment) as started:
        yield started


@pytest.fixture(scope="module")
def losses(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Losses:
    folder = tmp_path_factory.mktemp("pictures")
    archive = make_archive(folder / "in", PICTURES)
    for name in (KILLER, SLOW):
        Image.fromarray(picture(40, 60, seed=1)).save(folder / "in" / name)
    archive.whole.add(SLOW)
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
    output, errors = process.communicate(timeout=300)
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
    losses: Losses, nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (losses.folder / "in" / KILLER).unlink(missing_ok=True)
    nodes.wait.touch()  # so that it does not end before it is interrupted
    process = _begin(nodes, losses.folder / "in", tmp_path / "out")
    _wait(process, lambda: len(tree(tmp_path / "out")) > 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    nodes.wait.unlink()
    assert process.returncode == 130
    assert "--skip-existing goes on" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / ".trtcolor" / "parts").exists()
    there = len(tree(tmp_path / "out"))
    assert 1 < there < len(losses.archive.whole)
    monkeypatch.chdir(tmp_path)  # which is not the workers' working folder
    process = _begin(nodes, losses.folder / "in", "out", "--skip-existing")
    output, _ = process.communicate(timeout=300)
    assert f"{len(losses.archive.whole) - there} coloured, {there} skipped" in output
    one = tree(losses.folder / "one")
    one.pop(KILLER)
    assert tree(tmp_path / "out") == one


def test_workers_read_and_write_stores_with_the_credentials_of_their_own_machines(
    losses: Losses, nodes: Nodes, bucket: Bucket, tmp_path: Path
) -> None:
    box = losses.folder / "in" / "box 3"
    bucket.fill({f"in/{path.name}": path.read_bytes() for path in box.iterdir()})
    process = _begin(nodes, f"{bucket.url}/in", f"{bucket.url}/out", "--report", tmp_path / "said")
    output, errors = process.communicate(timeout=300)
    one = losses.folder / "one" / "box 3"
    assert bucket.content("out") == {path.name: path.read_bytes() for path in one.iterdir()}
    assert bucket.inner("out") == ["results.jsonl"]
    for text in (output, errors, (tmp_path / "said").read_text()):
        assert KEY not in text
        assert SECRET not in text


def test_a_bundle_that_came_is_kept_as_long_as_it_is_used(
    nodes: Nodes, make_bundle: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    long_ago = time.time() - shipping.DAYS_UNUSED * 86_400 - 1
    with connected(nodes.address):
        first, used, last = (
            ship(open_bundle(make_bundle(name, seed=seed, models=tmp_path / "models")))
            for seed, name in enumerate(("first", "used", "../last"))
        )
        folders = [first.unpacked(), used.unpacked()]
        for folder in folders:
            os.utime(folder, (long_ago, long_ago))
        assert used.unpacked() == folders[1]
        assert last.unpacked().parent == folders[1].parent
    assert [folder.exists() for folder in folders] == [False, True]


def test_workers_import_nothing_from_the_folder_that_a_run_is_started_in(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trtcolor").mkdir()
    (tmp_path / "trtcolor" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    monkeypatch.chdir(tmp_path)
    with connected(nodes.address) as cluster:
        assert Path.cwd() == tmp_path
        check_machines(cluster, cluster.nodes())


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

"""Kills and broken networks while a run writes into a store: nothing half, nothing twice."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import Archive, make_archive
from broken_network import way_to
from command_line import command, run
from object_stores import KEY, SECRET, Bucket

from trtcolor.archive.record import Record


@pytest.fixture
def model(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("network", global_size=16, render_size=32)


@pytest.fixture
def archive(tmp_path: Path, bucket: Bucket) -> Archive:
    archive = make_archive(tmp_path / "in", 40)
    for path in (tmp_path / "in").rglob("*.*"):
        bucket.fill({f"in/{path.relative_to(tmp_path / 'in').as_posix()}": path.read_bytes()})
    return archive


def lines(bucket: Bucket) -> list[Record]:
    """All that the journal tells of pictures, wherever it is at the moment."""
    names = [name for name in bucket.inner("out") if name.endswith(".jsonl")]
    whole = b"".join(bucket.load(f"out/.trtcolor/{name}") for name in names)
    return [r for line in whole.splitlines(keepends=True) if (r := Record.from_line(line))]


def same(bucket: Bucket, folder: Path) -> bool:
    here = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".trtcolor" not in path.parts
    }
    return bucket.content("out") == here


def test_a_run_killed_again_and_again_finishes_the_rest(
    tmp_path: Path, archive: Archive, model: Path, bucket: Bucket
) -> None:
    run("colorize", tmp_path / "in", "-o", tmp_path / "whole", "--model", model)
    arguments = [f"{bucket.url}/in", "-o", f"{bucket.url}/out", "--model", model]
    arguments += ["--skip-existing", "--threads", 3]
    for outputs in (0, 5, 15):
        process = subprocess.Popen(
            command("colorize", *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len(bucket.content("out")) <= outputs:
            time.sleep(0.002)
        process.kill()
        process.wait()
        made = bucket.content("out")
        told = {record.output for record in lines(bucket) if record.made}
        assert set(made) <= told
        assert set(made) <= archive.whole
    done = run("colorize", *arguments)
    assert done.returncode == 1, done.stderr
    assert same(bucket, tmp_path / "whole")
    assert bucket.inner("out") == ["results.jsonl"]
    assert bucket.uploads() == []
    last = {record.output: record.outcome for record in lines(bucket)}
    assert {name for name, outcome in last.items() if outcome == "failed"} == archive.broken
    skipped = re.search(r"(\d+) skipped", done.stdout)
    assert skipped is not None
    assert int(skipped[1]) >= 15


def test_a_network_that_breaks_off_ends_the_run_and_costs_nothing_that_was_made(
    tmp_path: Path, archive: Archive, model: Path, bucket: Bucket
) -> None:
    run("colorize", tmp_path / "in", "-o", tmp_path / "whole", "--model", model)
    arguments = [tmp_path / "in", "-o", f"{bucket.url}/out", "--model", model, "--skip-existing"]
    report = tmp_path / "report.jsonl"
    with way_to(bucket.server.port, 400_000) as way:
        url = f"http://127.0.0.1:{way.port}"
        broken = run("colorize", *arguments, "--report", report, AWS_ENDPOINT_URL=url)
    assert way.broken.is_set()
    assert broken.returncode == 1
    said = broken.stdout + broken.stderr + report.read_text()
    assert "Traceback" not in said
    (error,) = [line for line in broken.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: {bucket.url}/out")
    assert "cannot be reached" in error
    assert "--skip-existing goes on" in said
    assert KEY not in said
    assert SECRET not in said
    made = set(bucket.content("out"))
    assert made <= {record.output for record in lines(bucket) if record.made}
    assert made < archive.whole
    assert run("colorize", *arguments).returncode == 1
    assert same(bucket, tmp_path / "whole")
    assert bucket.inner("out") == ["results.jsonl"]


def test_no_key_reaches_a_log_either(
    tmp_path: Path, archive: Archive, model: Path, bucket: Bucket
) -> None:
    name = sorted(archive.whole)[0]
    output = f"{bucket.url}/out.png"
    done = run(
        "colorize", f"{bucket.url}/in/{name}", "-o", output, "--model", model,
        TRTCOLOR_TRACEBACK="1",
    )  # fmt: skip
    again = run(
        "colorize", f"{bucket.url}/in/{name}", "-o", output, "--model", model,
        TRTCOLOR_TRACEBACK="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "OutputExistsError" in again.stderr
    for said in (done, again):
        assert SECRET not in said.stdout + said.stderr
        assert KEY not in said.stdout + said.stderr
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET

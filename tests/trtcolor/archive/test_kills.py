"""Nothing is lost and nothing is damaged: kills, Ctrl-C, full disks, two runs at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import Archive, make_archive, outcomes, tree
from command_line import command, run
from interrupts import heed_interrupts
from noise import picture
from PIL import Image
from small_disk import on_disk

from trtcolor.archive.journal import FILE


@pytest.fixture
def model(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("network", global_size=16, render_size=32)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return make_archive(tmp_path / "in", 60)


def begin(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("colorize", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def when_there_are(outputs: int, folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a run has made so many."""
    journal = folder / ".trtcolor" / FILE
    while process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") > outputs:
            return
        time.sleep(0.002)


def test_a_run_killed_again_and_again_finishes_the_rest(
    tmp_path: Path, archive: Archive, model: Path
) -> None:
    arguments = [tmp_path / "in", "--model", model]
    assert run("colorize", *arguments, "-o", tmp_path / "whole").returncode == 1
    output = tmp_path / "out"
    arguments += ["-o", output, "--skip-existing", "--threads", 3]
    for outputs in (0, 7, 20, 30):
        process = begin(*arguments)
        when_there_are(outputs + 1, output, process)
        process.kill()
        process.communicate()
        assert set(tree(output).items()) <= set(tree(tmp_path / "whole").items())
    done = run("colorize", *arguments)
    assert done.returncode == 1, done.stderr
    assert tree(output) == tree(tmp_path / "whole")
    assert set(tree(output)) == archive.whole
    failed = {name for name, (outcome, _) in outcomes(output).items() if outcome == "failed"}
    assert failed == archive.broken
    assert {path.name for path in (output / ".trtcolor").iterdir()} == {"lock", FILE}


def test_a_line_is_there_before_its_output_and_an_output_without_one_never(
    tmp_path: Path, model: Path, archive: Archive
) -> None:
    output = tmp_path / "out"
    process = begin(tmp_path / "in", "-o", output, "--model", model)
    when_there_are(1, output, process)
    process.kill()
    process.communicate()
    made = {name for name, (outcome, _) in outcomes(output).items() if outcome == "coloured"}
    assert set(tree(output)) <= made


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(
    tmp_path: Path, archive: Archive, model: Path
) -> None:
    output, report = tmp_path / "out", tmp_path / "report.jsonl"
    arguments = [tmp_path / "in", "-o", output, "--model", model, "--report", report]
    process = begin(*arguments)
    when_there_are(2, output, process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "--skip-existing goes on" in said
    assert said.splitlines()[-1] == "interrupted"
    assert len(report.read_bytes().splitlines()) == 1 + len(outcomes(output))
    assert not (output / ".trtcolor" / "parts").exists()
    assert run("colorize", *arguments, "--skip-existing").returncode == 1
    assert set(tree(output)) == archive.whole


def test_two_runs_at_once_are_one_too_many(tmp_path: Path, archive: Archive, model: Path) -> None:
    output = tmp_path / "out"
    arguments = [tmp_path / "in", "-o", output, "--model", model]
    first = begin(*arguments)
    when_there_are(1, output, first)
    first.send_signal(signal.SIGSTOP)
    second = run("colorize", *arguments, "--skip-existing")
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=60)
    assert second.returncode == 1
    assert f"error: process {first.pid} on " in second.stderr
    assert set(tree(output)) == archive.whole


def test_a_full_disk_ends_the_run_and_costs_nothing_that_was_made(
    tmp_path: Path, model: Path
) -> None:
    archive = make_archive(tmp_path / "in", 40)
    arguments = f"{str(tmp_path / 'in')!r}, '-o', output, '--model', {str(model)!r}"
    done = on_disk(
        tmp_path / "disk",
        "size=3m",
        f"""
from archives import records, tree
from command_line import run
output = folder / "out"
ballast = folder / "ballast"
output.mkdir()
ballast.write_bytes(bytes(3 * 2**20 - 4096 * 28))
done = run("colorize", {arguments})
assert done.returncode == 1, done
print([line for line in done.stderr.splitlines() if line.startswith(("error", "note: what"))])
some = tree(output)
assert 0 < len(some) < {len(archive.whole)}, some
assert not (output / ".trtcolor" / "parts").exists()
ballast.unlink()
done = run("colorize", {arguments}, "--skip-existing")
assert set(tree(output)) == {archive.whole!r}, done
assert some.items() <= tree(output).items()
print("whole")
""",
    )
    assert done.returncode == 0, done.stderr
    said, whole = done.stdout.splitlines()
    assert said.count("error: ") == 1
    assert "No space left" in said
    assert "make room" in said
    assert "--skip-existing goes on" in said
    assert whole == "whole"


def test_a_read_only_folder_is_refused_in_one_line(tmp_path: Path, model: Path) -> None:
    make_archive(tmp_path / "in", 3)
    done = on_disk(
        tmp_path / "disk",
        "size=1m",
        f"""
import subprocess
from command_line import refused
subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
print(refused("colorize", {str(tmp_path / "in")!r}, "-o", folder / "out", "--model",
              {str(model)!r}))
""",
    )
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stdout


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path, model: Path) -> None:
    program = (
        "import sys\nfrom trtcolor.cli import main\nfrom trtcolor.measure import peak_memory\n"
        "try: main(sys.argv[1:])\nexcept SystemExit as end: assert not end.code, end.code\n"
        "print(peak_memory())"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(picture(700, 900)).save(folder / "0.png", compress_level=1)
    peaks = []
    for count in (4, 40):
        for number in range(count):
            copy = folder / f"{number}.png"
            if not copy.exists():
                copy.symlink_to("0.png")
        done = subprocess.run(
            [
                sys.executable,
                "-P",
                "-c",
                program,
                "colorize",
                folder,
                "-o",
                tmp_path / str(count),
                "--model",
                model,
                "--threads",
                "2",
                "--format",
                "jpeg",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] < peaks[0] + 8e6  # held, 36 more of them would take 60 MB and more

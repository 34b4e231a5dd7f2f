"""`trtcolor video --ray` on a real cluster whose nodes, workers and driver are killed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from command_line import command, refused
from films import WITH_FFMPEG, make_film, pictures
from ray_cluster import Nodes, ray_cluster

from trtcolor.cluster.film import color_film_on
from trtcolor.cluster.film_crew import TRIES
from trtcolor.video.scan import Scan
from trtcolor.video.settings import FilmSettings
from trtcolor.video.spans import Span

pytestmark = WITH_FFMPEG
FRAGMENT = ["--fragment", "6", "--render", "32"]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with ray_cluster(1, 1, folder=tmp_path_factory.mktemp("nodes")) as started:
        yield started


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many short shots, so that most fragments are free, and long ones."""
    path = tmp_path_factory.mktemp("film") / "in.mp4"
    options = "-c:v libx264 -g 24 -bf 2 -pix_fmt yuv420p"
    return make_film(path, pictures(400, (96, 128), shots=30), *options.split())


@pytest.fixture(scope="module")
def whole(film: Path) -> str:
    """SHA-256 of the film as one process colours it."""
    output = film.with_name("whole.mp4")
    subprocess.run(command("video", film, output, *FRAGMENT), check=True, capture_output=True)
    return digest(output)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def begin(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("video", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_until(process: subprocess.Popen[str], fact: Callable[[], bool]) -> None:
    """Until it is so, while the process works."""
    end = time.monotonic() + 300
    while not fact():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.02)


def workers(title: str) -> set[int]:
    """Numbers of the workers whose titles, by what they are at, match a pattern."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True)
    processes = (line.strip().partition(" ") for line in listed.stdout.splitlines())
    return {int(number) for number, _, said in processes if re.fullmatch(title, said.strip())}


def making(nodes: Nodes) -> list[tuple[str, int]]:
    """The nodes whose workers make a fragment now, and these workers' numbers."""
    busy = workers(r"ray::FilmActor\.make.*")
    return [(node, pid) for node in nodes.ids() for pid in busy & set(nodes.processes(node))]


def fragments(output: Path) -> int:
    return len(list(output.with_name(f"{output.name}.parts").glob("[0-9]*.json")))


def test_a_film_is_the_same_though_a_worker_and_a_node_are_killed(
    nodes: Nodes, film: Path, whole: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    process = begin(film, output, *FRAGMENT, "--ray", nodes.address)
    wait_until(process, lambda: fragments(output) > 1 and bool(making(nodes)))
    _, worker = making(nodes)[0]
    os.kill(worker, signal.SIGKILL)
    before = fragments(output)
    wait_until(process, lambda: fragments(output) > before and len(making(nodes)) == 2)
    node, _ = making(nodes)[0]
    nodes.kill(node)
    killed_at = fragments(output)
    _, errors = process.communicate(timeout=300)
    nodes.add()
    assert process.returncode == 0, errors
    assert 2 < killed_at < 40
    assert errors.count("a worker was lost") >= 2
    assert digest(output) == whole
    assert list(tmp_path.iterdir()) == [output]


def waiting(nodes: Nodes) -> list[int]:
    """Numbers of the workers that have nothing in hand."""
    idle = workers("ray::FilmActor")
    return [pid for node in nodes.ids() for pid in idle & set(nodes.processes(node))]


def test_workers_that_are_lost_while_they_wait_for_the_scan_end_no_run(
    nodes: Nodes, film: Path, whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = Scan.spans
    killed: list[int] = []

    def stalled(scan: Scan) -> Generator[Span, None, None]:
        for span in spans(scan):
            if span.number == 8:
                end = time.monotonic() + 300
                while len(idle := waiting(nodes)) < TRIES and time.monotonic() < end:
                    time.sleep(0.1)
                killed.extend(idle)
                for pid in idle:
                    os.kill(pid, signal.SIGKILL)
                while set(waiting(nodes)) & set(idle):
                    time.sleep(0.1)
            yield span

    monkeypatch.setattr(Scan, "spans", stalled)
    third = nodes.add()
    output = tmp_path / "out.mp4"
    said: list[str] = []
    how = FilmSettings(fragment=6)
    try:
        color_film_on(nodes.address, film, output, how, options={"render": 32}, threads=1,
                      note=said.append)  # fmt: skip
    finally:
        nodes.kill(third)
    assert len(killed) == TRIES
    assert not any("a worker was lost" in sentence for sentence in said)
    assert digest(output) == whole


def test_a_machine_that_is_lost_with_all_its_workers_as_they_begin_ends_no_run(
    nodes: Nodes, film: Path, whole: str, tmp_path: Path
) -> None:
    source, output = tmp_path / "film slow.png", tmp_path / "out.mp4"
    shutil.copy(film, source)
    nodes.wait.touch()  # so that no worker gets on with opening the film
    large = nodes.add(TRIES)
    process = begin(source, output, *FRAGMENT, "--ray", nodes.address, "--threads", "1")
    opening = r"ray::FilmActor\.__init__.*"
    wait_until(process, lambda: len(workers(opening) & set(nodes.processes(large))) == TRIES)
    nodes.kill(large)
    nodes.wait.unlink()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert digest(output) == whole


def test_either_kind_of_run_goes_on_where_the_other_was_killed(
    nodes: Nodes, film: Path, whole: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    process = begin(film, output, *FRAGMENT, "--ray", nodes.address)
    wait_until(process, lambda: fragments(output) > 2)
    process.kill()
    process.communicate()
    assert not output.exists()
    process = begin(film, output, *FRAGMENT, "--resume")
    left = fragments(output)
    wait_until(process, lambda: fragments(output) > left + 2)
    process.kill()
    process.communicate()
    shutil.copytree(output.with_name("out.mp4.parts"), tmp_path / "other.mp4.parts")
    for name, how in (("out", []), ("other", ["--ray", nodes.address])):
        output = tmp_path / f"{name}.mp4"
        process = begin(film, output, *FRAGMENT, "--resume", *how)
        assert process.wait(timeout=300) == 0, process.communicate()[1]
        assert digest(output) == whole


def test_a_film_that_ends_every_worker_ends_the_run_with_a_sentence(
    nodes: Nodes, film: Path, tmp_path: Path
) -> None:
    source = tmp_path / "film killer.png"
    shutil.copy(film, source)
    said = refused("video", source, tmp_path / "out.mp4", "--ray", nodes.address)
    assert "workers ended while they opened the film or the model, 3 times in a row" in said
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("option", ["--benchmark", "--chroma", "--from-chroma"])
def test_what_is_not_spread_is_refused(option: str, film: Path, tmp_path: Path) -> None:
    arguments = [] if option == "--benchmark" else [tmp_path / "out.mp4", tmp_path / "a.chroma"]
    said = refused("video", film, *arguments[:1], option, *arguments[1:], "--ray", "auto")
    assert "--ray spreads nothing but colouring" in said
    assert not list(tmp_path.iterdir())

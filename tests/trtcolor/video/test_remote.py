"""Films in stores and on web servers: the same as films in files, and never half there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_network import way_to
from command_line import command, refused, run
from films import WITH_FFMPEG, hashes, make_film, pictures
from object_stores import KEY, SECRET, WEB_SECRET, Bucket, web_server

pytestmark = WITH_FFMPEG


@pytest.fixture
def model(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("network", global_size=16, render_size=32)


@pytest.fixture
def film(tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a folder and in a store; what is fetched goes into a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    film = make_film(tmp_path / "in.mkv", pictures(24), "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    bucket.fill({"in.mkv": film.read_bytes()})
    return film


def cached(tmp_path: Path) -> list[str]:
    films = tmp_path / "cache" / "trtcolor" / "films"
    return sorted(path.name for path in films.glob("*/*"))


@pytest.fixture
def coloured(film: Path, model: Path) -> list[str]:
    """Its frames as one process colours it here."""
    output = film.with_name("here.mkv")
    done = run("video", film, output, "--model", model, "--codec", "ffv1", "--fragment", 8)
    assert done.returncode == 0, done.stderr
    return hashes(output)


def stored(bucket: Bucket, folder: Path) -> list[str]:
    """Frames of what lies in the store."""
    (folder / "stored.mkv").write_bytes(bucket.load("out.mkv"))
    return hashes(folder / "stored.mkv")


def test_a_film_in_a_store_is_coloured_as_one_in_a_file(
    film: Path, model: Path, coloured: list[str], bucket: Bucket, tmp_path: Path
) -> None:
    arguments = ["--model", model, "--codec", "ffv1", "--fragment", 8]
    done = run("video", f"{bucket.url}/in.mkv", f"{bucket.url}/out.mkv", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"{bucket.url}/out.mkv: 24 frames" in done.stdout
    assert set(bucket.content()) == {"in.mkv", "out.mkv"}
    assert stored(bucket, tmp_path) == coloured
    assert cached(tmp_path) == []
    said = refused("video", f"{bucket.url}/in.mkv", f"{bucket.url}/out.mkv", *arguments)
    assert f"{bucket.url}/out.mkv is there already" in said
    done = run("video", f"{bucket.url}/in.mkv", tmp_path / "down.mkv", *arguments)
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "down.mkv") == coloured
    bucket.fill({"out.mkv": b"mine"})
    done = run("video", film, f"{bucket.url}/out.mkv", *arguments, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert stored(bucket, tmp_path) == coloured


def test_a_film_of_the_web_is_fetched_by_its_signed_address(
    film: Path, model: Path, coloured: list[str], tmp_path: Path
) -> None:
    (tmp_path / "web" / "secret").mkdir(parents=True)
    film.rename(tmp_path / "web" / "secret" / "in.mkv")
    with web_server(tmp_path / "web") as web:
        page = f"{web}/secret/in.mkv?signature={WEB_SECRET}"
        arguments = ["--model", model, "--codec", "ffv1", "--fragment", 8]
        done = run("video", page, tmp_path / "out.mkv", *arguments)
        refusal = refused("video", f"{web}/secret/in.mkv?signature=1{WEB_SECRET}",
                          tmp_path / "no.mkv", *arguments)  # fmt: skip
        said = done.stdout + done.stderr + refusal
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "out.mkv") == coloured
    assert "refused to us" in refusal
    assert WEB_SECRET not in said
    assert "can be read only" in refused("video", tmp_path / "out.mkv", f"{web}/out.mkv")


def test_a_killed_film_goes_on_and_one_whose_upload_failed_is_only_uploaded(
    film: Path, model: Path, coloured: list[str], bucket: Bucket, tmp_path: Path
) -> None:
    arguments = ["video", f"{bucket.url}/in.mkv", f"{bucket.url}/out.mkv", "--model", model]
    arguments += ["--codec", "ffv1", "--fragment", 8]
    process = subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL)
    films = tmp_path / "cache" / "trtcolor" / "films"
    while process.poll() is None and not list(films.glob("*/output.mkv.parts/000000.json")):
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert "out.mkv" not in bucket.content()
    assert "--resume" in refused(*arguments)
    with way_to(bucket.server.port, 30_000) as way:
        url = f"http://127.0.0.1:{way.port}"
        broken = run(*arguments, "--resume", AWS_ENDPOINT_URL=url)
    assert broken.returncode == 1
    assert f"error: {bucket.url}/out.mkv cannot be reached" in broken.stderr
    assert "--resume goes on" in broken.stderr
    assert KEY not in broken.stderr
    assert SECRET not in broken.stderr
    assert "out.mkv" not in bucket.content()
    assert "finished.json" in cached(tmp_path)
    assert "coloured otherwise" in refused(*arguments, "--resume", "--saturation", 2)
    done = run(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert "24 frames" in done.stdout
    assert stored(bucket, tmp_path) == coloured
    assert cached(tmp_path) == []


def test_what_is_no_film_is_named_by_its_address_and_leaves_nothing(
    film: Path, model: Path, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.fill({"no.mkv": b"this is no film"})
    said = refused("video", f"{bucket.url}/no.mkv", f"{bucket.url}/out.mkv", "--model", model)
    assert f"{bucket.url}/no.mkv" in said
    assert str(tmp_path) not in said
    said = refused("video", f"{bucket.url}/gone.mkv", tmp_path / "out.mkv", "--model", model)
    assert f"{bucket.url}/gone.mkv is not there" in said
    assert cached(tmp_path) == []

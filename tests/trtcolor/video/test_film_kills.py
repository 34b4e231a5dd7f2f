"""Work is never lost: kills, a full disk, Ctrl-C, and what may not be gone on with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from coloured_films import color, colorizer
from command_line import refused, run
from films import WITH_FFMPEG, hashes, luma_hashes, make_film, pictures, times
from interrupts import heed_interrupts
from killed import killed, unbroken
from small_disk import on_disk

from trtcolor.colorizer import Colorizer
from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.progress import Progress
from trtcolor.video.film import color_film
from trtcolor.video.settings import FilmSettings

pytestmark = WITH_FFMPEG
__all__ = ["colorizer"]


@pytest.fixture
def model(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("network", global_size=16, render_size=32)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    options = "-c:v libx264 -bf 2 -pix_fmt yuv420p -c:a flac"
    inputs = ["-f", "lavfi", "-i", "sine=440:d=8"]
    return make_film(tmp_path / "in.mkv", pictures(200, shots=3), *options.split(), inputs=inputs)


@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
def test_a_film_killed_at_random_moments_is_the_unbroken_one(
    codec: str, film: Path, model: Path
) -> None:
    whole, output = film.with_name("whole.mkv"), film.with_name("out.mkv")
    arguments = [film, "--model", model, "--codec", codec, "--fragment", 16]
    seconds = unbroken(*arguments, "--chroma", film.with_name("whole.chroma"), output=whole)
    arguments += ["--chroma", film.with_name("out.chroma")]
    killed(*arguments, output=output, kills=3, seconds=seconds, seed=codec == "ffv1")
    assert hashes(output) == hashes(whole)
    assert times(output) == times(whole) == times(film)
    sidecars = [film.with_name(f"{name}.chroma").read_bytes() for name in ("out", "whole")]
    assert sidecars[0] == sidecars[1]
    assert not film.with_name("out.mkv.parts").exists()


def test_nothing_lies_under_the_outputs_name_until_it_is_whole(
    film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    seen = []

    def look(progress: Progress) -> None:
        seen.append(output.exists())

    color_film(colorizer, film, output, FilmSettings(fragment=64), tell=look)
    assert len(seen) == 200
    assert not any(seen)
    assert output.exists()


def test_a_full_disk_costs_no_finished_fragment(film: Path, model: Path, tmp_path: Path) -> None:
    arguments = f"{str(film)!r}, '--model', {str(model)!r}, '--codec', 'ffv1', '--fragment', 8"
    done = on_disk(
        tmp_path / "disk",
        "size=3m",
        f"""
from command_line import refused, run
from films import luma_hashes
ballast = folder / "ballast"
ballast.write_bytes(bytes(2_700_000))
output = folder / "out.mkv"
print(refused("video", {arguments}, output))
parts = folder / "out.mkv.parts"
finished = sorted(parts.glob("*.json"))
assert len(finished) > 2, finished
assert not output.exists()
stamps = [path.stat().st_mtime_ns for path in parts.glob("*.packets")]
ballast.unlink()
again = run("video", {arguments}, output, "--resume")
assert again.returncode == 0, again.stderr
assert luma_hashes(output) == luma_hashes({str(film)!r})
print("whole")
""",
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "No space left" in said[0]
    assert said[-1] == "whole"


INTERRUPTED = """
import os, signal, sys
from trtcolor.cli import main
from trtcolor.cli.bar import Bar

show = Bar.show

def interrupt(bar, progress):
    show(bar, progress)
    if progress.done == 100:
        os.kill(os.getpid(), signal.SIGINT)

Bar.show = interrupt
sys.exit(main())
"""
"""``trtcolor`` that gets Ctrl-C at its 100th frame: from outside, a run may be through before."""


def test_ctrl_c_says_how_to_go_on(film: Path, model: Path) -> None:
    arguments = ["video", film, film.with_name("out.mkv"), "--model", model, "--fragment", 4]
    done = subprocess.run(
        [sys.executable, "-P", "-c", INTERRUPTED, *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=heed_interrupts,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert "--resume" in done.stderr
    assert film.with_name("out.mkv.parts").joinpath("000000.json").exists()
    assert run(*arguments, "--resume").returncode == 0


class _Enough(Exception):
    pass


def broken_off(colorizer: Colorizer, film: Path, output: Path, **settings: object) -> Path:
    """The folder of a run that ended behind its third fragment."""
    parts = output.with_name(f"{output.name}.parts")

    def stop(progress: Progress) -> None:
        if (parts / "000002.json").exists():
            raise _Enough

    with pytest.raises(_Enough):
        color_film(
            colorizer,
            film,
            output,
            FilmSettings(fragment=4, **settings),
            tell=stop,  # type: ignore[arg-type]
        )
    return parts


def test_unfinished_work_is_neither_thrown_away_nor_mixed_with_other_work(
    film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    broken_off(colorizer, film, output)
    with pytest.raises(OutputExistsError, match="--resume"):
        color_film(colorizer, film, output, FilmSettings(fragment=4))
    with pytest.raises(VideoError, match="saturation"):
        color_film(colorizer, film, output, FilmSettings(fragment=4, saturation=2.0), resume=True)
    other = film.with_name("other.mkv")
    shutil.copy(film, other)
    with other.open("r+b") as stream:
        stream.seek(-100, 2)
        stream.write(b"x")
    with pytest.raises(VideoError, match="source"):
        color_film(colorizer, other, output, FilmSettings(fragment=4), resume=True)
    report = color_film(colorizer, film, output, FilmSettings(fragment=4), resume=True)
    assert report.frames == 200


@pytest.mark.parametrize("damage", ["packets", "npz", "json"])
def test_a_damaged_fragment_is_made_again_and_no_other(
    damage: str, film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    parts = broken_off(colorizer, film, output, codec="ffv1")
    begins = [json.loads((parts / f"00000{number}.json").read_text()) for number in range(3)]
    kept = parts / "000002.packets"
    made = kept.stat().st_mtime_ns
    path = parts / f"000001.{damage}"
    path.write_bytes(path.read_bytes()[:-3])
    begun, times_made = set(), set()

    def look(progress: Progress) -> None:
        begun.add(progress.begun)
        times_made.add(kept.stat().st_mtime_ns)

    color_film(
        colorizer, film, output, FilmSettings(fragment=4, codec="ffv1"), resume=True, tell=look
    )
    assert begun == {begins[0]["frames"]} == {begins[1]["first"]}
    assert times_made == {made}
    whole = color(colorizer, film, film.with_name("whole.mkv"), fragment=4)
    assert hashes(output) == hashes(whole)
    assert luma_hashes(output) == luma_hashes(film)


def test_going_on_never_leaves_finished_work_without_its_manifest(
    film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    manifest = broken_off(colorizer, film, output) / "manifest.json"
    written, later = manifest.stat(), set()

    def look(progress: Progress) -> None:
        later.add((manifest.stat().st_ino, manifest.stat().st_mtime_ns))

    color_film(colorizer, film, output, FilmSettings(fragment=4), resume=True, tell=look)
    assert later == {(written.st_ino, written.st_mtime_ns)}


def test_work_of_another_rule_of_fragments_is_not_gone_on_with(
    film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    manifest = broken_off(colorizer, film, output) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 1}))
    with pytest.raises(VideoError, match=r"begun otherwise \(format 1, now 2\)"):
        color_film(colorizer, film, output, FilmSettings(fragment=4), resume=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_no_unfinished_film_is_left_alone(
    overwrite: bool, film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    mine = film.with_name("out.mkv.parts") / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(VideoError, match="holds something else than an unfinished film"):
        color_film(colorizer, film, output, resume=not overwrite, overwrite=overwrite)
    assert mine.read_text() == "years of work"
    assert not output.exists()


@pytest.mark.parametrize("manifest", ["{", "[]", ""])
def test_a_damaged_manifest_is_said_to_be(manifest: str, film: Path, colorizer: Colorizer) -> None:
    folder = film.with_name("out.mkv.parts")
    folder.mkdir()
    for name, content in (("lock", ""), ("manifest.json", manifest), ("000000.json", "{}")):
        (folder / name).write_text(content)
    with pytest.raises(VideoError, match=r"manifest\.json is damaged"):
        color_film(colorizer, film, film.with_name("out.mkv"), resume=True)


def test_a_sidecar_cannot_be_begun_in_the_middle(film: Path, model: Path) -> None:
    output, sidecar = film.with_name("out.mkv"), film.with_name("out.chroma")
    film.write_bytes(film.read_bytes()[:-20_000])  # ends broken: the run stops
    arguments = ["video", film, output, "--model", model, "--fragment", 8]
    assert refused(*arguments)
    said = refused(*arguments, "--resume", "--chroma", sidecar)
    assert "the sidecar that was begun with it was needed; leave --chroma out" in said
    assert not sidecar.exists()


def test_a_second_process_is_kept_out(film: Path, model: Path, colorizer: Colorizer) -> None:
    output = film.with_name("out.mkv")
    said = []

    def intrude(progress: Progress) -> None:
        if progress.done == 5:
            said.append(refused("video", film, output, "--model", model, "--resume"))

    color_film(colorizer, film, output, FilmSettings(fragment=64), tell=intrude)
    assert "another process" in said[0]


def test_a_run_killed_between_the_last_two_steps_is_through(
    film: Path, colorizer: Colorizer
) -> None:
    output = film.with_name("out.mkv")
    settings = FilmSettings(fragment=64)
    parts = output.with_name("out.mkv.parts")
    from trtcolor.video.work import Work

    remove = Work.remove
    try:
        Work.remove = lambda self: (_ for _ in ()).throw(_Enough)  # type: ignore[method-assign]
        with pytest.raises(_Enough):
            color_film(colorizer, film, output, settings)
    finally:
        Work.remove = remove  # type: ignore[method-assign]
    made = output.stat().st_mtime_ns
    assert json.loads((parts / "placed.json").read_text())
    assert color_film(colorizer, film, output, settings, resume=True).frames == 200
    assert output.stat().st_mtime_ns == made
    assert not parts.exists()


def test_an_output_that_exists_stays_unless_told(film: Path, colorizer: Colorizer) -> None:
    output = film.with_name("out.mkv")
    output.write_bytes(b"dear")
    with pytest.raises(OutputExistsError):
        color_film(colorizer, film, output)
    assert output.read_bytes() == b"dear"
    with pytest.raises(VideoError, match="source itself"):
        color_film(colorizer, film, film, overwrite=True)
    assert color(colorizer, film, output).stat().st_size > 1000

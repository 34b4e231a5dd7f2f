"""`trtcolor video`, as a user meets it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import command, refused, run
from films import WITH_FFMPEG, damage_middle, hashes, luma_hashes, make_film, pictures, probe, times
from PIL import Image

from trtcolor.cli import main
from trtcolor.errors import UnknownModelError

pytestmark = WITH_FFMPEG


@pytest.fixture
def model(make_bundle: Callable[..., Path]) -> Path:
    return make_bundle("network", global_size=16, render_size=32)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(
        tmp_path / "in.mkv", pictures(10), *["-c:v", "libx264", "-crf", "4", "-pix_fmt", "yuv420p"]
    )


def test_a_film_is_coloured_with_the_default_model_and_encoder(film: Path) -> None:
    output = film.with_name("out.mp4")
    done = run("video", film, output, "--render", 64)
    assert done.returncode == 0, done.stderr
    assert "10 frames, 64x48, yuv420p, libx264" in done.stdout
    assert probe(output, "streams")["streams"][0]["codec_name"] == "h264"
    assert len(times(output)) == 10


def test_a_sidecar_colours_the_film_again_without_a_network(film: Path, model: Path) -> None:
    sidecar, once, again = (film.with_name(name) for name in ("c.chroma", "1.mkv", "2.mkv"))
    arguments = ["--codec", "ffv1", "--saturation", 1.5]
    done = run("video", film, once, "--model", model, "--chroma", sidecar, *arguments)
    assert done.returncode == 0, done.stderr
    done = run("video", film, again, "--from-chroma", sidecar, "--codec", "ffv1")
    assert done.returncode == 0, done.stderr
    assert luma_hashes(again) == luma_hashes(film)
    assert hashes(again) == hashes(once)
    larger = make_film(film.with_name("larger.mkv"), pictures(10, (96, 128)), "-c:v", "ffv1",
                       "-pix_fmt", "yuv420p")  # fmt: skip
    done = run(
        "video", larger, film.with_name("3.mkv"), "--from-chroma", sidecar, "--codec", "ffv1"
    )
    assert done.returncode == 0, done.stderr
    assert luma_hashes(film.with_name("3.mkv")) == luma_hashes(larger)
    shorter = make_film(film.with_name("shorter.mkv"), pictures(7), "-c:v", "ffv1")
    done = run("video", shorter, film.with_name("5.mkv"), "--from-chroma", sidecar)
    assert "note: the chroma sidecar has 3 frames more than the film" in done.stderr
    longer = make_film(film.with_name("longer.mkv"), pictures(11), "-c:v", "ffv1")
    assert "10 whole frames" in refused("video", longer, film.with_name("4.mkv"),
                                        "--from-chroma", sidecar)  # fmt: skip


def test_a_sidecar_needs_no_model(film: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar, once, again = (film.with_name(name) for name in ("c.chroma", "1.mkv", "2.mkv"))
    run("video", film, once, "--model", model, "--chroma", sidecar, "--codec", "ffv1")

    def missing(name: object) -> Path:
        raise UnknownModelError(f"no model {name!r}")

    monkeypatch.setattr("trtcolor.bundle.find_bundle", missing)
    asked = ["video", film, again, "--from-chroma", sidecar, "--codec", "ffv1"]
    done = CliRunner().invoke(main, [*map(str, asked)])
    assert done.exit_code == 0, done.output
    assert hashes(again) == hashes(once)


def test_saturation_steadiness_and_style_change_what_comes_out(film: Path, model: Path) -> None:
    def u(*options: object) -> list[str]:
        output = film.with_name("out.mkv")
        done = run("video", film, output, "--model", model, "--codec", "ffv1", "--overwrite",
                   *options)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return hashes(output, "extractplanes=u")

    plain = u()
    assert len(set(u("--saturation", 0))) == 1
    assert plain[3] != u("--steady", 0)[3]
    picture = film.with_name("style.png")
    Image.fromarray(pictures(3)[2] // 4).save(picture)
    styled = u("--style", picture)
    assert styled != plain
    assert len(set(styled)) == 10


@pytest.mark.parametrize("name", ["in.mkv", "out.mkv"])
def test_a_sidecar_under_the_name_of_a_film_is_refused(name: str, film: Path, model: Path) -> None:
    before = film.read_bytes()
    said = refused("video", film, film.with_name("out.mkv"), "--model", model, "--chroma",
                   film.with_name(name), "--overwrite")  # fmt: skip
    assert "another name was needed" in said
    assert film.read_bytes() == before
    assert not film.with_name("out.mkv").exists()


def test_a_film_is_not_written_over_the_sidecar_that_colours_it(film: Path, model: Path) -> None:
    sidecar = film.with_name("chroma.mkv")
    assert run("video", film, film.with_name("out.mkv"), "--model", model,
               "--chroma", sidecar).returncode == 0  # fmt: skip
    before = sidecar.read_bytes()
    said = refused("video", film, sidecar, "--from-chroma", sidecar, "--overwrite")
    assert "is the chroma file itself" in said
    assert sidecar.read_bytes() == before


def test_a_benchmark_prints_every_stage_and_writes_nothing(film: Path, model: Path) -> None:
    before = set(film.parent.iterdir())
    done = run("video", film, "--benchmark", "--model", model)
    assert done.returncode == 0, done.stderr
    for stage in ("decode", "prepare", "network", "steady", "merge", "wall"):
        assert stage in done.stdout
    assert set(film.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--codec", "nothing"], "no encoder"),
        (["--codec", "prores_ks"], "yuv420p"),
        (["--codec", "aac"], "aac is of audio"),
        (["--codec", "ffv1", "--quality", 3], "lossless"),
        (["--encoder-option", "bogus=1"], "knows no option bogus"),
        (["--encoder-option", "bogus"], "KEY=VALUE"),
        (["--hardware", "nothing"], "hardware decoding"),
        (["--codec", "h264_nvenc"], "h264_nvenc does not work here"),
        (["--benchmark"], "writes nothing"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_any_work(
    options: list[object], reason: str, film: Path, model: Path
) -> None:
    before = set(film.parent.iterdir())
    assert reason in refused("video", film, film.with_name("out.mkv"), "--model", model, *options)
    assert set(film.parent.iterdir()) == before


def test_a_device_that_cannot_decode_the_film_is_refused(tmp_path: Path, model: Path) -> None:
    from av.codec.hwaccel import hwdevices_available

    if "cuda" not in hwdevices_available():
        pytest.skip("this PyAV was built without CUDA")
    film = make_film(tmp_path / "in.mkv", pictures(1), "-c:v", "ffv1")  # no GPU decodes it by CUDA
    said = refused("video", film, tmp_path / "out.mkv", "--model", model, "--hardware", "cuda")
    assert "hardware decoding by 'cuda' does not work here" in said


def test_an_odd_size_finds_its_encoder_without_a_word_of_those_that_refuse_it(
    tmp_path: Path, model: Path
) -> None:
    film = make_film(tmp_path / "in.mkv", pictures(1, (47, 63)), "-c:v", "ffv1",
                     "-pix_fmt", "yuv420p")  # fmt: skip
    done = run("video", film, tmp_path / "out.mkv", "--model", model)
    assert done.stderr == ""
    assert "1 frame, 63x47" in done.stdout


@pytest.mark.parametrize("name", [".", "folder.mkv"])
def test_a_folder_as_output_is_refused_before_any_work(name: str, film: Path, model: Path) -> None:
    folder = film.parent / name
    folder.mkdir(exist_ok=True)
    before = set(film.parent.iterdir())
    said = refused("video", film, folder, "--model", model, "--overwrite")
    assert said.endswith("is a folder; a file's name was needed; add one")
    assert set(film.parent.iterdir()) == before


def test_a_disk_that_fills_up_is_one_sentence_and_what_is_finished_stays(
    film: Path, model: Path
) -> None:
    output = film.with_name("out.mkv")
    arguments = ["video", film, output, "--model", model, "--codec", "ffv1", "--fragment", 1]
    whole = "ulimit -f 16; exec " + " ".join(command(*arguments))
    done = subprocess.run(
        ["bash", "-c", whole], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "free space was needed" in done.stderr
    assert "[Errno" not in done.stderr
    assert "--resume goes on" in done.stderr
    assert run(*arguments, "--resume").returncode == 0
    assert luma_hashes(output) == luma_hashes(film)


def test_other_settings_than_those_begun_with_are_named_one_by_one(
    tmp_path: Path, model: Path
) -> None:
    options = "-c:v libx264 -g 1 -crf 1 -pix_fmt yuv420p"
    film = make_film(tmp_path / "in.mkv", pictures(12, (120, 160)), *options.split())
    damage_middle(film)  # where the run stops
    subject = ["video", film, tmp_path / "out.mkv", "--model", model, "--fragment", 1]
    assert refused(*subject, "--steady", 0.75)
    said = refused(*subject, "--resume", "--steady", 0.25)
    assert "was begun otherwise (settings steady 0.75, now 0.25);" in said


def test_a_sidecar_that_is_not_there_is_named_before_any_work(film: Path) -> None:
    output, missing = film.with_name("out.mkv"), film.with_name("missing.chroma")
    assert "missing.chroma" in refused("video", film, output, "--from-chroma", missing)
    assert list(film.parent.iterdir()) == [film]


@pytest.mark.parametrize(
    "options",
    [["--model", "default"], ["--render", "64", "--backend", "openvino"], ["--chroma", "c.chroma"]],
)
def test_what_is_of_a_network_is_refused_where_none_runs(options: list[str], film: Path) -> None:
    said = run("video", film, film.with_name("out.mkv"), "--from-chroma", film, *options)
    assert said.returncode == 2
    assert "--from-chroma runs no network: leave out" in said.stderr
    named = said.stderr.partition("leave out")[2]
    assert all(option in named for option in options if option.startswith("--"))


def test_an_ending_that_is_no_container_is_refused(film: Path, model: Path) -> None:
    assert ".mkv" in refused("video", film, film.with_name("out.film"), "--model", model)
    assert "OUT" in refused("video", film, "--model", model)

"""The command line as a user meets it: real processes, exit codes, one line of error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from clips import scene, write_clip
from colour_folders import fill
from colourisers import SPECS, network, write_toml
from PIL import Image

from trtcolor.cli import main
from trtcolor.cli.results import check_results

MakeBundle = Callable[..., Path]
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (40, 60), dtype=np.uint8)


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "trtcolor.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
        check=False,
    )


def refused(*arguments: object, **environment: str) -> str:
    """Run what must be refused; the one line that says why."""
    done = run(*arguments, **environment)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.lower().startswith("error")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    return make_bundle("scenes", global_size=32, classes=("sea", "town", "wood"))


def test_colorize_writes_a_colour_picture(photo: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    done = run("colorize", photo, "-o", output, "--model", bundle)
    assert done.returncode == 0, done.stderr
    coloured = np.asarray(Image.open(output))
    assert coloured.shape == (40, 60, 3)
    assert np.ptp(coloured.astype(int), axis=2).max() > 0


def test_saturation_0_gives_the_grey_picture_back(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    run("colorize", photo, "-o", output, "--model", bundle, "--saturation", 0)
    assert (np.asarray(Image.open(output)) == PIXELS[..., None]).all()


def test_style_changes_the_colours(photo: Path, bundle: Path, tmp_path: Path) -> None:
    style = tmp_path / "style.png"
    Image.fromarray(np.full((50, 50), 250, np.uint8)).save(style)
    for name, options in (("plain", ()), ("styled", ("--style", style))):
        done = run("colorize", photo, "-o", tmp_path / f"{name}.png", "--model", bundle, *options)
        assert done.returncode == 0, done.stderr
    plain, styled = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("plain", "styled"))
    assert (plain != styled).any()


def test_render_is_a_number_full_or_auto(photo: Path, bundle: Path, tmp_path: Path) -> None:
    for render in ("16", "full", "auto"):
        output = tmp_path / f"{render}.png"
        done = run("colorize", photo, "-o", output, "--model", bundle, "--render", render)
        assert done.returncode == 0, done.stderr
    assert "positive number" in refused(
        "colorize", photo, "-o", tmp_path / "x.png", "--model", bundle, "--render", "small"
    )


def test_classify_names_the_scenes(photo: Path, bundle: Path) -> None:
    done = run("classify", photo, "--model", bundle, "--top", 2)
    lines = done.stdout.split()
    assert done.returncode == 0
    assert len(lines) == 4
    assert {lines[1], lines[3]} <= {"sea", "town", "wood"}


def test_the_demo_keeps_an_existing_sheet_unless_told(bundle: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"precious")
    assert "is there already" in refused("demo", "-o", sheet, "--model", bundle)
    assert sheet.read_bytes() == b"precious"


def test_models_lists_what_is_installed(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle("mine", models=tmp_path / "models")
    done = run("models", TRTCOLOR_MODELS=str(tmp_path / "models"))
    lines = done.stdout.splitlines()
    assert "mine  tiny, 0.0 MB, float32 (installed)" in lines
    assert lines[lines.index("mine  tiny, 0.0 MB, float32 (installed)") + 1] == (
        "    licence: Apache-2.0"
    )
    assert run("models", "list", TRTCOLOR_MODELS=str(tmp_path / "models")).stdout == done.stdout


def test_models_are_listed_with_all_that_is_known_as_json(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    make_bundle("mine", models=tmp_path / "models", metrics={"ciede2000": 9.5})
    done = run("models", "list", "--json", TRTCOLOR_MODELS=str(tmp_path / "models"))
    assert run("models", "--json", TRTCOLOR_MODELS=str(tmp_path / "models")).stdout == done.stdout
    assert "behind list" in refused("models", "--json", "remove", "mine")
    mine, bundled = json.loads(done.stdout)
    assert mine["name"] == "mine"
    assert mine["model"]["metrics"] == {"ciede2000": 9.5}
    assert bundled["default"]
    assert bundled["bundled"]


def test_a_model_is_added_used_and_removed(photo: Path, bundle: Path, tmp_path: Path) -> None:
    models = {"TRTCOLOR_MODELS": str(tmp_path / "models")}
    archive = shutil.make_archive(str(tmp_path / "scenes"), "gztar", bundle)
    done = run("models", "add", archive, "--name", "mine", **models)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"mine: installed in {tmp_path / 'models'}\n"
    assert "is there already" in refused("models", "add", archive, "--name", "mine", **models)
    done = run("colorize", photo, "-o", tmp_path / "out.png", "--model", "mine", **models)
    assert done.returncode == 0, done.stderr
    assert run("models", "remove", "mine", **models).stdout == "mine: removed\n"
    assert "no model 'mine'" in refused("models", "remove", "mine", **models)


def test_an_adopted_network_colours_by_its_name(photo: Path, tmp_path: Path) -> None:
    models = {"TRTCOLOR_MODELS": str(tmp_path / "models")}
    file, spec = tmp_path / "net.onnx", write_toml(tmp_path / "spec.toml", SPECS["siggraph17"])
    file.write_bytes(network("siggraph17").SerializeToString())
    done = run("models", "adopt", file, "--spec", spec, "--name", "mine", **models)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"{tmp_path / 'models' / 'mine'}: chroma at 1/1 of the resolution"
    )
    assert "mine  adopted, " in run("models", **models).stdout
    done = run("colorize", photo, "-o", tmp_path / "out.png", "--model", "mine", **models)
    assert done.returncode == 0, done.stderr
    coloured = np.asarray(Image.open(tmp_path / "out.png")).astype(int)
    assert np.ptp(coloured, axis=2).max() > 0
    assert "is there already" in refused(
        "models", "adopt", file, "--spec", spec, "--name", "mine", **models
    )


def test_a_checkpoint_in_the_place_of_a_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "siggraph17.pth"
    file.write_bytes(b"\x80\x02}q\x00.")
    said = refused("models", "adopt", file, "--spec", "siggraph17")
    assert "is no ONNX file" in said
    assert "torch.onnx.export" in said


def test_adopting_without_onnx_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = CliRunner().invoke(main, ["models", "adopt", "net.onnx", "--spec", "eccv16"])
    assert done.exit_code == 1
    assert 'pip install "trtcolor[cpu,export]"' in done.output


def test_a_disk_that_fills_up_leaves_no_model(tmp_path: Path, make_bundle: MakeBundle) -> None:
    source = make_bundle("mine")
    (source / "README.md").write_bytes(bytes(1 << 20))
    script = f"ulimit -f 100; exec {sys.executable} -P -m trtcolor.cli models add {source}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"TRTCOLOR_MODELS": str(tmp_path / "models")},
        check=False,
    )
    assert done.returncode == 1
    assert "was not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list((tmp_path / "models").iterdir())


def test_bench_times_each_size_and_compares_two_files(bundle: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    common = ("bench", "--model", bundle, "--threads", 1, "--warmup", 0)
    common += ("--backend", "onnxruntime", "--precision", "fp32")
    sizes = ("--sizes", "32,48x40", "--runs", 2)
    done = run(*common, *sizes, "--json", first)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("timing 2 sizes x")
    assert "32x32† onnxruntime fp32" in done.stdout
    assert "48x40 onnxruntime fp32" in done.stdout
    # A planted slow-down, on times that do not depend on who else uses the machine.
    entries = json.loads(first.read_text())
    for path, seconds in ((first, 0.1), (second, 0.3)):
        for row in entries["rows"]:
            for step in row["steps"]:
                step["seconds"] = [seconds] * 2
        path.write_text(json.dumps(entries))
    assert run("bench", "compare", first, first).returncode == 0
    assert run("bench", "compare", second, first).returncode == 0
    slower = run("bench", "compare", first, second)
    assert slower.returncode == 3
    assert "slower" in slower.stdout
    assert slower.stderr.startswith("regression: 32x32 onnxruntime fp32")


def test_bench_of_a_backend_that_cannot_run_says_why_and_fails(bundle: Path) -> None:
    options = ("--sizes", "32", "--runs", 1, "--backend", "tensorrt", "--table3", "--markdown")
    done = run("bench", "--model", bundle, *options)
    assert done.returncode == 1
    assert done.stdout.startswith("| Image Size | Pixels |")
    assert "tensorrt fp16: " in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: no backend worked")


def test_bench_refuses_what_it_could_not_write_before_the_work(
    bundle: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there.png"
    there.touch()
    common = ("bench", "--model", bundle, "--sizes", "32")
    assert "there already" in refused(*common, "--plot", there)
    assert "no file in an existing folder" in refused(*common, "--json", tmp_path / "no" / "r.json")
    assert "leave one out" in refused(*common, "--csv", "--markdown")


def test_bench_says_how_much_memory_a_size_would_need(tmp_path: Path) -> None:
    message = refused("bench", "--sizes", "16384", TRTCOLOR_MODELS=str(tmp_path))
    assert "16384x16384 would need about 11" in message
    assert "GB are free" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "format version None"),
        ('{"format_version": 99}', "format version 99"),
        ("a picture", "is not JSON"),
        (None, "cannot be read"),
    ],
)
def test_bench_compare_refuses_what_is_no_file_of_its_own(
    content: str | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)
    assert said in refused("bench", "compare", path, path)


@pytest.mark.parametrize("sizes", ["", "0", "12,,13", "-5", "10x", "axb", "999999"])
def test_a_wrong_size_list_is_refused(sizes: str, bundle: Path) -> None:
    assert "size" in refused("bench", "--model", bundle, f"--sizes={sizes}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty (0 bytes)"),
        (b"this is no picture", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ],
)
def test_what_is_no_picture_is_refused(
    content: bytes, said: str, bundle: Path, tmp_path: Path
) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    assert said in refused("colorize", path, "-o", tmp_path / "out.png", "--model", bundle)
    assert not (tmp_path / "out.png").exists()


def test_a_truncated_jpeg_is_refused_and_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "cut.jpg", tmp_path / "out" / "out.png"
    output.parent.mkdir()
    Image.fromarray(RANDOM.integers(0, 256, (200, 200), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert "damaged or cut short" in refused("colorize", path, "-o", output, "--model", bundle)
    assert list(output.parent.iterdir()) == []


def test_a_missing_picture_is_refused(bundle: Path, tmp_path: Path) -> None:
    said = refused("colorize", tmp_path / "none.png", "-o", tmp_path / "o.png", "--model", bundle)
    assert "No such file" in said


def test_a_picture_over_the_limit_is_refused(photo: Path, bundle: Path, tmp_path: Path) -> None:
    options = ("-o", tmp_path / "o.png", "--model", bundle, "--max-pixels", 2399)
    assert "60x40, more than 2399 pixels" in refused("colorize", photo, *options)


def test_a_backend_is_taken_by_name_and_auto_says_which_it_took(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    pictures = []
    for backend, said in (
        ("onnxruntime", ""),
        ("auto", "backend openvino: openvino is the first that works"),
    ):
        output = tmp_path / f"{backend}.png"
        options = ("-o", output, "--model", bundle, "--backend", backend)
        done = run("colorize", photo, *options)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(said)
        assert len(done.stderr.splitlines()) == bool(said)
        pictures.append(np.asarray(Image.open(output)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    done = run("classify", photo, "--model", bundle, "--backend", "openvino", "--top", 1)
    assert done.returncode == 0, done.stderr


def test_an_output_that_exists_is_kept_unless_told(
    photo: Path, bundle: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"precious")
    assert "--overwrite" in refused("colorize", photo, "-o", output, "--model", bundle)
    assert output.read_bytes() == b"precious"
    assert run("colorize", photo, "-o", output, "--model", bundle, "--overwrite").returncode == 0
    assert Image.open(output).size == (60, 40)


@pytest.mark.parametrize("name", ["no/such/folder/o.png", "o.xyz", "o"])
def test_an_impossible_output_is_refused_before_the_work(
    name: str, photo: Path, bundle: Path, tmp_path: Path
) -> None:
    refused("colorize", photo, "-o", tmp_path / name, "--model", bundle)
    assert not (tmp_path / name).exists()


def test_an_unknown_model_is_refused_with_the_installed_ones(photo: Path, tmp_path: Path) -> None:
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", "nonesuch")
    assert "no model 'nonesuch'" in said
    assert "installed:" in said


def test_an_altered_bundle_is_refused(photo: Path, bundle: Path, tmp_path: Path) -> None:
    weights = bundle / "weights.bin"
    data = bytearray(weights.read_bytes())
    data[0] ^= 1
    weights.write_bytes(data)
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", bundle)
    assert "SHA-256" in said
    weights.unlink()
    said = refused("colorize", photo, "-o", tmp_path / "o.png", "--model", bundle)
    assert "lacks weights.bin" in said


def test_style_needs_a_network_with_global_features(
    photo: Path, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    plain = make_bundle("plain")
    options = ("-o", tmp_path / "o.png", "--model", plain, "--style", photo)
    assert "no global features" in refused("colorize", photo, *options)


@pytest.mark.parametrize("command", ["train", "export"])
def test_the_training_package_registers_its_commands(command: str) -> None:
    assert command in run("--help").stdout
    assert run(command, "--help").returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from trtcolor.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'PIL', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nonsense",),
        ("colour",),
        ("colorize",),
        ("colorize", "a.png", "-o", "b.png", "--render", "0"),
        ("colorize", "a.png", "-o", "b.png", "--threads", "100000"),
        ("colorize", "a.png", "-o", "b.png", "--backend", "onnx"),
        ("bench", "--runs", "0"),
        ("export", "a", "b", "--precision", "int8"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")


def test_evaluate_measures_several_bundles_at_once(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundles = [make_bundle("first"), make_bundle("second", seed=1)]
    data, json_file, sheet = fill(tmp_path / "data"), tmp_path / "r.json", tmp_path / "sheet.png"
    files = ("--json", json_file, "--sheet", sheet, "--sheet-pictures", 2)
    done = run("evaluate", *bundles, data, *files, "--limit", 3, "--size", 32, "--record")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = [line.split()[0] for line in done.stdout.splitlines() if line]
    assert [names.count(name) for name in ("originals", "grey", "first", "second")] == [1, 2, 2, 2]
    rows = json.loads(json_file.read_text())["rows"]
    assert [row["name"] for row in rows] == ["originals", "grey", "first", "second"]
    for bundle, row in zip(bundles, rows[2:], strict=True):
        metrics = json.loads((bundle / "model.json").read_text())["metrics"]
        assert metrics["ciede2000"] == row["figures"]["ciede2000"]["value"]
        assert (metrics["pictures"], metrics["size"]) == (3, 32)
    assert Image.open(sheet).size == (8 * 64 + 9 * 8, 8 + 21 + 64 + 8 + 21)
    for option, path in (("--json", json_file), ("--sheet", sheet)):
        assert "is there already" in refused("evaluate", bundles[0], data, option, path)
    both = ("--json", sheet, "--sheet", sheet, "--overwrite")
    assert "--json and --sheet are both" in refused("evaluate", bundles[0], data, *both)


def test_evaluate_prints_a_papers_table(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, json_file = make_bundle(family="olah2022-cnn"), tmp_path / "r.json"
    data, places = fill(tmp_path / "data"), fill(tmp_path / "places", 2)
    options = ("--paper", "003", "--places", places, "--json", json_file)
    done = run("evaluate", bundle, data, *options, "--sheet", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("003 (Olah and Yang), Table 1, upper half")
    assert "Unet with Weights     0.015   0.080         17.019     0.277" in done.stdout
    entries = json.loads(json_file.read_text())
    assert entries["paper"] == "003"
    assert [e["counts"]["kept"] for e in entries["evaluations"]] == [4, 2]
    assert (tmp_path / "sheet.png").is_file()
    assert "--places came without --paper 003" in refused(
        "evaluate", bundle, data, "--paper", "004", "--places", places
    )


def test_evaluate_refuses_a_class_that_is_not_there(bundle: Path, tmp_path: Path) -> None:
    said = refused("evaluate", bundle, fill(tmp_path / "data"), "--only-class", "sea")
    assert "the class 'sea' was asked for and the data have the classes none" in said


def test_evaluate_measures_how_steadily_a_film_is_coloured(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [scene(seed) for seed in (1, 1, 1, 2, 2, 2)])
    bundles, json_file = [make_bundle("a"), make_bundle("b", seed=1)], tmp_path / "r.json"
    done = run("evaluate", *bundles, clip, "--json", json_file, "--saturation", 0.5)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()[2:6]] == [
        "grey",
        "a",
        "b",
        "original",
    ]
    found = json.loads(json_file.read_text())
    assert (found["frames"], found["shot_frames"]) == (6, [3, 3])
    assert found["settings"]["saturation"] == 0.5
    for option in (("--size", 32), ("--paper", "001"), ("--record",), ("--sheet", "s.png")):
        said = refused("evaluate", bundles[0], clip, *option)
        assert f"{option[0]} came for a film" in said


def test_a_refused_evaluation_prints_nothing_but_why(bundle: Path, tmp_path: Path) -> None:
    done = run("evaluate", bundle, tmp_path / "none")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_results_that_could_not_be_written_are_refused_before_the_work(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ValueError, match=r"is not writable; .* model\.json"):
        check_results(bundle / "model.json", overwrite=True)
    with pytest.raises(ValueError, match=r"is not writable; .* r\.json"):
        check_results(tmp_path / "r.json", overwrite=False)


def test_a_broken_model_does_not_hide_the_others(make_bundle: MakeBundle, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("broken", "whole"):
        make_bundle(name, models=models)
    (models / "broken" / "model.json").write_text("[" * 100_000)
    done = run("models", TRTCOLOR_MODELS=str(models))
    assert done.returncode == 0, done.stderr
    assert "broken  cannot be used: " in done.stdout
    assert "whole  tiny, 0.0 MB, float32 (installed)" in done.stdout.splitlines()


def test_a_file_name_that_is_no_text_is_coloured(photo: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / os.fsdecode(b"out\xff.png")
    done = run("colorize", photo, "-o", output, "--model", bundle, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0, done.stderr
    assert output.is_file()

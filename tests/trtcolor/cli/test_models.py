"""``trtcolor models``: list, add, remove and adopt."""

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
from colourisers import SPECS, network, write_toml
from command_line import refused, run
from PIL import Image

from trtcolor.cli import main

MakeBundle = Callable[..., Path]


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


def test_a_broken_model_does_not_hide_the_others(make_bundle: MakeBundle, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("broken", "whole"):
        make_bundle(name, models=models)
    (models / "broken" / "model.json").write_text("[" * 100_000)
    done = run("models", TRTCOLOR_MODELS=str(models))
    assert done.returncode == 0, done.stderr
    assert "broken  cannot be used: " in done.stdout
    assert "whole  tiny, 0.0 MB, float32 (installed)" in done.stdout.splitlines()

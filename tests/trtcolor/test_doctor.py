"""The doctor tells what it found, on one screen, and fails only if nothing works."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from engine_folders import PROFILE, VERIFIED, keep

from trtcolor import doctor
from trtcolor.backends import onnxruntime as onnxruntime_backend
from trtcolor.backends.available import PACKAGES, RUNNING
from trtcolor.backends.driver import Gpu
from trtcolor.bundle import open_bundle
from trtcolor.cli import main
from trtcolor.doctor import WIDTH, Report, examine
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.here import identity_here
from trtcolor.engines.speed import Speed
from trtcolor.engines.store import Store
from trtcolor.errors import BackendError
from trtcolor.measure import processor
from trtcolor.threads import usable_cores
from trtcolor.trial import Outcome

MakeBundle = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "no-engines"))


def no_driver() -> list[Gpu]:
    raise BackendError("no NVIDIA driver (libcuda.so.1: none); one was needed; install it")


def one_gpu() -> list[Gpu]:
    return [Gpu("NVIDIA Test", "8.9", 2**34, "580.65.06")]


def say_all_fail(monkeypatch: pytest.MonkeyPatch, state: str = "fails") -> None:
    outcome = Outcome(state, "is broken; run: pip install it")  # type: ignore[arg-type]
    monkeypatch.setattr(doctor, "try_backend", lambda name: outcome)


def test_the_command_shows_every_backend_on_one_screen() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "trtcolor.cli", "doctor"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) <= 30
    assert not [line for line in lines if len(line) > WIDTH and "/" not in line]
    for name in PACKAGES:
        assert [line for line in lines if line.startswith(f"{name} ")]
    for name in RUNNING:
        (line,) = (line for line in lines if line.startswith(f"{name} "))
        assert f"{metadata.version(name)}  works: coloured a frame" in line
    (line,) = (line for line in lines if line.startswith("auto "))
    assert line.startswith(
        f"auto              takes {RUNNING[0]} fp32 (0.90 of the time of onnxrun"
    )
    assert done.stderr == ""


def test_the_engine_that_auto_takes_is_told_with_its_speed_and_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = EngineConfig(
        backend="onnxruntime", precision="int8", profiles=(PROFILE,), calibration="a" * 64
    )
    seconds = {"engine": 0.02, "onnxruntime fp32": 0.05, "openvino fp32": 0.04}
    keep(
        Store(),
        identity_here(open_bundle("default"), config, "1.0"),
        verification=VERIFIED,
        gate={"passed": True, "ways": {"joint 128x128": {"mean": 0.342}}},
        speed=Speed(size="128x128", processor=processor(), cores=usable_cores(), seconds=seconds),
    )
    monkeypatch.setattr(doctor, "try_backend", lambda name: Outcome("works", "coloured", 0.1))
    report = examine()
    assert report.ways[0][0] == "onnxruntime"
    assert report.automatic == "tensorrt"
    works = Outcome("works", "coloured", 0.1)
    monkeypatch.setattr(
        doctor, "try_backend", lambda name: works if name in RUNNING else Outcome("absent", "")
    )
    report = examine()
    assert report.automatic == "onnxruntime"
    assert (
        "takes onnxruntime int8 (0.40 of the time of onnxruntime fp32, measured here, CIEDE2000 to "
        "float32 0.342)"
    ) in " ".join(report.text().split())


def test_json_has_all_of_it() -> None:
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["auto"] == RUNNING[0]
    assert found["working"] == [name for name in PACKAGES if name in RUNNING]
    assert {entry["name"] for entry in found["backends"]} == set(PACKAGES)
    assert found["machine"]["kernels"]
    assert bool(found["gpus"]) != bool(found["no_gpu"])


def test_it_fails_where_no_backend_works(monkeypatch: pytest.MonkeyPatch) -> None:
    say_all_fail(monkeypatch)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "onnxruntime" in done.stdout
    assert "does not work: is broken; run: pip install it" in done.stdout
    assert "finds no backend that works" in done.stdout


def test_a_builder_without_a_gpu_is_said_to_run_nothing_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say_all_fail(monkeypatch, "builds")
    monkeypatch.setattr(doctor, "gpus", no_driver)
    without = examine()
    assert "runs none here (no GPU, see above)" in without.text()
    assert "none: no NVIDIA driver (libcuda.so.1: none)" in without.text()
    assert without.working == []
    monkeypatch.setattr(doctor, "gpus", one_gpu)
    assert "runs none here" not in examine().text()
    assert "NVIDIA Test, compute capability 8.9, 16 GiB, driver 580.65.06" in examine().text()


def test_auto_takes_a_tensorrt_that_has_coloured_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "try_backend", lambda name: Outcome("works", "coloured", 0.1))
    assert examine().automatic == "tensorrt"


def examined(monkeypatch: pytest.MonkeyPatch) -> Report:
    say_all_fail(monkeypatch)
    return examine()


def test_packages_that_overwrite_each_other_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "conflict" not in examined(monkeypatch).text()
    fake = SimpleNamespace(
        version=lambda name: "1.0", PackageNotFoundError=metadata.PackageNotFoundError
    )
    monkeypatch.setattr(onnxruntime_backend, "metadata", fake)
    report = examined(monkeypatch)
    assert report.conflict is not None
    assert "conflict          onnxruntime 1.0 and onnxruntime-gpu 1.0 are both" in report.text()


def test_the_models_are_listed_and_the_default_is_verified(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv("TRTCOLOR_MODELS", str(models))
    make_bundle("another", models=models)
    report = examined(monkeypatch)
    assert report.models == ("trtcolor-base", "another")
    assert report.default_problem is None
    assert report.places["own models"] == str(models)
    broken = make_bundle("trtcolor-base", models=models)  # hides the bundled one
    (broken / "weights.bin").write_bytes(b"altered")
    report = examined(monkeypatch)
    assert report.default_problem is not None
    assert "SHA-256" in report.default_problem
    assert "default model" in report.text()


def test_the_place_of_engines_is_the_one_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "engines"))
    assert examined(monkeypatch).places["engines"] == str(tmp_path / "engines")

"""An engine's identity: every entry is in its key, and its names suit people and file systems."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from engine_folders import IDENTITY, PROFILE, changed, named
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.backends.frame_plans import FramePlans
from trtcolor.engines.differences import differences
from trtcolor.engines.identity import FOLDER_NAME, LONGEST_NAME, Gpu, Identity, to_entries
from trtcolor.engines.profile import ShapeProfile

RTX_4090 = Gpu(name="NVIDIA GeForce RTX 4090", compute_capability="8.9", driver="580.65.06")
FRAMES = {"frames": FramePlans(), "frame_profiles": (PROFILE,)}
OTHER_FILES = IDENTITY.files | {"weights.bin": "5" * 64}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "other"}, "model 'other', wanted 'tiny'"),
    "graphs": (
        {"graphs": {"local": "global.onnx", "global": "local.onnx"}},
        "graphs global in local.onnx, local in global.onnx, wanted global in global.onnx, local in "
        "local.onnx",
    ),
    "files": (
        {"files": OTHER_FILES},
        "file weights.bin with SHA-256 555555555555..., wanted 333333333333...",
    ),
    "backend": ({"backend": "tensorrt"}, "backend tensorrt, wanted tensorrt-rtx"),
    "precision": ({"precision": "fp32"}, "precision fp32, wanted fp16"),
    "profiles": (
        {"profiles": (PROFILE, ShapeProfile((1, 8, 8), (1, 8, 16), (1, 8, 16)))},
        f"profiles {PROFILE} 8x8:16x8:16x8, wanted {PROFILE}",
    ),
    "frames": (FRAMES, "plans for frames auto reduce, wanted none"),
    "frame_profiles": (FRAMES, f"profiles of frames {PROFILE}, wanted none"),
    "targets": ({"targets": ("sm89", "sm120")}, "targets sm89, sm120, wanted sm89"),
    "workspace": ({"workspace": 1000}, "workspace 1000 bytes, wanted unlimited"),
    "builder_version": (
        {"builder_version": "1.7.0.1"},
        "builder tensorrt_rtx 1.7.0.1, wanted 1.7.1.116",
    ),
    "os": ({"os": "darwin"}, "system darwin, wanted linux"),
    "architecture": ({"architecture": "aarch64"}, "architecture aarch64, wanted x86_64"),
    "gpu": (
        {"gpu": RTX_4090, "targets": ()},
        "GPU NVIDIA GeForce RTX 4090 (8.9, driver 580.65.06), wanted none",
    ),
    "processor": ({"processor": "avx2"}, "processor avx2, wanted any"),
    "recipe": ({"recipe": 7}, f"recipe 7, wanted {IDENTITY.recipe}"),
}
TEXTS = st.text(st.characters(), min_size=1)


@pytest.mark.parametrize("entry", CHANGES)
def test_every_entry_changes_the_key_and_is_told_as_a_difference(entry: str) -> None:
    entries, words = CHANGES[entry]
    other = changed(**entries)
    assert other.key != IDENTITY.key
    assert other.folder_name != IDENTITY.folder_name
    assert words in differences(IDENTITY, other)
    assert words not in differences(IDENTITY, other, ignoring=[entry])


def test_every_entry_there_is_has_been_changed_above() -> None:
    entries = {*Identity.__dataclass_fields__, *type(IDENTITY.config).__dataclass_fields__}
    assert entries - {"config", "calibration"} == set(CHANGES)


def test_calibration_pictures_are_in_the_key() -> None:
    first, second = (changed(precision="int8", calibration=digit * 64) for digit in "67")
    assert first.key != second.key
    assert differences(first, second) == [
        "calibration pictures 777777777777..., wanted 666666666666..."
    ]


def test_render_and_gamut_of_frames_are_in_the_key() -> None:
    plans = [FramePlans(), FramePlans(gamut="clip"), FramePlans("full"), FramePlans(224)]
    assert len({changed(**FRAMES | {"frames": frames}).key for frames in plans}) == len(plans)


def test_without_plans_for_frames_nothing_says_so() -> None:
    assert not {"frames", "frame_profiles"} & set(to_entries(IDENTITY)["config"])
    assert IDENTITY.built_graphs == ("global", "local")
    assert changed(**FRAMES).built_graphs == (
        *("global", "local", "prepare", "prepare_grey", "merge"),
    )


def test_an_identity_has_no_difference_from_itself() -> None:
    same = replace(IDENTITY, files=dict(reversed(IDENTITY.files.items())))
    assert same.key == IDENTITY.key
    assert differences(IDENTITY, same) == []


def test_files_that_are_missing_or_more_are_told() -> None:
    files = {name: digest for name, digest in IDENTITY.files.items() if name != "weights.bin"}
    other = changed(files=files | {"more.bin": "8" * 64})
    assert differences(IDENTITY, other) == [
        "file more.bin, wanted none",
        "no file weights.bin, wanted 333333333333...",
    ]


def test_names_say_what_the_engine_is() -> None:
    stem = "fp16.tensorrt-rtx-1.7.1.116.linux-x86_64.sm89"
    assert IDENTITY.folder_name == f"tiny.{stem}.{IDENTITY.key[:12]}"
    assert IDENTITY.file_name("local") == f"tiny.local.{stem}.plan"
    assert changed(gpu=RTX_4090, targets=()).file_name("global") == (
        f"tiny.global.{stem}-rtx-4090.plan"
    )
    cpu = changed(backend="onnxruntime", builder_version="1.31.1", targets=(), precision="int8",
                  calibration="6" * 64)  # fmt: skip
    assert cpu.file_name("joint") == "tiny.joint.int8.onnxruntime-1.31.1.linux-x86_64.cpu.onnx"


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.none() | TEXTS)
def test_any_text_gives_names_for_every_file_system(
    model: str, version: str, os: str, architecture: str, gpu: str | None
) -> None:
    identity = changed(
        model=model,
        builder_version=version,
        os=os,
        architecture=architecture,
        gpu=Gpu(name=gpu, compute_capability="12.0", driver="1") if gpu else None,
        targets=() if gpu else ("sm89",),
    )
    assert FOLDER_NAME.fullmatch(identity.folder_name)
    for name in (identity.folder_name, *map(identity.file_name, ("local", "global", "joint"))):
        assert re.fullmatch(r"[a-z0-9_-][a-z0-9_.-]*[a-z0-9]", name)
        assert len(name) <= LONGEST_NAME


@pytest.mark.parametrize("model", ["con", "NUL", "com1", "aux"])
def test_a_name_that_is_a_device_elsewhere_is_none_here(model: str) -> None:
    assert named(model).folder_name.split(".")[0] == f"{model.lower()}-"


@pytest.mark.parametrize(("one", "other"), [("a/b", "a:b"), ("Tiny", "tiny"), ("é", "e")])
def test_models_whose_readable_names_agree_have_folders_of_their_own(one: str, other: str) -> None:
    first, second = named(one).folder_name, named(other).folder_name
    assert first.split(".")[0] == second.split(".")[0]
    assert first != second


def test_many_targets_stay_readable() -> None:
    targets = ("sm75", "sm80", "sm86", "sm87", "sm89", "sm100", "sm120", "sm121")
    assert ".sm75-and-7-more." in changed(targets=targets).folder_name
    assert ".sm75-sm80-sm86-sm89-sm120-sm121." in (
        changed(targets=("sm75", "sm80", "sm86", "sm89", "sm120", "sm121")).folder_name
    )


def test_caches_are_shared_by_precisions_and_models_and_apart_by_version_and_device() -> None:
    shared = {changed(precision="fp32").cache_name, named("other").cache_name, IDENTITY.cache_name}
    assert len(shared) == 1
    for entry in ("builder_version", "backend", "targets", "gpu", "os", "architecture"):
        assert changed(**CHANGES[entry][0]).cache_name not in shared


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"model": ""}, "model is empty"),
        ({"graphs": {}}, "graphs are none"),
        ({"graphs": {"other": "local.onnx"}}, "graphs are other"),
        ({"graphs": {"local": "gone.onnx"}}, "files have no gone.onnx"),
        ({"files": {"local.onnx": "12"}}, "SHA-256 of local.onnx is '12'"),
        ({"gpu": RTX_4090}, "came with the targets sm89"),
        ({"recipe": 0}, "recipe is 0"),
    ],
)
def test_an_impossible_identity_is_refused(entries: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        changed(**entries)


@pytest.mark.parametrize("capability", ["", "89", "8.9.1", "0.1", "8.x"])
def test_a_compute_capability_is_two_numbers(capability: str) -> None:
    with pytest.raises(ValueError, match="compute capability is"):
        Gpu(name="a", compute_capability=capability, driver="1")

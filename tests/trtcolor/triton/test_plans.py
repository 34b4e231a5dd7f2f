"""An engine's plans in a repository: ONNX files in their place, which the ensemble really runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_models import Repository

from trtcolor.backends.frame_plans import FramePlans
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Entry
from trtcolor.engines.frames import frame_graphs
from trtcolor.engines.identity import Gpu, Identity
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.sidecar import Sidecar, Verification
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError
from trtcolor.precision.plain import plain_graph
from trtcolor.triton.repository import export_triton_engine
from trtcolor.triton.serving import Serving

MakeBundle = Callable[..., Path]
PROFILE = ShapeProfile((1, 8, 8), (1, 64, 64), (3, 128, 128))
FRAMES = ShapeProfile((1, 1, 1), (1, 60, 60), (2, 120, 120))
GPU = Gpu(name="NVIDIA Pretended", compute_capability="9.0", driver="580.1")
VERIFIED = Verification(status="verified")
SMALL = Serving(max_batch=8, warm_up=((24, 33),))


def engine(
    bundle: Bundle, folder: Path, *, status: Verification = VERIFIED, **changed: Any
) -> Entry:
    """An engine in the store whose files are the ONNX graphs that a builder would be given."""
    entries: dict[str, Any] = {
        "backend": "tensorrt",
        "precision": "fp32",
        "profiles": (PROFILE,),
        "frames": FramePlans(render="full", gamut="clip"),
        "frame_profiles": (FRAMES,),
    }
    config = EngineConfig(**entries | changed)
    on_gpu = config.backend == "tensorrt"
    identity = Identity(
        model=bundle.spec.name,
        graphs={name: graph.file for name, graph in bundle.spec.graphs.items()},
        files=dict(bundle.spec.files),
        config=config,
        builder_version="10.3.0",
        os="linux",
        architecture="x86_64",
        gpu=GPU if on_gpu else None,
    )
    models = {name: plain_graph(bundle, name) for name in bundle.spec.graphs}
    if config.frames is not None:
        models |= frame_graphs(bundle.spec, config.frames)
    with Store(folder).building(identity) as build:
        graphs = {
            name: build.write(
                name,
                model.SerializeToString(),
                onnx_sha256="4" * 64,
                inputs=tuple(value.name for value in model.graph.input),
                outputs=tuple(value.name for value in model.graph.output),
                profiles=(PROFILE, PROFILE),
                seconds=1.0,
            )
            for name, model in models.items()
        }
        sidecar = Sidecar(
            identity=identity,
            graphs=graphs,
            verification=status,
            created="2026-11-26T17:00:00+00:00",
            trtcolor="0.1.0",
        )
        return build.publish(sidecar)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle("tiny", global_size=32, classes=("beach", "city")))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own cache of engines."""
    folder = tmp_path / "engines"
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(folder))
    return folder


@pytest.mark.parametrize("channels", [3, 1])
def test_the_ensemble_of_plans_gives_the_colorizers_colours(
    channels: Any, bundle: Bundle, cache: Path, tmp_path: Path
) -> None:
    entry = engine(bundle, cache)
    repository = tmp_path / "repository"
    exported = export_triton_engine(
        bundle.path, entry.path, repository, serving=SMALL, channels=channels
    )
    prepare = "prepare" if channels == 3 else "prepare_grey"
    parts = [f"tiny_{part}" for part in (prepare, "global", "local", "merge")]
    assert [path.name for path in exported.paths] == [*parts, "tiny"]
    frames = np.random.default_rng(0).integers(0, 256, (2, 50, 70, channels), np.uint8)
    given = {"frames": frames, "saturation": np.array([1.5], np.float32)}
    found = Repository(repository).infer("tiny", given, ("rgb",))["rgb"]
    with Colorizer(bundle.path, render="full", gamut="clip") as colorizer:
        expected = [colorizer.colorize(frame, saturation=1.5) for frame in frames]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_network_without_global_features_has_no_plan_for_them(
    make_bundle: MakeBundle, cache: Path, tmp_path: Path
) -> None:
    plain = open_bundle(make_bundle("plain"))
    entry = engine(plain, cache)
    exported = export_triton_engine(plain.path, entry.path, tmp_path / "repository", serving=SMALL)
    assert [path.name for path in exported.paths] == [
        "plain_prepare",
        "plain_local",
        "plain_merge",
        "plain",
    ]
    given = {"frames": np.zeros((1, 8, 8, 3), np.uint8), "saturation": np.ones(1, np.float32)}
    assert Repository(tmp_path / "repository").infer("plain", given, ())["rgb"].shape == (
        1,
        8,
        8,
        3,
    )


def test_batches_are_at_most_the_engines_and_the_merge_makes_none(
    bundle: Bundle, cache: Path, tmp_path: Path
) -> None:
    entry = engine(bundle, cache)
    export_triton_engine(bundle.path, entry.path, tmp_path / "repository", serving=SMALL)
    models = Repository(tmp_path / "repository").models
    sizes = {name: served.config.max_batch_size for name, served in models.items()}
    assert sizes == {
        "tiny_prepare": 2,
        "tiny_global": 2,
        "tiny_local": 2,
        "tiny_merge": 0,
        "tiny": 0,
    }
    local = models["tiny_local"].config
    assert list(local.instance_group[0].profile) == ["0", "1"]
    assert [list(w.inputs["lightness"].dims) for w in local.model_warmup] == [[1, 24, 40]] * 2
    (merge,) = models["tiny_merge"].config.model_warmup
    assert list(merge.inputs["chroma"].dims) == [1, 2, 12, 20]
    texts = {key: value.string_value for key, value in local.parameters.items()}
    assert texts["trtcolor_engine"] == entry.path.name
    assert texts["trtcolor_gpu"] == "NVIDIA Pretended 9.0"
    assert "10.3.0" in texts["trtcolor_builder"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"frames": None, "frame_profiles": ()}, "no plans for frames"),
        ({"backend": "tensorrt-rtx", "targets": ("sm89",)}, "is of tensorrt-rtx"),
        ({"status": Verification(status="unverified")}, "no GPU has run it yet"),
    ],
    ids=["no frames", "rtx", "unverified"],
)
def test_an_engine_that_the_server_cannot_run_is_refused(
    changed: dict[str, Any], reason: str, bundle: Bundle, cache: Path, tmp_path: Path
) -> None:
    entry = engine(bundle, cache, **changed)
    with pytest.raises(EngineError, match=reason):
        export_triton_engine(bundle.path, entry.path, tmp_path / "repository", serving=SMALL)
    assert not (tmp_path / "repository").exists()


def test_an_engine_of_another_model_is_refused(
    bundle: Bundle, make_bundle: MakeBundle, cache: Path, tmp_path: Path
) -> None:
    other = open_bundle(make_bundle("other", global_size=32, seed=1))
    entry = engine(other, cache)
    with pytest.raises(EngineError, match="of another model"):
        export_triton_engine(bundle.path, entry.path, tmp_path / "repository", serving=SMALL)


def test_a_damaged_plan_is_refused(bundle: Bundle, cache: Path, tmp_path: Path) -> None:
    entry = engine(bundle, cache)
    file = entry.path / entry.sidecar.graphs["merge"].file
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(EngineError, match="is damaged"):
        export_triton_engine(bundle.path, entry.path, tmp_path / "repository", serving=SMALL)


def test_an_engine_from_elsewhere_has_to_be_trusted(bundle: Bundle, tmp_path: Path) -> None:
    entry = engine(bundle, tmp_path / "elsewhere")
    repository = tmp_path / "repository"
    with pytest.raises(EngineError, match="own cache"):
        export_triton_engine(bundle.path, entry.path, repository, serving=SMALL)
    assert export_triton_engine(bundle.path, entry.path, repository, serving=SMALL, trust=True)


@pytest.mark.parametrize(
    ("serving", "reason"),
    [
        (Serving(kind="cpu"), "a GPU was needed"),
        (Serving(warm_up=((480, 640),)), "a size within the engine's profiles"),
        (Serving(max_batch=8, preferred=(8,), warm_up=()), "preferred is 8"),
    ],
    ids=["cpu", "size", "preferred"],
)
def test_settings_that_the_engine_cannot_have_are_refused(
    serving: Serving, reason: str, bundle: Bundle, cache: Path, tmp_path: Path
) -> None:
    entry = engine(bundle, cache)
    with pytest.raises(ValueError, match=reason):
        export_triton_engine(bundle.path, entry.path, tmp_path / "repository", serving=serving)


def test_plans_take_grey_or_rgb_and_not_either(bundle: Bundle, cache: Path, tmp_path: Path) -> None:
    entry = engine(bundle, cache)
    with pytest.raises(ValueError, match="1 for grey or 3 for RGB"):
        export_triton_engine(
            bundle.path, entry.path, tmp_path / "repository", serving=SMALL, channels=None
        )

"""Every family and variant, from a checkpoint through `export` to the runtime's `Colorizer`.

One bundle a case; each test looks at one side of all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from family_bundles import family_export
from narrow import NARROW
from numpy.typing import NDArray
from plans import build_frames_plan
from sessions import assert_same_colours, session
from torch import Tensor

from trtcolor import color
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.end_to_end.graph import end_to_end_graph
from trtcolor.engines.profile import default_profiles
from trtcolor.engines.tensorrt import build_plan
from trtcolor.geometry import Render
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec
from trtcolor_train.bins import AbBins, LuvBins
from trtcolor_train.build import network_from_checkpoint
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.colorspace import ab_from_uv
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.fold import fold
from trtcolor_train.models import FAMILIES
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.parity import Parity
from trtcolor_train.weights import rounded

MANY_BINS = 300  # their centres are large enough to be stored beside the weights


@dataclass(frozen=True)
class Case:
    """A family with what is chosen for it in training and at export."""

    family: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    decoder: Decoder | None = None
    precision: Any = "float16"
    own_bins: bool = False

    def __str__(self) -> str:
        chosen = [str(value) for value in self.dimensions.values()]
        return "-".join([self.family, *chosen, *([self.decoder.kind] if self.decoder else [])])


CASES = (
    *(Case(name) for name in FAMILIES),
    Case("iizuka2016-baseline", {"color_space": "yuv"}, precision="float32"),
    Case("iizuka2016-baseline", {"color_space": "rgb"}),
    Case("hwang2016-classification", decoder=Decoder("mode", smoothing=2.0)),
    Case("olah2022-unet", decoder=Decoder("mean")),
    Case("olah2022-cnn", {"bins": 40}, Decoder("mode"), precision="float32", own_bins=True),
    Case(
        "olah2022-cnn",
        {"bins": MANY_BINS},
        Decoder("annealed-mean", temperature=0.2, smoothing=1.5),
        own_bins=True,
    ),
)


def random_bins(count: int) -> NDArray[np.float32]:
    """Centres that float16 does not hold."""
    return np.random.default_rng(0).uniform(-90, 90, (count, 2)).astype(np.float32)


@dataclass(frozen=True)
class Exported:
    """A case's bundle, and the torch network that it must equal."""

    case: Case
    network: ColorNetwork
    bundle: Path
    parity: Parity
    spec: ModelSpec

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        session = onnxruntime.InferenceSession(
            str(self.bundle / f"{graph}.onnx"), providers=["CPUExecutionProvider"]
        )
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs))
        return results

    def inputs(self, lightness: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The local graph's inputs for lightness (N, 1, H, W)."""
        side = self.spec.size.global_size
        if side is None:
            return {"lightness": lightness}
        square = np.stack([resize_plane(plane[0], (side, side))[None] for plane in lightness])
        (features,) = self.run("global", {"lightness": square}, ["global_features"])
        return {"lightness": lightness, "global_features": features}

    @torch.no_grad()
    def torch_output(self, inputs: Mapping[str, NDArray[np.float32]]) -> Tensor:
        return self.network.paint(*(torch.from_numpy(value) for value in inputs.values()))


@pytest.fixture(scope="module", params=CASES, ids=str)
def exported(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Exported:
    case: Case = request.param
    bins = random_bins(case.dimensions["bins"]) if case.own_bins else None
    made = family_export(
        case.family,
        tmp_path_factory,
        dimensions=case.dimensions,
        decoder=case.decoder,
        precision=case.precision,
        bins=bins,
    )
    network = network_from_checkpoint(load_checkpoint(made.checkpoint), source="test")
    if isinstance(network.coding, BinCoding):
        network.coding.decoder = case.decoder or Decoder()
    if case.precision == "float16":
        network = rounded(fold(network))
    return Exported(case, network, made.bundle, made.parity, open_bundle(made.bundle).spec)


def lightness_of(photos: list[NDArray[np.uint8]], count: int, *size: int) -> NDArray[np.float32]:
    """(count, 1, H, W) L* of real pictures."""
    planes = (color.lightness_from_rgb(photo) for photo in itertools.cycle(photos))
    return np.stack([resize_plane(next(planes), size)[None] for _ in range(count)])


def test_tensorrt_rtx_builds_every_graph(exported: Exported) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    profiles = default_profiles(exported.spec)
    for name, graph in exported.spec.graphs.items():
        model = onnx.load(exported.bundle / graph.file).SerializeToString()
        plan = build_plan("tensorrt-rtx", model, profiles, name=name, targets=("sm89", "sm120"))
        assert tuple(plan.inputs) == graph.inputs
        assert set(plan.outputs) == set(graph.outputs)


def test_the_comparison_at_export_is_within_its_limits(exported: Exported) -> None:
    parity = exported.parity
    assert parity.comparisons >= 6
    if exported.spec.decoder["kind"] != "mode":
        assert parity.mean_difference <= 1e-3
        assert parity.max_difference <= 1e-2
    assert parity.differing <= 1e-3
    assert 0 <= parity.ciede2000 < 0.1


def test_the_graphs_have_the_names_that_the_spec_says_and_no_batch_norm(
    exported: Exported,
) -> None:
    d = exported.network.dimensions
    colors = (
        ["chroma", "bin_logits"] if isinstance(exported.network.coding, BinCoding) else ["chroma"]
    )
    pooled = ["global_features", "class_logits"][: 2 if d.classes else 1]
    expected: dict[str, tuple[list[str], list[str]]] = {"local": (["lightness"], colors)}
    if d.global_width:
        expected["local"] = (["lightness", "global_features"], colors)
        expected["global"] = (["lightness"], pooled)
        expected["joint"] = (["lightness"], [*colors, *pooled])
    assert {path.stem for path in exported.bundle.glob("*.onnx")} == set(expected)
    for name, (inputs, outputs) in expected.items():
        graph = onnx.load(exported.bundle / f"{name}.onnx", load_external_data=False).graph
        assert [value.name for value in graph.input] == inputs
        assert [value.name for value in graph.output] == outputs
        assert list(exported.spec.graphs[name].inputs) == inputs
        assert list(exported.spec.graphs[name].outputs) == outputs
        assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_the_spec_says_what_the_network_is(exported: Exported) -> None:
    spec, d, coding = exported.spec, exported.network.dimensions, exported.network.coding
    size = spec.size
    assert (spec.family, spec.precision) == (exported.case.family, exported.case.precision)
    assert (size.multiple, size.chroma_scale) == (d.multiple, d.chroma_scale)
    assert size.training_size == NARROW[spec.family]["training_size"]
    assert size.global_size == (d.training_size if d.global_width else None)
    assert size.halo is not None
    assert size.halo % d.multiple == 0
    chosen = exported.case.decoder or Decoder()
    expected: dict[str, object] = {"kind": "regression"}
    if isinstance(coding, BinCoding):
        expected = {"kind": chosen.kind, "bins": coding.channels}
        if chosen.kind == "annealed-mean":
            expected["temperature"] = chosen.temperature
        if chosen.smoothing:
            expected["smoothing"] = chosen.smoothing
        if isinstance(coding, AbBins):
            expected |= {
                "space": "ab",
                "centres": coding.centres.double().numpy().round(4).tolist(),
            }
        else:
            expected["space"] = "luv"
    assert dict(spec.decoder) == expected


def test_the_colorizer_colours_as_torch_and_never_asks_for_the_scores(
    exported: Exported, photos: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = photos[1][:117, :171]
    asked: list[str] = []
    with Colorizer(exported.bundle, render="full") as colorizer:
        run = colorizer._runner.run

        def noted(graph: str, inputs: Any, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
            asked.extend(outputs)
            return run(graph, inputs, outputs)

        monkeypatch.setattr(colorizer._runner, "run", noted)
        prepared = colorizer.prepare(photo)
        found = colorizer.predict(prepared)
        coloured = colorizer.merge(prepared, found)
    assert set(asked) <= {"chroma", "global_features"}
    assert coloured.shape == photo.shape
    assert np.ptp(coloured, axis=2).any()
    lightness, features = torch.from_numpy(prepared.network_lightness), None
    with torch.no_grad():
        if prepared.global_lightness is not None:
            features, _ = exported.network.describe(torch.from_numpy(prepared.global_lightness))
        output = exported.network.paint(lightness, features)
        true = exported.network.decode(output, lightness)[0].numpy()
    height, width = prepared.plan.chroma
    differing = np.abs(found - true[:, :height, :width]) > 1e-2
    assert differing.any(axis=0).mean() <= 1e-3


def test_any_batch_and_size_is_taken_and_pictures_do_not_mix(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    step = exported.spec.size.multiple
    for count, rows, columns in ((1, 1, 1), (3, 2, 7)):
        inputs = exported.inputs(lightness_of(photos, count, rows * step, columns * step))
        (chroma,) = exported.run("local", inputs, ["chroma"])
        scale = exported.spec.size.chroma_scale
        assert chroma.shape == (count, 2, rows * step // scale, columns * step // scale)
        for i in range(count):
            alone = {name: value[i : i + 1] for name, value in inputs.items()}
            (single,) = exported.run("local", alone, ["chroma"])
            differing = np.abs(chroma[i] - single[0]) > 1e-2
            assert differing.any(axis=0).sum() <= 1


def test_openvino_gives_the_colours_that_onnx_runtime_gives(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    bundle = open_bundle(exported.bundle)
    theirs, ours = OnnxRuntimeRunner(bundle), OpenVinoRunner(bundle)
    step = exported.spec.size.multiple
    inputs = {"local": exported.inputs(lightness_of(photos, 2, 6 * step, 9 * step))}
    if exported.spec.has_global_features:
        side = exported.spec.size.global_size
        square = {"lightness": lightness_of(photos, 2, side or 0, side or 0)}
        inputs |= {"global": square, "joint": square}
    assert set(inputs) == set(exported.spec.graphs)
    for graph, given in inputs.items():
        outputs = exported.spec.graphs[graph].outputs
        for name, found, expected in zip(
            outputs,
            ours.run(graph, given, outputs),
            theirs.run(graph, given, outputs),
            strict=True,
        ):
            differing = np.abs(found - expected) > 1e-3 + 1e-5 * np.abs(expected)
            # A tie falls to either bin, and in the dark a*b* of u*v* magnify the last bit.
            steep = exported.spec.decoder["kind"] == "mode" or "hwang" in exported.spec.family
            assert differing.mean() <= (1e-3 if steep and name == "chroma" else 0)


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_black_and_white_have_finite_colours(exported: Exported, level: float) -> None:
    step = exported.spec.size.multiple
    inputs = exported.inputs(np.full((1, 1, 4 * step, 4 * step), level, np.float32))
    for output in exported.run("local", inputs, exported.spec.graphs["local"].outputs):
        assert np.isfinite(output).all()
    with Colorizer(exported.bundle) as colorizer:
        frame = np.full((50, 41, 3), round(level * 2.55), np.uint8)
        assert (colorizer.colorize(frame) == frame).all()


def test_the_scores_come_second_and_decode_by_hand_to_the_chroma(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    coding, scale = exported.network.coding, exported.spec.size.chroma_scale
    if not isinstance(coding, BinCoding):
        assert "bin_logits" not in exported.spec.graphs["local"].outputs
        return
    step = exported.spec.size.multiple
    inputs = exported.inputs(lightness_of(photos, 2, 12 * step, 9 * step))
    chroma, scores = exported.run("local", inputs, ["chroma", "bin_logits"])
    true = exported.torch_output(inputs).numpy()
    assert scores.shape == (2, coding.channels, 12 * step // scale, 9 * step // scale)
    assert np.abs(scores - true).max() <= 1e-4 * np.abs(true).max()
    by_hand = decoded(coding, scores.astype(np.float64), inputs["lightness"], scale)
    assert np.abs(chroma - by_hand).mean() <= 1e-3
    assert (np.abs(chroma - by_hand) > 1e-2).any(axis=1).mean() <= 1e-3
    assert chroma.std() > 0.5


def decoded(
    coding: BinCoding, scores: NDArray[Any], lightness: NDArray[np.float32], scale: int
) -> NDArray[Any]:
    """Scores (N, Q, h, w) to a*b* (N, 2, h, w), in NumPy."""
    decoder = coding.decoder
    if decoder.smoothing:
        radius = int(np.ceil(3 * decoder.smoothing))
        kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * decoder.smoothing**2))
        for axis in (2, 3):
            around = [(radius, radius) if i == axis else (0, 0) for i in range(4)]
            padded = np.pad(scores, around, "edge")
            size = scores.shape[axis]
            shifted = (padded.take(range(i, i + size), axis) for i in range(2 * radius + 1))
            pairs = zip(kernel / kernel.sum(), shifted, strict=True)
            scores = sum((weight * part for weight, part in pairs), start=np.zeros_like(scores))

    def expected(scores: NDArray[Any], centres: NDArray[Any]) -> NDArray[Any]:
        if decoder.kind == "mode":
            return np.moveaxis(centres[scores.argmax(axis=1)], -1, 1)
        temperature = {"mean": 1.0, "annealed-mean": decoder.temperature}[decoder.kind]
        odds = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
        return np.einsum("nqhw,qd->ndhw", odds / odds.sum(axis=1, keepdims=True), centres)

    if isinstance(coding, AbBins):
        return expected(scores, coding.centres.double().numpy())
    assert isinstance(coding, LuvBins)
    width = 200 / coding.bins
    centres = ((np.arange(coding.bins) + 0.5) * width - 100)[:, None]
    uv = np.concatenate([expected(part, centres) for part in np.split(scores, 2, axis=1)], axis=1)
    n, _, h, w = lightness.shape
    grid = lightness.reshape(n, 1, h // scale, scale, w // scale, scale).mean(axis=(3, 5))
    return ab_from_uv(torch.from_numpy(uv), torch.from_numpy(grid).double()).numpy()


def test_bins_that_a_user_gave_are_the_graphs_own_and_not_rounded(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    if not exported.case.own_bins:
        pytest.skip("the family's own bins")
    coding = exported.network.coding
    assert isinstance(coding, AbBins)
    given = random_bins(coding.channels)
    assert (coding.centres.numpy() == given).all()
    graph = onnx.load(exported.bundle / "local.onnx").graph
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
    # Of a mean the centres are a convolution, whose third output sums the weights.
    sizes = {(coding.channels, 2), (3, coding.channels, 1, 1)}
    (centres,) = (array for array in arrays if array.shape in sizes)
    assert centres.dtype == np.float32
    if coding.decoder.kind != "mode":
        assert (centres[2] == 1).all()
        centres = centres[:2]
    assert (np.sort(centres.ravel()) == np.sort(given.ravel())).all()
    if coding.decoder.kind == "mode":
        step = exported.spec.size.multiple
        inputs = exported.inputs(lightness_of(photos, 1, 8 * step, 8 * step))
        (chroma,) = exported.run("local", inputs, ["chroma"])
        assert {tuple(ab) for ab in chroma[0].reshape(2, -1).T} <= {tuple(ab) for ab in given}


@pytest.mark.parametrize("render", ["auto", "full", 24])
def test_the_end_to_end_graph_colours_as_the_colorizer(
    exported: Exported, photos: list[NDArray[np.uint8]], render: Render
) -> None:
    bundle = open_bundle(exported.bundle)
    painted = session(end_to_end_graph(bundle, render=render))
    steep = exported.spec.decoder["kind"] == "mode"  # a tie falls to either bin
    with Colorizer(exported.bundle, render=render) as colorizer:
        for photo in photos[:2]:
            picture = photo[3::5, 1::5]
            (rgb,) = painted.run(None, {"frames": picture[None]})
            expected = colorizer.colorize(picture)
            if steep:
                assert (np.abs(rgb[0].astype(int) - expected) > 1).mean() <= 1e-3
            else:
                assert_same_colours(rgb[0], expected)


def test_tensorrt_rtx_builds_the_end_to_end_graph(exported: Exported) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    build_frames_plan(end_to_end_graph(open_bundle(exported.bundle)))

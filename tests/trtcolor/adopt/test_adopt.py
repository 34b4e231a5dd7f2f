"""An adopted network colours as it does when it is run by hand."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from by_hand import chroma_by_hand
from click.testing import CliRunner
from colourisers import SPECS, network, write_toml
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from trtcolor.adopt.adopt import Adopted, adopt
from trtcolor.adopt.spec import SPECS as SHIPPED
from trtcolor.adopt.spec import shipped_specs
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.cli import main
from trtcolor.color import merge_lab
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.images import read_picture

Adopt = Callable[..., Adopted]
KINDS = pytest.mark.parametrize("kind", list(SPECS))


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of models, which does not exist yet."""
    folder = tmp_path / "models"
    monkeypatch.setenv("TRTCOLOR_MODELS", str(folder))
    return folder


@pytest.fixture
def adopted(tmp_path: Path) -> Adopt:
    """Adopts a model, written to ``net.onnx``, by a spec, as the model ``net``."""

    def make(model: onnx.ModelProto, spec: dict[str, Any], **options: Any) -> Adopted:
        (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
        write_toml(tmp_path / "spec.toml", spec)
        return adopt(tmp_path / "net.onnx", tmp_path / "spec.toml", **options)

    return make


def changed(kind: str, **tables: dict[str, Any]) -> dict[str, Any]:
    """A kind's spec with other entries in its tables."""
    spec = {**SPECS[kind]}
    for name, entries in tables.items():
        spec[name] = {**spec.get(name, {}), **entries}
    return spec


def photograph(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A part of a real photograph, in grey."""
    if not photographs():
        pytest.skip("scikit-image, which has the photographs, is not installed")
    pixels = read_picture(photographs()[0]).pixels[100:, 100:]
    return pixels[: size[0], : size[1], :3].mean(axis=2).round().astype(np.uint8)


def check(
    path: Path, spec: dict[str, Any], atol: float, size: tuple[int, int] = (151, 203)
) -> None:
    """Colour a photograph with the model ``net`` and by hand."""
    with Colorizer("net", render="full") as colorizer:
        prepared = colorizer.prepare(photograph(size))
        found = colorizer.predict(prepared)
        coloured = colorizer.merge(prepared, found)
        again = colorizer.colorize(photograph(size))
        scale = colorizer.spec.size.chroma_scale
    expected = chroma_by_hand(path, spec, prepared.network_lightness[0, 0])
    expected = expected[:, : found.shape[1], : found.shape[2]]
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found, expected, atol=atol)
    np.testing.assert_array_equal(coloured, again)
    merged = merge_lab(photograph(size), expected.astype(np.float32), scale=scale)
    assert np.abs(coloured.astype(int) - merged.astype(int)).max() <= max(1, 2 * atol)


@KINDS
@pytest.mark.parametrize("opset", [9, 10, 11, 13, 17, 20])
@pytest.mark.parametrize("batch", [1, "batch"])
def test_a_real_photograph_gets_the_colours_of_the_network_run_by_hand(
    kind: str, opset: int, batch: int | str, adopted: Adopt, tmp_path: Path
) -> None:
    done = adopted(network(kind, opset=opset, batch=batch), SPECS[kind])
    assert done.batch is None
    check(tmp_path / "net.onnx", SPECS[kind], atol=2e-3)


@KINDS
def test_halves_are_cast_to_and_from(kind: str, adopted: Adopt, tmp_path: Path) -> None:
    done = adopted(network(kind, dtype=np.float16), SPECS[kind])
    assert done.spec.precision == "float16"
    check(tmp_path / "net.onnx", SPECS[kind], atol=0.5)


def test_doubles_are_cast_to_and_from(adopted: Adopt, tmp_path: Path) -> None:
    model = network("eccv16", names=("x", "y"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
        value.name = {"x": "first", "y": "last"}[value.name]
    model.graph.node.insert(0, helper.make_node("Cast", ["first"], ["x"], to=1))
    model.graph.node.append(helper.make_node("Cast", ["y"], ["last"], to=onnx.TensorProto.DOUBLE))
    done = adopted(model, SPECS["eccv16"])
    assert done.spec.precision == "float32"
    check(tmp_path / "net.onnx", SPECS["eccv16"], atol=2e-3)


@KINDS
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (33, 17), (257, 300)])
def test_pictures_of_any_size_are_coloured(
    kind: str, size: tuple[int, int], adopted: Adopt, tmp_path: Path
) -> None:
    adopted(network(kind), SPECS[kind])
    check(tmp_path / "net.onnx", SPECS[kind], atol=2e-3, size=size)


@pytest.mark.parametrize("kind", ["eccv16", "siggraph17", "deoldify"])
@pytest.mark.parametrize("opset", [9, 10, 11, 17])
def test_a_network_of_one_size_is_resized_for(
    kind: str, opset: int, adopted: Adopt, tmp_path: Path
) -> None:
    spec = {**SPECS[kind], "size": {"fixed": [64, 64]}}
    done = adopted(network(kind, side=64, batch=1, opset=opset), spec)
    assert (done.spec.size.multiple, done.spec.size.chroma_scale) == (1, 1)
    assert done.spec.size.render_size == 64
    check(tmp_path / "net.onnx", spec, atol=5e-3)


def test_a_wide_fixed_size_is_not_turned(adopted: Adopt, tmp_path: Path) -> None:
    spec = changed("ddcolor", size={"fixed": [32, 64]})
    adopted(network("ddcolor", side="free"), spec)
    check(tmp_path / "net.onnx", spec, atol=2e-3)


def test_a_batch_of_pictures_is_coloured_one_by_one(adopted: Adopt) -> None:
    done = adopted(network("siggraph17", batch=1), SPECS["siggraph17"])
    runner = OnnxRuntimeRunner(open_bundle(done.path))
    pictures = np.random.default_rng(0).uniform(0, 100, (3, 1, 20, 30)).astype(np.float32)
    (together,) = runner.run("local", {"lightness": pictures}, ["chroma"])
    alone = [runner.run("local", {"lightness": p[None]}, ["chroma"])[0][0] for p in pictures]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-4)


def with_fixed_reshape() -> onnx.ModelProto:
    """A network that has the number 1 of its pictures in the shapes inside, as some exports do."""
    model = network("ddcolor", batch=1, side=32)
    last = model.graph.node[-1]
    shape = numpy_helper.from_array(np.array([1, 2, 32, 32]), "shape")
    model.graph.initializer.append(shape)
    last.CopyFrom(helper.make_node("Reshape", [last.input[0], "shape"], list(last.output)))
    return model


def test_a_graph_that_takes_one_picture_alone_stays_so(adopted: Adopt, tmp_path: Path) -> None:
    spec = changed("ddcolor", size={"fixed": [32, 32]})
    done = adopted(with_fixed_reshape(), spec)
    assert done.batch == 1
    (picture,) = onnx.load(done.path / "local.onnx").graph.input
    assert picture.type.tensor_type.shape.dim[0].dim_value == 1
    check(tmp_path / "net.onnx", spec, atol=2e-3)


@pytest.mark.parametrize(
    "coding",
    [
        {"range": [0, 255]},
        {"range": [-1, 1]},
        {"range": [0, 255], "mean": [123.0, 117.0, 104.0], "order": "bgr"},
        {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "order": "bgr"},
    ],
)
def test_every_coding_of_rgb_is_made_and_read(
    coding: dict[str, Any], adopted: Adopt, tmp_path: Path
) -> None:
    scale = 100.0 if coding.get("range") == [0, 255] else 1.0
    model = network("deoldify")
    for tensor in model.graph.initializer:  # the sigmoid's range, so that colours are within reach
        if tensor.dims == []:
            tensor.CopyFrom(
                numpy_helper.from_array(
                    np.float32(scale * numpy_helper.to_array(tensor)), tensor.name
                )
            )
    spec = changed("deoldify")
    spec["input"], spec["output"] = ({"kind": k, **coding} for k in ("grey-rgb", "rgb"))
    adopted(model, spec)
    check(tmp_path / "net.onnx", spec, atol=1e-2)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_chroma_comes_out_at_the_scale_asked_for(
    scale: int, adopted: Adopt, tmp_path: Path
) -> None:
    spec = changed("siggraph17", size={"chroma_scale": scale})
    rule = adopted(network("siggraph17"), spec).spec.size
    assert rule.chroma_scale == scale
    assert rule.multiple == max(2, scale)
    with Colorizer("net", render="full") as colorizer:
        prepared = colorizer.prepare(photograph((64, 96)))
        found = colorizer.predict(prepared)
    whole = chroma_by_hand(tmp_path / "net.onnx", spec, prepared.network_lightness[0, 0])
    areas = whole.reshape(2, 64 // scale, scale, 96 // scale, scale).mean(axis=(2, 4))
    np.testing.assert_allclose(found, areas, atol=2e-3)


@pytest.mark.parametrize(("stride", "scale"), [(1, 1), (2, 2), (3, 2), (4, 4), (8, 4), (16, 4)])
def test_the_networks_own_grid_is_found_and_made_one_that_merges(
    stride: int, scale: int, adopted: Adopt
) -> None:
    kernel = np.random.default_rng(0).normal(0, 1, (2, 1, stride, stride)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], strides=[stride] * 2)],
        "g",
        [helper.make_tensor_value_info("x", 1, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("y", 1, None)],
        [numpy_helper.from_array(kernel, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = changed("eccv16", size={"multiple": stride})
    rule = adopted(model, spec).spec.size
    assert rule.chroma_scale == scale
    assert rule.multiple % stride == rule.multiple % scale == 0


# ---- names, files and forms --------------------------------------------------------------------


@KINDS
def test_nodes_without_names_and_tensors_with_ours_do_not_clash(
    kind: str, adopted: Adopt, tmp_path: Path
) -> None:
    model = network(kind, named=False, names=("chroma", "lightness"))
    for node in model.graph.node:  # names that the wrapping would take itself
        for uses in (node.input, node.output):
            for index, name in enumerate(uses):
                uses[index] = {"t0": "trtcolor/before/Mul_0", "t1": "N"}.get(name, name)
    tables = {"input": {"name": "chroma"}, "output": {"name": "lightness"}}
    adopted(model, changed(kind, **tables))
    check(tmp_path / "net.onnx", changed(kind, **tables), atol=2e-3)


def test_an_inner_graph_that_uses_an_outer_tensor_of_our_name_still_does(
    adopted: Adopt, tmp_path: Path
) -> None:
    model = network("eccv16", names=("lightness", "y"))
    inner = [
        helper.make_graph(
            [helper.make_node(operator, ["y", "lightness"], [f"inner_{operator}"])],
            operator,
            [],
            [helper.make_tensor_value_info(f"inner_{operator}", 1, None)],
        )
        for operator in ("Add", "Mul")
    ]
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    branch = helper.make_node(
        "If", ["always"], ["chroma"], then_branch=inner[0], else_branch=inner[1]
    )
    model.graph.node.append(branch)
    model.graph.output[0].name = "chroma"
    adopted(model, SPECS["eccv16"])
    check(tmp_path / "net.onnx", SPECS["eccv16"], atol=2e-3)


def test_a_bundles_own_graph_is_adopted_again(adopted: Adopt, tmp_path: Path) -> None:
    first = adopted(network("deoldify"), SPECS["deoldify"])
    plain = {"licence": "MIT", "input": {"kind": "lightness"}, "output": {"kind": "ab"}}
    spec = write_toml(tmp_path / "plain.toml", {**plain, "size": {"multiple": 32}})
    second = adopt(first.path / "local.onnx", spec, name="twice")
    grey = photograph((70, 90))
    with Colorizer(first.path) as one, Colorizer(second.path) as two:
        np.testing.assert_array_equal(one.colorize(grey), two.colorize(grey))


def test_weights_in_files_beside_are_taken_along(tmp_path: Path) -> None:
    folder = tmp_path / "far"
    folder.mkdir()
    onnx.save_model(
        network("deoldify"), folder / "net.onnx", save_as_external_data=True, location="net.data",
        size_threshold=0,
    )  # fmt: skip
    done = adopt(folder / "net.onnx", write_toml(tmp_path / "s.toml", SPECS["deoldify"]))
    assert set(done.spec.configuration["source"]) == {"net.onnx", "net.data"}
    (folder / "net.data").rename(tmp_path / "gone")
    with Colorizer("net") as colorizer:
        assert np.ptp(colorizer.colorize(photograph((64, 64))).astype(int), axis=2).max() > 0


def test_weights_that_are_listed_as_inputs_are_none(adopted: Adopt, tmp_path: Path) -> None:
    model = network("eccv16", opset=9)
    model.ir_version = 3  # which wants that
    for tensor in model.graph.initializer:
        info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(info)
    adopted(model, SPECS["eccv16"])
    check(tmp_path / "net.onnx", SPECS["eccv16"], atol=2e-3)


def test_other_outputs_are_dropped(adopted: Adopt, tmp_path: Path) -> None:
    model = network("eccv16")
    scores = helper.make_tensor_value_info("t8", 1, None)
    model.graph.output.insert(0, scores)
    spec = changed("eccv16", output={"name": "output"})
    done = adopted(model, spec)
    assert [v.name for v in onnx.load(done.path / "local.onnx").graph.output] == ["chroma"]
    check(tmp_path / "net.onnx", spec, atol=2e-3)


def test_model_json_says_where_the_model_is_from(adopted: Adopt, tmp_path: Path) -> None:
    done = adopted(network("ddcolor"), {**SPECS["ddcolor"], "description": "a test"}, name="mine")
    entries = json.loads((done.path / "model.json").read_text())
    digest = hashlib.sha256((tmp_path / "net.onnx").read_bytes()).hexdigest()
    assert done.path.name == entries["name"] == "mine"
    assert entries["family"] == "adopted"
    assert entries["licence"] == "Apache-2.0"
    assert entries["configuration"]["source"] == {"net.onnx": digest}
    assert entries["configuration"]["description"] == "a test"
    assert entries["configuration"]["size"]["fixed"] == [256, 256]
    assert set(entries["files"]) == {"local.onnx", "weights.bin"}


def test_the_bundle_is_written_where_it_is_asked_for_and_opens_there(
    adopted: Adopt, models: Path, tmp_path: Path
) -> None:
    done = adopted(network("eccv16"), SPECS["eccv16"], output=tmp_path / "out" / "bundle")
    assert done.path == tmp_path / "out" / "bundle"
    assert open_bundle(done.path).spec.name == "net"
    assert not models.exists()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bundle"}


# ---- what ships --------------------------------------------------------------------------------


def test_the_specs_of_the_four_networks_ship_and_the_help_names_them() -> None:
    assert set(SPECS) <= set(shipped_specs())
    said = " ".join(CliRunner().invoke(main, ["models", "adopt", "--help"]).output.split())
    assert f"Shipped specs: {', '.join(shipped_specs())}." in said


@pytest.mark.parametrize("name", shipped_specs())
def test_a_shipped_spec_takes_a_network_of_its_shape(name: str, tmp_path: Path) -> None:
    kind, _, side = name.partition("-")
    entries = tomllib.loads((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"))
    options: dict[str, Any] = {"side": int(side), "batch": 1} if side else {}
    if name == "ddcolor":
        options = {"side": 512, "batch": 1}
    if kind == "siggraph17":
        options |= {"names": ("input_A", "output")}
    model = network("eccv16" if name == "siggraph17-256" else kind, **options)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    adopt(tmp_path / "net.onnx", name)
    expected = chroma_by_hand(tmp_path / "net.onnx", entries, np.full((64, 96), 40.0, np.float32))
    with Colorizer("net", render="full") as colorizer:
        prepared = colorizer.prepare(photograph((64, 96)))
        assert colorizer.predict(prepared).shape == expected.shape
    if np.abs(expected).max() > 1:
        check(tmp_path / "net.onnx", entries, atol=2e-3)

"""What cannot be adopted is refused in one sentence, and nothing is left behind."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from colourisers import SPECS, network, write_toml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from trtcolor.adopt.adopt import adopt
from trtcolor.bundle import DEFAULT_MODEL
from trtcolor.errors import (
    BundleError,
    ConfigError,
    ExportError,
    OutputExistsError,
    TrtcolorError,
)

Change = Callable[[onnx.ModelProto], None]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of models, empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("TRTCOLOR_MODELS", str(folder))
    return folder


@pytest.fixture
def refused(tmp_path: Path, models: Path) -> Callable[..., str]:
    """Adopts what must be refused; the sentence that says why."""

    def refuse(
        content: onnx.ModelProto | bytes | Path,
        spec: dict[str, Any] | str,
        error: type[TrtcolorError] = ExportError,
    ) -> str:
        path = content if isinstance(content, Path) else tmp_path / "net.onnx"
        if isinstance(content, onnx.ModelProto):
            path.write_bytes(content.SerializeToString())
        elif isinstance(content, bytes):
            path.write_bytes(content)
        if isinstance(spec, dict):
            spec = str(write_toml(tmp_path / "spec.toml", spec))
        with pytest.raises(error) as caught:
            adopt(path, spec)
        assert not list(models.iterdir())
        said = str(caught.value)
        assert ".part" not in said
        assert len(said.splitlines()) == 1
        return said

    return refuse


def changed(kind: str, **tables: Any) -> dict[str, Any]:
    spec = {**SPECS[kind]}
    for name, entries in tables.items():
        spec[name] = {**spec[name], **entries} if name in spec and entries else entries
    return spec


# ---- files that are none -----------------------------------------------------------------------


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("archive/data.pkl", b"")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(pickle.dumps({"weight": [1.0]})), "a pickle"),
        (zipped, "PyTorch checkpoint"),
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_bytes(b"a text file\n" * 9), "is no ONNX file"),
        (lambda path: path.write_bytes(onnx.ModelProto().SerializeToString()), "it is empty"),
        (lambda path: path.write_bytes(helper.make_model(
            helper.make_graph([], "g", [], [])).SerializeToString()), "it holds no graph"),
        (lambda path: path.mkdir(), "is not readable"),
        (lambda path: None, "is not readable"),
    ],
)  # fmt: skip
def test_what_is_no_onnx_is_refused(
    write: Callable[[Path], Any], said: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    write(path)
    assert said in refused(path, SPECS["eccv16"])


def test_a_pickle_is_not_opened(refused: Callable[..., str], tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    refused(pickle.dumps(Trap()), SPECS["eccv16"])
    assert not (tmp_path / "sprung").exists()


def test_a_file_larger_than_the_memory_is_refused(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trtcolor.adopt.onnx_file.available_memory", lambda: 10_000)
    assert "GB of memory are free" in refused(network("deoldify"), SPECS["deoldify"])


def test_weights_that_lack_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save_model(
        network("eccv16"), path, save_as_external_data=True, location="net.data", size_threshold=0
    )
    (tmp_path / "net.data").unlink()
    assert "keeps weights in net.data" in refused(path, SPECS["eccv16"])


@pytest.mark.parametrize("location", ["../../../../../../etc/passwd", "/etc/passwd"])
def test_weights_outside_the_folder_are_refused(location: str, refused: Callable[..., str]) -> None:
    model = network("eccv16")
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    assert "keeps weights in" in refused(model, SPECS["eccv16"])


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_damaged_file_is_adopted_or_refused(models: Path, data: st.DataObject) -> None:
    """Bytes changed or cut off: never another error than one of ours."""
    content = bytearray(network("siggraph17").SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    path = models.parent / "damaged.onnx"
    path.write_bytes(content)
    spec = write_toml(models.parent / "spec.toml", SPECS["siggraph17"])
    with suppress(TrtcolorError):
        adopt(path, spec, name="damaged", overwrite=True)
    assert {entry.name for entry in models.iterdir()} <= {"damaged"}


# ---- specs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"licence": "MIT"}, "lacks an entry that has no default (input, output)"),
        (changed("eccv16", licence=""), "licence is ''"),
        (changed("eccv16", colour="red"), "unknown entries colour"),
        (changed("eccv16", input={"kind": "luma"}), "one of lightness, grey-rgb"),
        (changed("eccv16", input={"mean": [0, 0, 0]}), "the entries mean, which"),
        (changed("deoldify", output={"scale": 2}), "the entries scale, which"),
        (changed("eccv16", input={"scale": 0}), "scale is 0.0"),
        (changed("eccv16", input={"scale": "x"}), "scale is 'x'"),
        (changed("deoldify", input={"std": [1, 0, 1]}), "std is [1.0, 0.0, 1.0]"),
        (changed("deoldify", input={"std": [1, 1]}), "a list of 3 values"),
        (changed("deoldify", input={"range": [1, 1]}), "two different numbers"),
        (changed("deoldify", input={"order": "gbr"}), "one of rgb, bgr"),
        (changed("eccv16", size={"multiple": 0}), "multiple is 0"),
        (changed("eccv16", size={"multiple": 99999}), "multiple is 99999"),
        (changed("eccv16", size={"fixed": [256, 0], "multiple": 1}), "fixed is 0"),
        (changed("eccv16", size={"fixed": [-2, 9], "multiple": 1}), "fixed is -2"),
        (changed("eccv16", size={"fixed": [64, 64]}), "either fixed or multiple"),
        (changed("eccv16", size={"chroma_scale": 3}), "chroma_scale is 3"),
        (changed("eccv16", size={"render_size": -1}), "render_size is -1"),
        (changed("siggraph17", constants={"mask_B": "none"}), "mask_B is 'none'"),
        (changed("siggraph17", constants={"input": 0}), "another input than the picture's"),
    ],
)
def test_an_impossible_spec_is_refused(
    spec: dict[str, Any], said: str, refused: Callable[..., str]
) -> None:
    assert said in refused(network("eccv16"), spec, ConfigError)


def test_a_spec_that_is_no_file_or_name_is_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    assert "name one of ddcolor, " in refused(network("eccv16"), "pix2pix", ConfigError)
    (tmp_path / "spec.toml").write_text("licence = ")
    assert "no readable TOML" in refused(
        network("eccv16"), str(tmp_path / "spec.toml"), ConfigError
    )
    (tmp_path / "spec.toml").write_bytes(b"\xff\xfe")
    assert "no readable TOML" in refused(
        network("eccv16"), str(tmp_path / "spec.toml"), ConfigError
    )


def test_numbers_that_are_not_finite_in_a_spec_are_refused(refused: Callable[..., str]) -> None:
    for entry in ("nan", "inf", "-inf"):
        spec = changed("eccv16", input={"offset": float(entry)})
        assert "finite numbers" in refused(network("eccv16"), spec, ConfigError)


# ---- graphs that do not fit their spec ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "tables", "said"),
    [
        ("eccv16", {"input": {"name": "L"}}, "has no input 'L'; its inputs are input"),
        ("eccv16", {"output": {"name": "ab"}}, "has no output 'ab'; its outputs are output"),
        ("siggraph17", {"input": {"name": ""}, "constants": None}, "has 3 inputs"),
        ("siggraph17", {"constants": None}, "also takes the inputs input_B, mask_B"),
        ("siggraph17", {"constants": {"hints": 0}}, "no input 'hints'"),
        ("deoldify", {"output": {"kind": "ab", "mean": None, "std": None}}, "for the kind 'ab'"),
        ("ddcolor", {"size": {"fixed": [128, 128]}}, "the spec says [128, 128]"),
        ("ddcolor", {"size": {"fixed": [0, 0]}}, "size.fixed = [256, 256]"),
        ("siggraph17", {"size": {"multiple": 1}}, "state size.multiple"),
        ("eccv16", {"size": {"multiple": 2}}, "state size.multiple"),
    ],
)
def test_a_spec_of_another_network_is_refused(
    kind: str, tables: dict[str, Any], said: str, refused: Callable[..., str]
) -> None:
    spec = changed(kind, **tables)
    spec = {
        name: {k: v for k, v in value.items() if v is not None}
        if isinstance(value, dict)
        else value
        for name, value in spec.items()
        if value is not None
    }
    assert said in refused(network(kind), spec)


def declare(name: str, shape: list[Any] | None, kind: int = TensorProto.FLOAT) -> Change:
    def change(model: onnx.ModelProto) -> None:
        for value in (*model.graph.input, *model.graph.output):
            if value.name == name:
                value.CopyFrom(helper.make_tensor_value_info(name, kind, shape))

    return change


def hide_output_and_flatten(model: onnx.ModelProto) -> None:
    model.graph.node[-1].op_type = "Flatten"
    declare("output", None)(model)


def second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("t0", 1, None))


def custom(model: onnx.ModelProto) -> None:
    model.graph.node[-1].domain, model.graph.node[-1].op_type = "org.example", "Colourise"
    model.opset_import.append(helper.make_opsetid("org.example", 1))


def unknown(model: onnx.ModelProto) -> None:
    model.graph.node[-1].op_type = "Colourise"


def poison(value: float) -> Change:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        array = numpy_helper.to_array(tensor).copy()
        array.flat[0] = value
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    return change


def opset(version: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = version

    return change


def random_noise(model: onnx.ModelProto) -> None:
    last = model.graph.node[-1]
    model.graph.node.append(helper.make_node("RandomNormalLike", ["input"], ["noise"]))
    model.graph.node.append(helper.make_node("Add", ["noise", "before"], ["output"]))
    last.output[0] = "before"


def of_one_size(model: onnx.ModelProto) -> None:
    """Declared for any size, but with the numbers of one inside."""
    shape = numpy_helper.from_array(np.array([-1, 2, 64, 64]), "shape")
    model.graph.initializer.append(shape)
    model.graph.node[-1].op_type = "Reshape"
    model.graph.node[-1].input.append("shape")


def empty(model: onnx.ModelProto) -> None:
    """No rows come out."""
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(0, np.int64), "rows"))
    last = model.graph.node[-1]
    last.CopyFrom(helper.make_node("Gather", [last.input[0], "rows"], ["output"], axis=2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (empty, "of shape (1, 2, 0, 8)"),
        (of_one_size, "fails for a picture of 8x8"),
        (declare("input", ["n", 1, "h"]), "of shape (?, 1, ?)"),
        (declare("input", ["n", 3, "h", "w"]), "of shape (?, 3, ?, ?)"),
        (declare("input", [4, 1, "h", "w"]), "takes 4 pictures at a time"),
        (declare("input", ["n", 1, 64, "w"]), "both of H and W free"),
        (declare("input", ["n", 1, 64, 64]), "state size.fixed = [64, 64]"),
        (declare("input", ["n", 1, "h", "w"], TensorProto.UINT8), "of type UINT8"),
        (declare("input", ["n", 1, "h", "w"], 83), "of type number 83"),
        (declare("output", ["n", 2, "h"]), "the output 'output' of shape"),
        (hide_output_and_flatten, "gives 'output' of shape (1, 128)"),
        (second_output, "has 2 outputs"),
        (custom, "ONNX Runtime does not load"),
        (unknown, "ONNX Runtime does not load"),
        (opset(8), "operator set 8"),
        (opset(99), "ONNX Runtime does not load"),
        (poison(np.nan), "not finite"),
        (poison(np.inf), "not finite"),
        (random_noise, "gives the same twice"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(
    change: Change, said: str, refused: Callable[..., str]
) -> None:
    model = network("eccv16")
    change(model)
    assert said in refused(model, SPECS["eccv16"])


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(network("eccv16").SerializeToString())
    spec = write_toml(tmp_path / "spec.toml", SPECS["eccv16"])
    adopt(path, spec)
    with pytest.raises(OutputExistsError):
        adopt(path, spec)
    assert not adopt(path, spec, overwrite=True).hides
    with pytest.raises(BundleError, match="a bundled model is called"):
        adopt(path, spec, name=DEFAULT_MODEL)
    with pytest.raises(BundleError, match="no bundle"):
        adopt(path, spec, output=tmp_path, overwrite=True)


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt(), OSError(28, "No space left"), MemoryError()]
)
@pytest.mark.parametrize("step", ["compare", "onnx.save_model", "install.publish"])
def test_an_interruption_leaves_nothing(
    step: str,
    failure: BaseException,
    tmp_path: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(network("eccv16").SerializeToString())

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(f"trtcolor.adopt.adopt.{step}", fail)
    with pytest.raises((KeyboardInterrupt, ExportError)) as caught:
        adopt(path, write_toml(tmp_path / "spec.toml", SPECS["eccv16"]))
    assert isinstance(caught.value, ExportError) != isinstance(failure, KeyboardInterrupt)
    assert not list(models.iterdir())

"""An ONNX file and what its owner says of it -> a bundle.

Nothing is published before the wrapped graph gave, at several sizes, what the network itself gives
when it is run by hand (reference.py).
"""

from __future__ import annotations

import math
import os
import re
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
from onnx import TensorProto

from trtcolor import install
from trtcolor.adopt.network import Network, load_network
from trtcolor.adopt.onnx_file import all_graphs
from trtcolor.adopt.reference import Reference
from trtcolor.adopt.spec import NetworkSpec, read_spec
from trtcolor.adopt.trial import Grid, compare, measure_grid
from trtcolor.adopt.wrap import INPUT, OUTPUT, wrap
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import SPEC_FILE, Bundle, file_sha256, model_folders, refuse_taken
from trtcolor.errors import BackendError, ExportError
from trtcolor.files import put_folder_in_place, temporary_folder
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule

GRAPH_FILE, WEIGHTS_FILE = "local.onnx", "weights.bin"
TOLERANCES = {"float32": 1e-3, "float16": 3e-2}
"""Of the network's largest |a*b*| (at least 1): halves round the input, and in every layer."""
MIN_EXTERNAL_BYTES = 2048
DEFAULT_TRAINING_SIZE = 256


@dataclass(frozen=True)
class Adopted:
    """What `adopt` did.

    Attributes:
        path: the bundle's folder.
        spec: its ``model.json``.
        batch: pictures that its graph takes at once; None: any number.
        difference: largest difference of a* or b* to the network run by hand.
        hides: whether a bundled model of its name is no longer found.
    """

    path: Path
    spec: ModelSpec
    batch: int | None
    difference: float
    hides: bool


def adopt(
    path: str | os.PathLike[str],
    spec: str | os.PathLike[str],
    *,
    name: str | None = None,
    output: Path | None = None,
    overwrite: bool = False,
) -> Adopted:
    """Make a bundle of a colouriser's ONNX file.

    Args:
        path: the file; weights beside it, if it refers to any.
        spec: what it takes and gives: a TOML file or the name of a spec that comes with trtcolor.
        name: the model's; None: the file's.
        output: folder to write; None installs it into the user's folder of models.
        overwrite: replace a bundle that is there.

    Raises:
        ConfigError: the spec is impossible.
        ExportError: the file is no ONNX, does not fit the spec, fails, or gives numbers that are
            not finite or others once it is wrapped; or the bundle could not be written.
        BackendError: ONNX Runtime is not installed.
        BundleError: the name is impossible or a bundled model's, or something is in its place.
        OutputExistsError: there is a bundle and `overwrite` is false.
    """
    path, said = Path(path), read_spec(spec)
    name = name or re.sub(r"[^A-Za-z0-9._+-]+", "-", path.stem).strip("-.") or "adopted"
    if output is None:
        hides = install.check_target(name, overwrite=overwrite)
    else:
        hides = False
        refuse_taken(output, overwrite=overwrite)
    folder = model_folders()[0] if output is None else output.absolute().parent
    network = load_network(path, said)
    try:
        with temporary_folder(folder) as staging:
            model, batch, difference = _build(network, said, name, staging)
            if output is None:
                output = install.publish(staging, path, overwrite=overwrite).path
            else:
                staging.chmod(0o755)
                put_folder_in_place(staging, output, overwrite=overwrite)
    except MemoryError:
        raise ExportError(
            f"{path} did not fit the memory; several times its size was needed; use a machine "
            "with more"
        ) from None
    except OSError as error:
        raise ExportError(
            f"no bundle of {path} was written into {folder} ({error}); a writable folder with "
            "free space was needed; choose another"
        ) from None
    return Adopted(output, model, batch, difference, hides)


def _build(
    network: Network, said: NetworkSpec, name: str, staging: Path
) -> tuple[ModelSpec, int | None, float]:
    """Write the bundle's files, compared; its spec, its batch and the difference."""
    reference = Reference(network, said)
    grid = measure_grid(network, said, reference)
    precision = _precision(network)
    # Most graphs that were exported for one picture take any number once nothing says otherwise.
    for batch in (None, 1):
        model = wrap(network, said, scale=grid.scale, resizes=grid.resizes, batch=batch)
        _write(model, staging, network.path)
        spec = _model_spec(network, said, grid, name, precision, staging)
        try:
            with closing(OnnxRuntimeRunner(Bundle(staging, spec))) as runner:
                difference = compare(
                    runner,
                    reference,
                    grid,
                    said.size.fixed,
                    tolerance=TOLERANCES[precision],
                    batch=batch,
                )
        except (BackendError, ExportError) as error:
            if batch is None:
                continue
            raise type(error)(str(error).replace(str(staging), str(network.path))) from None
        (staging / SPEC_FILE).write_text(spec.to_json(), encoding="utf-8")
        return spec, batch, difference
    raise AssertionError("unreachable: the second try returns or raises")


def _write(model: onnx.ModelProto, folder: Path, source: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    onnx.save_model(
        model,
        folder / GRAPH_FILE,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=WEIGHTS_FILE,
        size_threshold=MIN_EXTERNAL_BYTES,
    )
    try:
        onnx.checker.check_model(str(folder / GRAPH_FILE))
    except onnx.checker.ValidationError as error:
        raise ExportError(
            f"{source} breaks ONNX's rules ({' '.join(str(error).split())}); a valid graph was "
            "needed; export it again"
        ) from None


def _model_spec(
    network: Network, said: NetworkSpec, grid: Grid, name: str, precision: str, folder: Path
) -> ModelSpec:
    size = said.size
    training_size = size.training_size or min(size.fixed) or DEFAULT_TRAINING_SIZE
    stated = {key: value for key, value in asdict(said).items() if key != "licence"}
    return ModelSpec(
        name=name,
        family="adopted",
        version="1",
        configuration=stated | {"source": network.sha256, "opset": network.opset},
        size=SizeRule(
            multiple=grid.multiple,
            chroma_scale=grid.scale,
            training_size=training_size,
            render_size=size.render_size or min(size.fixed) or training_size,
        ),
        graphs={"local": GraphSpec(GRAPH_FILE, (INPUT,), (OUTPUT,))},
        decoder={"kind": "regression"},
        precision=precision,
        licence=said.licence,
        files={file.name: file_sha256(file) for file in sorted(folder.iterdir())},
    )


def _precision(network: Network) -> str:
    """float16 if most of the weights are halves, or what goes in or comes out."""
    if TensorProto.FLOAT16 in (network.input.type, network.output.type):
        return "float16"
    count: dict[int, int] = {TensorProto.FLOAT: 0, TensorProto.FLOAT16: 0}
    for graph in all_graphs(network.model.graph):
        for tensor in graph.initializer:
            if tensor.data_type in count:
                count[tensor.data_type] += math.prod(tensor.dims)
    return "float16" if count[TensorProto.FLOAT16] > count[TensorProto.FLOAT] else "float32"

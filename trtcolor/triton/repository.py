"""A model as a repository for NVIDIA's Triton Inference Server.

A network without global features is one model, ``frames`` to ``rgb``. With them there are three:
``NAME_features`` (frames to global features), ``NAME_paint`` (frames and global features to rgb),
and the ensemble ``NAME``, which runs one after the other. Who asks for NAME has a picture coloured;
who asks for the two keeps the features of a shot, or takes those of another picture as its style.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.end_to_end.export import need_onnx
from trtcolor.geometry import Render
from trtcolor.spec import ModelSpec
from trtcolor.triton.config import (
    MODEL_FILE,
    Signature,
    Step,
    ensemble_config,
    joined,
    model_config,
    signature_of,
)
from trtcolor.triton.placing import CONFIG_FILE, put_in_place, refuse_taken, staging
from trtcolor.triton.schema import check_config
from trtcolor.triton.serving import Serving
from trtcolor.triton.text_format import Message, text_format
from trtcolor.triton.verify import check_models

if TYPE_CHECKING:
    import onnx

    from trtcolor.end_to_end.graph import Graphs
    from trtcolor.end_to_end.steps import Channels, Gamut

FEATURES, PAINT = "_features", "_paint"
"""Behind the name of the ensemble."""
CLASSES = "class_logits"
VERSION = "1"
LABELS_FILE = "labels.txt"
ENSEMBLE_NOTE = "The server wants this folder; config.pbtxt names the models that are run.\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class Exported:
    """What `export_triton` wrote.

    Attributes:
        name: to ask the server for.
        paths: folders of the models, the one of that name last.
        validated: whether `tritonclient` was there to hold the configurations against its schema.
    """

    name: str
    paths: tuple[Path, ...]
    validated: bool


def export_triton(
    model: str | os.PathLike[str],
    repository: str | os.PathLike[str],
    *,
    name: str | None = None,
    serving: Serving | None = None,
    render: Render = "auto",
    gamut: Gamut = "reduce",
    saturation: float = 1.0,
    channels: Channels = 3,
    graphs: Graphs | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a model into a model repository, whole or not at all.

    Models of other names in it are left alone. Before anything is put in place the graphs run on
    ONNX Runtime and are compared with the `Colorizer`.

    Args:
        model: a bundle's folder or an installed model's name.
        repository: the folder that the server is started with; made if it is missing.
        name: of the model on the server; None: the bundle's.
        serving: batches, instances and warm-up; None: the defaults.
        render, gamut, saturation, channels, graphs: as for
            `trtcolor.end_to_end.graph.end_to_end_graph`.
        overwrite: replace models of the same names.

    Raises:
        ValueError: an argument is none of these.
        UnknownModelError, BundleError, PrecisionError: the model cannot be used.
        OutputExistsError: a model of that name is there and `overwrite` is false.
        ExportError: the graphs do not colour as the `Colorizer` does, the schema refuses the
            configuration, or what is to be overwritten is no model.
    """
    bundle = open_bundle(model)
    name = _checked_name(bundle.spec.name if name is None else name)
    serving = serving or Serving()
    repository = Path(repository)
    parts = (FEATURES, PAINT, "") if bundle.spec.has_global_features else ("",)
    names = [name + part for part in parts]
    refuse_taken(repository, names, overwrite=overwrite)
    settings: dict[str, Any] = {"render": render, "gamut": gamut, "saturation": saturation}
    need_onnx()
    with staging(repository) as staged:
        models = _models(bundle, name, channels=channels, graphs=graphs, **settings)
        check_models(list(models.values()), bundle, graphs=graphs, **settings)
        origin = _origin(bundle.spec, channels=channels, **settings)
        writer = _Writer(staged, serving, origin, bundle.spec.classes)
        writer.write(name, models)
        paths = put_in_place(staged, repository, names, overwrite=overwrite)
    return Exported(name, tuple(paths), writer.validated)


class _Writer:
    """Puts models together in a folder.

    Attributes:
        validated: whether every configuration so far was held against the schema.
    """

    def __init__(
        self, folder: Path, serving: Serving, origin: Mapping[str, str], classes: Sequence[str]
    ) -> None:
        self.folder, self.serving, self.origin, self.classes = folder, serving, origin, classes
        self.validated = True

    def write(self, name: str, models: Mapping[str, onnx.ModelProto]) -> None:
        """One model, or two and the ensemble of them.

        Args:
            name: of the whole.
            models: by name, in the order in which they run.
        """
        steps = [Step(key, self._signature(model)) for key, model in models.items()]
        for step in steps:
            self._file(step.model, MODEL_FILE, models[step.model].SerializeToString())
            config = model_config(step.model, step.signature, self.serving, self.origin)
            self._configure(step.model, step.signature, config)
        if name not in models:
            whole = joined(steps, outputs=("rgb", CLASSES))
            self._file(name, "README", ENSEMBLE_NOTE.encode())  # some stores drop empty folders
            config = ensemble_config(name, steps, whole, self.serving, self.origin)
            self._configure(name, whole, config)

    def _signature(self, model: onnx.ModelProto) -> Signature:
        return signature_of(model, labels={CLASSES: LABELS_FILE} if self.classes else {})

    def _file(self, model: str, file: str, content: bytes) -> None:
        path = self.folder / model / VERSION / file
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    def _configure(self, model: str, signature: Signature, config: Message) -> None:
        text = text_format(config)
        self.validated &= check_config(text)
        (self.folder / model / CONFIG_FILE).write_text(text, encoding="utf-8")
        if any(tensor.labels for tensor in signature.outputs):
            lines = "".join(f"{' '.join(label.split())}\n" for label in self.classes)
            (self.folder / model / LABELS_FILE).write_text(lines, encoding="utf-8")


def _models(
    bundle: Bundle, name: str, *, channels: Channels, graphs: Graphs | None, **settings: Any
) -> dict[str, onnx.ModelProto]:
    """By the names that they get, in the order in which they run."""
    from trtcolor.end_to_end.graph import end_to_end_graph, features_graph

    shared: dict[str, Any] = {"channels": channels, "graphs": graphs}
    if not bundle.spec.has_global_features:
        return {name: end_to_end_graph(bundle, **shared, **settings)}
    classes = CLASSES in bundle.spec.graphs["global"].outputs
    return {
        name + FEATURES: features_graph(bundle, classes=classes, **shared),
        name + PAINT: end_to_end_graph(bundle, features="given", **shared, **settings),
    }


def _origin(spec: ModelSpec, **settings: Any) -> dict[str, str]:
    """What the server shows of where a model comes from."""
    made = {"model": spec.name, "version": spec.version, **settings, "licence": spec.licence}
    return {f"trtcolor_{key}": str(value) for key, value in made.items()}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} came as a model's name; letters, digits, '.', '_', '+' and '-', 100 at "
            "most, were needed; give it another name (here: --name)"
        )
    return name

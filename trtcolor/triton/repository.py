"""A model as a repository for NVIDIA's Triton Inference Server.

A network without global features is one model, ``frames`` to ``rgb``. With them there are three:
``NAME_features`` (frames to global features), ``NAME_paint`` (frames and global features to rgb),
and the ensemble ``NAME``, which runs one after the other. Who asks for NAME has a picture coloured;
who asks for the two keeps the features of a shot, or takes those of another picture as its style.

Of a TensorRT engine every plan is a model, and NAME the ensemble of them (`trtcolor.triton.plans`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtcolor.bundle import Bundle, open_bundle
from trtcolor.end_to_end.export import need_onnx
from trtcolor.engines.entry import open_entry
from trtcolor.geometry import Render
from trtcolor.spec import ModelSpec
from trtcolor.triton.config import Model, onnx_model
from trtcolor.triton.placing import put_in_place, refuse_taken, staging
from trtcolor.triton.plans import NAMES, Plans
from trtcolor.triton.serving import Serving
from trtcolor.triton.verify import check_models
from trtcolor.triton.writing import CLASSES, LABELS_FILE, Writer

if TYPE_CHECKING:
    import onnx

    from trtcolor.end_to_end.graph import Graphs
    from trtcolor.end_to_end.steps import Channels, Gamut

FEATURES, PAINT = "_features", "_paint"
"""Behind the name of the ensemble."""
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

    Models of other names are left alone, parts of an ensemble that NAME was before among them.
    Before anything is put in place the graphs are compared with the CPU path on ONNX Runtime.

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
    parts = (FEATURES, PAINT) if bundle.spec.has_global_features else ()
    placing = _Placing(Path(repository), name, [name + part for part in parts], overwrite)
    settings: dict[str, Any] = {"render": render, "gamut": gamut, "saturation": saturation}
    need_onnx()
    graphs_by_name = _models(bundle, name, channels=channels, graphs=graphs, **settings)
    check_models(list(graphs_by_name.values()), bundle, graphs=graphs, **settings)
    serving, labels = serving or Serving(), _labels(bundle.spec)
    models = {key: onnx_model(graph, serving, labels) for key, graph in graphs_by_name.items()}
    return placing.write(models, bundle.spec, _origin(bundle.spec, channels=channels, **settings))


def check_name(repository: Path, name: str, *, overwrite: bool) -> None:
    """Refuse a model's name that a repository has no room for; parts of an ensemble aside.

    Raises:
        ValueError: the server takes no such name.
        OutputExistsError: a model of that name is there and `overwrite` is false.
        ExportError: the repository is a file, or what is to be overwritten is no model.
    """
    refuse_taken(repository, [_checked_name(name)], overwrite=overwrite)


def export_triton_engine(
    model: str | os.PathLike[str],
    engine: str | os.PathLike[str],
    repository: str | os.PathLike[str],
    *,
    name: str | None = None,
    serving: Serving | None = None,
    channels: Channels = 3,
    trust: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Write a model into a model repository as the plans of a TensorRT engine.

    The ensemble takes ``saturation`` (1,) besides the frames, and its tensors have their batch in
    their shapes. Render size and gamut are the engine's (``trtcolor build-engine --frames``).

    Args:
        model, repository, name, serving, overwrite: as for `export_triton`; batches are at most as
            large as the engine takes, and warm-up sizes have to be of its profiles.
        engine: its folder.
        channels: of the frames, 3 (RGB) or 1 (grey).
        trust: whether the engine may lie elsewhere than in the user's own cache of engines.

    Raises:
        EngineError: the server cannot run it, nobody has yet, it is damaged or not trusted.
        ValueError, UnknownModelError, BundleError, OutputExistsError, ExportError: as from
            `export_triton`.
    """
    bundle = open_bundle(model)
    name = _checked_name(bundle.spec.name if name is None else name)
    need_onnx()
    plans = Plans.of(bundle, open_entry(Path(engine)), serving or Serving())
    made = plans.models(channels, _labels(bundle.spec), trust=trust)
    models = {f"{name}_{key}": model for key, model in made.items()}
    placing = _Placing(Path(repository), name, list(models), overwrite)
    origin = _origin(bundle.spec, channels=channels) | plans.origin()
    renamed = {f"{name}_{key}": names for key, names in NAMES.items()}
    return placing.write(models, bundle.spec, origin, renamed)


class _Placing:
    """Where models go; refuses at once what is taken.

    Args:
        name: of the whole.
        parts: names of what it is an ensemble of; none: it is a model itself.
    """

    def __init__(self, repository: Path, name: str, parts: list[str], overwrite: bool) -> None:
        self.repository, self.name, self.overwrite = repository, name, overwrite
        self.names = [*parts, name]
        refuse_taken(repository, self.names, overwrite=overwrite)

    def write(
        self,
        models: Mapping[str, Model],
        spec: ModelSpec,
        origin: Mapping[str, str],
        renamed: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Exported:
        """Put the models together and in place."""
        with staging(self.repository) as staged:
            writer = Writer(staged, origin, spec.classes)
            writer.write(self.name, models, renamed or {})
            paths = put_in_place(staged, self.repository, self.names, overwrite=self.overwrite)
        return Exported(self.name, tuple(paths), writer.validated)


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


def _labels(spec: ModelSpec) -> dict[str, str]:
    return {CLASSES: LABELS_FILE} if spec.classes else {}


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

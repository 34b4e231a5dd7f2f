"""Checkpoint -> bundle: fold, write the graphs, compare them with torch, put them in place.

Nothing appears under the bundle's name before its graphs gave the same colours as torch on real
pictures of several shapes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_file

from trtcolor import color, metrics
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import SPEC_FILE, file_sha256, open_bundle
from trtcolor.dataset import decode, open_pictures
from trtcolor.demo import photographs
from trtcolor.errors import ExportError
from trtcolor.files import refuse_existing
from trtcolor.images import read_picture
from trtcolor.resize import resize_plane
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule
from trtcolor_train.checkpoint import Checkpoint, load_checkpoint, load_weights
from trtcolor_train.fold import fold
from trtcolor_train.graphs import MIN_SHARED_BYTES, write_graphs
from trtcolor_train.models import family
from trtcolor_train.models.iizuka import JointNetwork

FOLDED_FILE = "folded.safetensors"
Precision = Literal["auto", "float32", "float16"]

# Limits of the comparison with torch, in a*b* units (range 220), and of what halves may cost.
MAX_DIFFERENCE = 1e-2
MEAN_DIFFERENCE = 1e-3
MAX_HALF_CIEDE2000 = 0.1

# Shapes of the comparison, (height, width) in units of the network's multiple: square, portrait,
# landscape, odd ratios, and the smallest there is.
PARITY_SHAPES = ((28, 28), (35, 19), (13, 41), (7, 50), (1, 1), (1, 9))


@dataclass(frozen=True)
class Parity:
    """How far the graphs are from torch.

    Attributes:
        max_difference: of a*b*, over all pictures, shapes and graphs.
        mean_difference: likewise.
        ciede2000: mean difference that the storage precision makes in the coloured pictures,
            against float32 weights.
        comparisons: how many outputs were compared.
    """

    max_difference: float
    mean_difference: float
    ciede2000: float
    comparisons: int


def export(
    checkpoint_path: Path,
    bundle: Path,
    *,
    precision: Precision = "auto",
    pictures: str | None = None,
    name: str | None = None,
    version: str = "1",
    licence: str = "unstated; that of the training pictures applies",
    render_size: int | None = None,
    folded: bool = True,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Parity]:
    """Write a bundle.

    Args:
        checkpoint_path: written by the training.
        bundle: folder to make.
        precision: storage of the weights; ``auto`` takes float16 where it costs less than 0.1
            CIEDE2000.
        pictures: data to compare on (`trtcolor.dataset.open_pictures`); None takes the
            photographs inside scikit-image.
        name, version, licence: for the spec; the name is the configuration's if None.
        render_size: default of ``render="auto"``; the training size if None.
        folded: also write the folded weights as ``folded.safetensors``.
        overwrite: replace a bundle that is there.
        say: called with a line about what was done.

    Returns:
        The bundle's path and its parity.

    Raises:
        CheckpointError: the checkpoint is none or does not fit its family.
        OutputExistsError: the folder is there and ``overwrite`` is false.
        ExportError: the graphs differ from torch, the folder cannot be written, or something is
            there that is no bundle.
    """
    checkpoint = load_checkpoint(checkpoint_path)
    _check_target(bundle, overwrite)
    network = network_from_checkpoint(checkpoint, source=str(checkpoint_path))
    grey = _parity_pictures(pictures)
    for stored in ("float16", "float32") if precision == "auto" else (precision,):
        temporary = _temporary_folder(bundle)
        try:
            spec = _write_bundle(
                temporary, checkpoint, network, stored, name, version, licence, render_size, folded
            )
            parity = _compare(temporary, network, stored, grey)
            say(
                f"{stored}: a*b* differ from torch by {parity.max_difference:.1e} at most, "
                f"{parity.mean_difference:.1e} on average, over {parity.comparisons} outputs; "
                f"storage costs {parity.ciede2000:.3f} CIEDE2000"
            )
            too_coarse = parity.ciede2000 >= MAX_HALF_CIEDE2000
            if precision == "auto" and stored == "float16" and too_coarse:
                continue
            _check_parity(parity, spec)
            temporary.chmod(0o755)
            _put_in_place(temporary, bundle, overwrite)
            return bundle, parity
        except (OSError, SafetensorError) as error:
            raise _not_written(bundle, error) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise AssertionError("unreachable: float32 storage costs nothing")


def network_from_checkpoint(checkpoint: Checkpoint, *, source: str) -> JointNetwork:
    """The trained network, in evaluation mode.

    Raises:
        CheckpointError: the weights do not fit the family and dimensions that the checkpoint names.
        ConfigError: no such family.
    """
    settings = checkpoint.config.network
    dimensions = {**settings.dimensions}
    if family(settings.family).dimensions.classes:
        dimensions["classes"] = len(checkpoint.classes)
    network = family(settings.family).build(dimensions)
    load_weights(network, checkpoint, source=source)
    return network.eval()


def _temporary_folder(bundle: Path) -> Path:
    try:
        bundle.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{bundle.name}.", dir=bundle.parent))
    except OSError as error:
        raise _not_written(bundle, error) from None


def _not_written(bundle: Path, error: Exception) -> ExportError:
    return ExportError(
        f"{bundle} could not be written ({error}); a writable folder with free space was needed; "
        "choose another"
    )


def _check_target(bundle: Path, overwrite: bool) -> None:
    if os.path.lexists(bundle) and not (bundle / SPEC_FILE).is_file():
        raise ExportError(
            f"{bundle} is there and no bundle; only a bundle is overwritten; choose another name"
        )
    if not overwrite:
        refuse_existing(bundle)


def _parity_pictures(source: str | None) -> list[NDArray[np.float32]]:
    """Lightness planes (H, W) of real pictures."""
    if source is None:
        files = photographs()
        if not files:
            raise ExportError(
                "no pictures to compare the graphs with torch on; those inside scikit-image or "
                "some of your own were needed; install it or give --pictures"
            )
        return [color.lightness_from_rgb(read_picture(file).pixels[..., :3]) for file in files]
    samples = open_pictures(source).samples[:8]
    return [color.lightness_from_rgb(decode(sample)) for sample in samples]


def _write_bundle(
    folder: Path,
    checkpoint: Checkpoint,
    network: JointNetwork,
    precision: str,
    name: str | None,
    version: str,
    licence: str,
    render_size: int | None,
    with_folded: bool,
) -> ModelSpec:
    d = network.dimensions
    folded = fold(network)
    names = write_graphs(folded, folder, precision)
    if with_folded:
        state = {key: value.contiguous() for key, value in folded.state_dict().items()}
        save_file(state, folder / FOLDED_FILE)
    config = checkpoint.config
    spec = ModelSpec(
        name=name or config.name,
        family=config.network.family,
        version=version,
        configuration=asdict(d),
        size=SizeRule(
            multiple=d.low_stride,
            chroma_scale=d.chroma_scale,
            training_size=d.training_size,
            global_size=d.training_size if d.has_global else None,
            render_size=render_size or d.training_size,
        ),
        graphs={key: GraphSpec(f"{key}.onnx", *value) for key, value in names.items()},
        decoder={"kind": "regression"},
        precision=precision,
        licence=licence,
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
        classes=checkpoint.classes if d.classes else (),
        training={
            "steps": checkpoint.step,
            "batch_size": config.training.batch_size,
            "data": checkpoint.data,
            "loss": asdict(config.loss),
            "optimizer": asdict(config.optimizer),
        },
    )
    (folder / SPEC_FILE).write_text(spec.to_json(), encoding="utf-8")
    return spec


@torch.no_grad()
def _compare(
    folder: Path, network: JointNetwork, precision: str, pictures: list[NDArray[np.float32]]
) -> Parity:
    """Run every picture at several shapes through torch and through the graphs.

    The graphs are held against torch with the weights rounded as they are stored, which they must
    equal; what the rounding itself costs is measured apart, against the unfolded network.
    """
    bundle = open_bundle(folder)
    rule = bundle.spec.size
    rounded = fold(network)
    if precision == "float16":
        for parameter in rounded.parameters():
            if parameter.numel() * parameter.element_size() >= MIN_SHARED_BYTES:
                parameter.copy_(parameter.half().float())
    runner = OnnxRuntimeRunner(bundle)
    differences: list[NDArray[np.float32]] = []
    costs: list[float] = []
    for index, picture in enumerate(pictures):
        for rows, columns in (PARITY_SHAPES[0], PARITY_SHAPES[1:][index % len(PARITY_SHAPES[1:])]):
            size = (rows * rule.multiple, columns * rule.multiple)
            lightness = resize_plane(picture, size)[None, None]
            side = rule.global_size
            square = None if side is None else resize_plane(picture, (side, side))[None, None]
            found = _chroma_of_graphs(runner, lightness, square)
            true = _chroma_of_torch(rounded, lightness, square)
            differences += [np.abs(f - t).ravel() for f, t in zip(found, true, strict=True)]
            unrounded = _chroma_of_torch(network, lightness, square)
            coloured = (
                color.merge_lab(lightness[0, 0], chroma[0][0], scale=rule.chroma_scale)
                for chroma in (found, unrounded)
            )
            costs.append(metrics.mean_ciede2000(*coloured))
    runner.close()
    every = np.concatenate(differences)
    return Parity(float(every.max()), float(every.mean()), float(np.mean(costs)), len(differences))


def _chroma_of_graphs(
    runner: OnnxRuntimeRunner, lightness: NDArray[np.float32], square: NDArray[np.float32] | None
) -> list[NDArray[np.float32]]:
    """Chroma of the local graph fed by the global one, and of the joint graph."""
    if square is None:
        return runner.run("local", {"lightness": lightness}, ["chroma"])
    (features,) = runner.run("global", {"lightness": square}, ["global_features"])
    inputs = {"lightness": lightness, "global_features": features}
    return [
        *runner.run("local", inputs, ["chroma"]),
        *runner.run("joint", {"lightness": square}, ["chroma"]),
    ]


def _chroma_of_torch(
    network: JointNetwork, lightness: NDArray[np.float32], square: NDArray[np.float32] | None
) -> list[NDArray[np.float32]]:
    """The same from torch."""
    low = network.low(network.normalise(torch.from_numpy(lightness)))
    if square is None:
        return [network.colorize(low, None).numpy()]
    joint = network(torch.from_numpy(square))
    return [network.colorize(low, joint.global_features).numpy(), joint.chroma.numpy()]


def _check_parity(parity: Parity, spec: ModelSpec) -> None:
    if not (parity.max_difference <= MAX_DIFFERENCE and parity.mean_difference <= MEAN_DIFFERENCE):
        raise ExportError(
            f"the graphs of {spec.name!r} differ from torch by {parity.max_difference:.2e} at most "
            f"and {parity.mean_difference:.2e} on average in a*b*; at most {MAX_DIFFERENCE:g} and "
            f"{MEAN_DIFFERENCE:g} were needed; nothing was written, report this as a fault"
        )


def _put_in_place(temporary: Path, bundle: Path, overwrite: bool) -> None:
    if overwrite and bundle.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{bundle.name}.", dir=bundle.parent))
        os.rename(bundle, aside / bundle.name)
        try:
            os.rename(temporary, bundle)
        except BaseException:
            os.rename(aside / bundle.name, bundle)
            aside.rmdir()
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(temporary, bundle)

"""Checkpoint -> bundle: fold, write the graphs, compare them with torch, put them in place.

Nothing appears under the bundle's name before its graphs gave the same colours as torch on real
pictures of several shapes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from trtcolor import color
from trtcolor.bundle import SPEC_FILE, file_sha256, refuse_taken
from trtcolor.dataset import decode, open_pictures
from trtcolor.demo import photographs
from trtcolor.errors import ConfigError, ExportError
from trtcolor.files import put_folder_in_place
from trtcolor.images import read_picture
from trtcolor.spec import GraphSpec, ModelSpec, SizeRule
from trtcolor_train.bins import AbBins
from trtcolor_train.build import network_from_checkpoint
from trtcolor_train.checkpoint import Checkpoint, load_checkpoint
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.fold import fold
from trtcolor_train.graphs import GraphNames, write_graphs
from trtcolor_train.halo import measure_halo
from trtcolor_train.map_bytes import measure_map_bytes
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.parity import Parity, check_parity, compare
from trtcolor_train.weights import fits_float16, rounded

FOLDED_FILE = "folded.safetensors"
Precision = Literal["auto", "float32", "float16"]
MAX_HALF_CIEDE2000 = 0.1  # what halves may cost


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
    decoder: Decoder | None = None,
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
        decoder: how the scores of a classifier's colour bins become a*b*; None: the annealed mean.
        overwrite: replace a bundle that is there.
        say: called with a line about what was done.

    Returns:
        The bundle's path and its parity.

    Raises:
        CheckpointError: the checkpoint is none or does not fit its family.
        ConfigError: a decoder came for a network without bins.
        OutputExistsError: the folder is there and ``overwrite`` is false.
        BundleError: something is there that is no bundle.
        ExportError: weights are not finite or do not fit the precision, the graphs differ from
            torch, or the folder cannot be written.
    """
    checkpoint = load_checkpoint(checkpoint_path, optimizer=False)
    refuse_taken(bundle, overwrite=overwrite)
    network = network_from_checkpoint(checkpoint, source=str(checkpoint_path))
    coding = network.coding
    if isinstance(coding, BinCoding):
        coding.decoder = decoder or Decoder()
        _check_rebalancing(coding, checkpoint_path)
    elif decoder is not None:
        raise ConfigError(
            f"a decoder came for {checkpoint.config.network.family!r}, which predicts colours and "
            "not bins; a classifier was needed; leave it out"
        )
    plain = fold(network)
    _check_finite(plain, checkpoint_path)
    grey = _parity_pictures(pictures)
    for stored in _precisions(precision, plain):
        temporary = _temporary_folder(bundle)
        try:
            halves = rounded(plain) if stored == "float16" else None
            names = write_graphs(halves or plain, temporary, stored)
            if folded:
                state = {key: value.contiguous() for key, value in plain.state_dict().items()}
                save_file(state, temporary / FOLDED_FILE)
            spec = _write_spec(
                temporary, checkpoint, network, stored, names, name, version, licence, render_size
            )
            parity = compare(temporary, network, halves or network, grey)
            say(f"{stored}: {parity}")
            too_coarse = parity.ciede2000 >= MAX_HALF_CIEDE2000
            if precision == "auto" and stored == "float16" and too_coarse:
                continue
            check_parity(parity, spec)
            _write_memory(temporary, spec, network)
            temporary.chmod(0o755)
            put_folder_in_place(temporary, bundle, overwrite=overwrite)
            return bundle, parity
        except (OSError, SafetensorError) as error:
            raise _not_written(bundle, error) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise AssertionError("unreachable: float32 storage costs nothing")


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


def _parity_pictures(source: str | None) -> list[NDArray[np.float32]]:
    """Lightness planes (H, W) of real pictures."""
    if source is None:
        files = photographs()
        if not files:
            raise ExportError(
                "no pictures to compare the graphs with torch on; those inside scikit-image or "
                "some of your own were needed; install it or give --pictures"
            )
        return [color.lightness_from_rgb(read_picture(file).rgb8) for file in files]
    samples = open_pictures(source).samples[:8]
    return [color.lightness_from_rgb(decode(sample)) for sample in samples]


def _check_finite(network: ColorNetwork, path: Path) -> None:
    for name, tensor in network.state_dict().items():
        if not tensor.isfinite().all():
            raise ExportError(
                f"{path} holds weights that are not finite ({name}, batch norm folded); numbers "
                "were needed; export an earlier checkpoint"
            )


def _check_rebalancing(coding: BinCoding, path: Path) -> None:
    """Refuse to rebalance bins of which nobody knows how rare they are."""
    counted = isinstance(coding, AbBins) and bool((coding.class_weights != 1).any())
    if coding.decoder.rebalancing and not counted:
        raise ConfigError(
            f"a rebalancing came for {path}, whose training did not count how rare its bins are; "
            "a*b* bins trained with training.resident or loss.rebalance were needed; leave it out"
        )


def _precisions(asked: Precision, network: ColorNetwork) -> tuple[str, ...]:
    """The storage precisions to try, in this order."""
    if asked != "auto":
        return (asked,)
    return ("float16", "float32") if fits_float16(network) else ("float32",)


def _write_spec(
    folder: Path,
    checkpoint: Checkpoint,
    network: ColorNetwork,
    precision: str,
    names: GraphNames,
    name: str | None,
    version: str,
    licence: str,
    render_size: int | None,
) -> ModelSpec:
    d, config = network.dimensions, checkpoint.config
    spec = ModelSpec(
        name=name or config.name,
        family=config.network.family,
        version=version,
        configuration=asdict(d),
        size=SizeRule(
            multiple=d.multiple,
            chroma_scale=d.chroma_scale,
            training_size=d.training_size,
            global_size=d.training_size if d.global_width else None,
            render_size=render_size or d.training_size,
            halo=measure_halo(network),
        ),
        graphs={key: GraphSpec(f"{key}.onnx", *value) for key, value in names.items()},
        decoder=_decoder(network, rebalanced=config.loss.rebalance),
        precision=precision,
        licence=licence,
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
        classes=checkpoint.classes if d.classes else (),
        training={
            "steps": checkpoint.step,
            "batch_size": config.training.batch_size,
            "seconds": checkpoint.seconds,
            "start": checkpoint.start,
            "data": checkpoint.data,
            "loss": asdict(config.loss),
            "optimizer": asdict(config.optimizer),
        },
    )
    (folder / SPEC_FILE).write_text(spec.to_json(), encoding="utf-8")
    return spec


def _write_memory(folder: Path, spec: ModelSpec, network: ColorNetwork) -> None:
    """Add to the spec what the finished graph takes."""
    d = network.dimensions
    measured = measure_map_bytes(folder, d.multiple, d.global_width)
    spec = replace(spec, size=replace(spec.size, map_bytes=measured))
    (folder / SPEC_FILE).write_text(spec.to_json(), encoding="utf-8")


def _decoder(network: ColorNetwork, *, rebalanced: bool) -> dict[str, Any]:
    """What the spec says of how chroma comes out."""
    coding = network.coding
    if not isinstance(coding, BinCoding):
        return {"kind": "regression"}
    decoder = coding.decoder
    entries: dict[str, Any] = {"kind": decoder.kind, "bins": coding.channels}
    if isinstance(coding, AbBins):
        entries |= {"space": "ab", "centres": _rounded(coding.centres)}
        if rebalanced:
            entries["class_weights"] = _rounded(coding.class_weights)
    else:
        entries["space"] = "luv"
    if decoder.kind == "annealed-mean":
        entries["temperature"] = decoder.temperature
    if decoder.smoothing:
        entries["smoothing"] = decoder.smoothing
    if decoder.rebalancing:
        entries["rebalancing"] = decoder.rebalancing
    if decoder.saturation != 1:
        entries["saturation"] = decoder.saturation
    return entries


def _rounded(values: Tensor) -> Any:
    """As nested lists of numbers of four decimals."""
    return np.round(values.double().numpy(), 4).tolist()

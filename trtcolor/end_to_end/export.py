"""One self-contained ONNX file from frames to frames, compared before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtcolor.bundle import Bundle
from trtcolor.errors import ExportError
from trtcolor.files import refuse_existing, whole_file
from trtcolor.geometry import Render

if TYPE_CHECKING:
    from trtcolor.end_to_end.compare import Comparison
    from trtcolor.end_to_end.graph import Features, Graphs
    from trtcolor.end_to_end.steps import Channels, Gamut

LARGEST = 2**31 - 1
"""Bytes of an ONNX file, which is one protobuf message."""


@dataclass(frozen=True)
class Exported:
    """An end-to-end graph on the disk, and how far it is from the CPU path."""

    path: Path
    comparison: Comparison


def export_end_to_end(
    bundle: Bundle,
    file: Path,
    *,
    render: Render = "auto",
    gamut: Gamut = "reduce",
    saturation: float = 1.0,
    channels: Channels = 3,
    features: Features = "own",
    graphs: Graphs | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write `trtcolor.end_to_end.graph.end_to_end_graph` as a file, whole or not at all.

    Before it gets its name it has coloured pictures of several sizes on ONNX Runtime as the CPU
    path does: no byte is more than 2 away, and at most 0.01 % are more than 1 away; see
    `trtcolor.end_to_end.compare.JUMPING_BEYOND` for networks whose own numbers jump.

    Args:
        bundle: verified.
        file: to be, with all weights inside; its folder exists.
        render, gamut, saturation, channels, features, graphs: as for `end_to_end_graph`.
        overwrite: replace a file that is there.

    Raises:
        OutputExistsError: there is a file and `overwrite` is false.
        ExportError: it gives other colours, is larger than an ONNX file can be, its folder is not
            there, or onnx, which writes it, is not installed.
        BackendError: ONNX Runtime is not installed, or does not run it.
        ValueError, NoGlobalFeaturesError, PrecisionError: as from `end_to_end_graph`.
        OSError: the disk is full, the folder not writable, and so on.
    """
    need_onnx()
    from trtcolor.end_to_end.compare import check, compare
    from trtcolor.end_to_end.graph import end_to_end_graph

    refuse_place(file, overwrite=overwrite)
    model = end_to_end_graph(
        bundle,
        render=render,
        gamut=gamut,
        saturation=saturation,
        channels=channels,
        features=features,
        graphs=graphs,
    )
    if model.ByteSize() > LARGEST:
        raise ExportError(
            f"the end-to-end graph of {bundle.spec.name!r} has {model.ByteSize() / 1e9:.1f} GB; an "
            "ONNX file holds 2.1 GB; take a narrower network, or fp16"
        )
    comparison = compare(
        model, bundle, render=render, gamut=gamut, saturation=saturation, graphs=graphs
    )
    check(comparison, bundle, jumps=graphs is not None or bundle.spec.decoder["kind"] == "mode")
    with whole_file(file, overwrite=overwrite) as stream:
        stream.write(model.SerializeToString())
    return Exported(file, comparison)


def refuse_place(file: Path, *, overwrite: bool) -> None:
    """Refuse a file that could not be written.

    Raises:
        OutputExistsError: it is there and `overwrite` is false.
        ExportError: its folder is not there, or it is a folder itself.
    """
    if not overwrite:
        refuse_existing(file)
    if file.is_dir():
        raise ExportError(f"{file} is a folder; a file's name was needed; add one to the path")
    if not file.absolute().parent.is_dir():
        raise ExportError(
            f"{file} would lie in {file.parent}, which is no folder; one that is there was needed; "
            "make it first"
        )


def need_onnx() -> None:
    """Turn a missing package into one sentence."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ExportError(
            f'{error}; onnx was needed to write graphs; run: pip install "trtcolor[cpu,export]"'
        ) from None

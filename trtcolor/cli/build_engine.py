"""The command ``build-engine``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trtcolor.backends.available import CUDA, PACKAGES, PRECISIONS
from trtcolor.cli.options import PATH, Render, given_options

if TYPE_CHECKING:
    from trtcolor.engines.build import Built

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Bytes(click.ParamType[int]):
    """A number of bytes, with K, M or G behind it for powers of 1024."""

    name = "BYTES[K|M|G]"

    def convert(self, value: Any, param: Any, context: Any) -> int:
        match = re.fullmatch(r"([0-9]{1,15})([KMG]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
        if match is None or int(match[1]) == 0:
            self.fail(
                f"{value!r} is no size; a positive number of bytes was needed, as in 512M or 2G",
                param,
                context,
            )
        return int(match[1]) * UNITS[match[2].upper()]


@click.command("build-engine")
@click.argument("bundle", default="default")
@click.option(
    "--backend",
    type=click.Choice(("auto", *(name for name in PACKAGES if name not in CUDA))),
    default="auto",
    show_default=True,
    help="auto: tensorrt where it works with the GPU here, else tensorrt-rtx.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Default: fp16 for the TensorRTs, fp32 for the others, which know that and int8.",
)
@click.option(
    "--profile",
    "profiles",
    metavar="MIN:OPT:MAX",
    multiple=True,
    help="Sizes as N, WxH or BATCHxWxH; may be given again. Default: single pictures up to 2048.",
)
@click.option(
    "--target",
    default="this",
    show_default=True,
    help="This machine's GPU, or compute capabilities as in sm89,sm120 (tensorrt-rtx).",
)
@click.option("--workspace", type=Bytes(), help="GPU memory for intermediate results.")
@click.option(
    "--pictures",
    metavar="FOLDER|SHARDS",
    help="To calibrate int8 on and to judge by; default: the photographs inside scikit-image.",
)
@click.option(
    "--frames",
    is_flag=True,
    help="Also build plans for before and behind the network, so that frames in GPU memory stay "
    "there (the TensorRTs).",
)
@click.option(
    "--frame-profile",
    "frame_profiles",
    metavar="MIN:OPT:MAX",
    multiple=True,
    help="Sizes of these frames; may be given again. Default: single ones up to 4096, if the "
    "network sees them reduced.",
)
@click.option(
    "--render",
    type=Render(),
    default="auto",
    show_default=True,
    help="How large the network is to see these frames, as for colorize.",
)
@click.option(
    "--gamut",
    type=click.Choice(("reduce", "clip")),
    default="reduce",
    show_default=True,
    help="What becomes of colours of theirs that sRGB does not have: less chroma, or clipped.",
)
@click.option("--accept-error", is_flag=True, help="Build it even if its colours are too far off.")
@click.option(
    "-o", "--output", type=PATH, help="Put it in this folder instead of your cache of engines."
)
def build_engine(
    bundle: str,
    backend: str,
    precision: Any,
    profiles: tuple[str, ...],
    target: str,
    workspace: int | None,
    pictures: str | None,
    frames: bool,
    frame_profiles: tuple[str, ...],
    render: Any,
    gamut: Any,
    accept_error: bool,
    output: Path | None,
) -> None:
    """Build the engine of BUNDLE, a model's name or folder, check its colours and keep it.

    With --frames a Colorizer on the engine takes frames in GPU memory (DLPack or CUDA Array
    Interface: PyTorch, CuPy, pycuda, a video decoder) and gives frames there, for the one --render
    and --gamut that the engine is built for.
    """
    _check_for_frames(frames)
    from trtcolor.backends.frame_plans import FramePlans
    from trtcolor.engines.build import build_engine as build
    from trtcolor.engines.profile import ShapeProfile
    from trtcolor.engines.progress import bar

    built = build(
        bundle,
        backend=backend,
        precision=precision,
        profiles=tuple(map(ShapeProfile.parse, profiles)),
        target=target,
        workspace=workspace,
        pictures=pictures,
        frames=FramePlans(render, gamut) if frames else None,
        frame_profiles=tuple(map(ShapeProfile.parse, frame_profiles)),
        accept_error=accept_error,
        folder=output,
        bar=bar,
        say=_tell,
    )
    for line in _summary(built):
        click.echo(line)


def _check_for_frames(frames: bool) -> None:
    given = given_options()
    idle = [given[name] for name in ("frame_profiles", "render", "gamut") if name in given]
    if idle and not frames:
        raise click.UsageError(
            f"{', '.join(idle)} came without --frames, of whose plans alone they say something; "
            "give that too, or leave them out"
        )


def _summary(built: Built) -> Iterator[str]:
    from trtcolor.engines.report import frames_text, megabytes, plain, state

    entry = built.entry
    config = entry.sidecar.identity.config
    for warning in built.warnings:
        yield plain(f"warning of the builder: {warning}")
    yield f"{'found, built before' if built.found else 'built'} in {built.seconds:.1f} s:"
    yield plain(f"  engine     {entry.path}")
    yield f"  files      {', '.join(_file(name, built) for name in entry.sidecar.graphs)}"
    yield f"  precision  {config.precision}, {state(entry)}"
    float_layers = (entry.sidecar.gate or {}).get("float_layers")
    if float_layers:
        yield plain(f"  in float   {', '.join(float_layers)}")
    if entry.sidecar.speed is not None:
        yield plain(f"  speed      {entry.sidecar.speed}")
    yield f"  profiles   {', '.join(map(str, config.profiles))}"
    if config.frames is not None:
        yield f"  frames     {frames_text(config)}"
    yield plain(f"  runs on    {', '.join(config.targets) or entry.sidecar.identity.device}")
    if built.peak_memory is not None and not built.found:
        yield f"  memory     {megabytes(built.peak_memory)} at most while building"


def _file(name: str, built: Built) -> str:
    from trtcolor.engines.report import megabytes

    graph = built.entry.sidecar.graphs[name]
    return f"{name} {megabytes(graph.bytes)} in {graph.seconds:.1f} s"


def _tell(line: str) -> None:
    click.echo(line, err=True)

"""The commands ``trtcolor train`` and ``trtcolor export``.

The runtime never imports this package: pyproject.toml registers both under ``trtcolor.commands``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trtcolor.cli.options import PATH, given_options
from trtcolor.cli.served import Served, served_options
from trtcolor.cli.triton import Server, triton_options
from trtcolor.errors import ConfigError, TrtcolorError

OF_CHECKPOINTS = (
    "precision",
    "name",
    "licence",
    "render_size",
    "folded",
    "decoder",
    "temperature",
    "smoothing",
    "rebalancing",
)
"""Parameters of ``export`` that say how a checkpoint becomes a bundle."""


@click.command()
@click.argument("config", type=PATH)
@click.option(
    "--data", type=PATH, default=Path(), help="Folder that the configuration's paths start from."
)
@click.option("--run", type=PATH, help="Run folder; default: runs/NAME of the configuration.")
@click.option("--resume", is_flag=True, help="Go on from the run folder's checkpoint.")
@click.option("--init", type=PATH, help="Start from the weights of this checkpoint.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="SECTION.ENTRY=VALUE",
    help="Another value than CONFIG's, for example training.steps=100; may be given many times.",
)
def train(
    config: Path,
    data: Path,
    run: Path | None,
    resume: bool,
    init: Path | None,
    changes: tuple[str, ...],
) -> None:
    """Train a network as CONFIG (TOML) says.

    Processes share the work as: torchrun --nproc-per-node N -m -- trtcolor_train CONFIG [OPTIONS]
    """
    _need_training_package()
    from trtcolor_train.checkpoint import load_checkpoint
    from trtcolor_train.config import read_config
    from trtcolor_train.loop import train as run_training
    from trtcolor_train.parallel import own_rank

    if resume and init:
        raise ValueError("--resume and --init came; one of them was needed; leave one out")
    settings = read_config(config, changes)
    run = run or Path("runs") / settings.name
    path = run_training(settings, run, data_root=data, resume=resume, init=init)
    if own_rank() == 0:
        click.echo(f"{path}: step {load_checkpoint(path, optimizer=False).step}")


@click.command()
@click.argument("source", type=PATH, metavar="CHECKPOINT|MODEL")
@click.argument("bundle", type=PATH, required=False)
@served_options
@triton_options
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "float16"]),
    default="auto",
    show_default=True,
    help="Storage of the weights; auto: float16 if it costs less than 0.1 CIEDE2000.",
)
@click.option("--pictures", help="Data to compare on; default: scikit-image's.")
@click.option("--name", help="The model's name; default: the configuration's, or MODEL's.")
@click.option(
    "--licence",
    default="unstated; that of the training pictures applies",
    show_default=True,
    help="Of the weights.",
)
@click.option("--render-size", type=click.IntRange(min=1), help="Default of render=auto.")
@click.option(
    "--folded/--no-folded", default=True, show_default=True, help="Also write folded.safetensors."
)
@click.option(
    "--decoder",
    type=click.Choice(["mode", "mean", "annealed-mean"]),
    help="How a classifier's colour bins become a*b*; default: annealed-mean.",
)
@click.option("--temperature", type=float, help="Of the annealed mean; default: 0.38.")
@click.option(
    "--smoothing",
    type=float,
    help="Deviation of a Gaussian over the bins' scores, in samples of the output grid.",
)
@click.option(
    "--rebalancing",
    type=float,
    help="Favour rare bins by this power of their rarity, -1 to 1; default: 0.",
)
@click.option(
    "--saturation",
    type=float,
    help="Factor on a*b*, of a CHECKPOINT with bins 0 to 4, in MODEL's graph 0 to 10; default: 1.",
)
@click.option("--overwrite", is_flag=True, help="Replace what exists.")
def export(
    source: Path,
    bundle: Path | None,
    end_to_end: Path | None,
    render: Any,
    gamut: Any,
    channels: Any,
    features: Any,
    arithmetic: Any,
    **options: Any,
) -> None:
    """Write CHECKPOINT as a BUNDLE folder: batch norm folded, ONNX graphs, compared with torch.

    With --end-to-end also write the bundle as one graph from frames to frames, with --triton into a
    server's repository, or, without BUNDLE, do so for MODEL, an installed model's name or a
    bundle's folder.
    """
    from trtcolor.bundle import open_bundle

    served = Served(
        end_to_end=end_to_end,
        render=render,
        gamut=gamut,
        channels=channels,
        features=features,
        arithmetic=arithmetic,
        pictures=options["pictures"],
        overwrite=options["overwrite"],
        server=Server.taken(options),
    )
    served.check()
    if bundle is not None:
        if served.server is not None:
            served.server.check(options["name"] or _name_of(source))
        _write_bundle(source, bundle, **options)
        served.write(open_bundle(bundle), 1.0)
        return
    _refuse_for_model(served)
    saturation = options["saturation"]
    served.write(open_bundle(source), 1.0 if saturation is None else saturation, options["name"])


def _refuse_for_model(served: Served) -> None:
    """Refuse what is decided where a checkpoint becomes a bundle."""
    if served.is_nothing:
        raise click.UsageError(
            "one argument and no --end-to-end came; a CHECKPOINT and the BUNDLE to write were "
            "needed, or a MODEL and --end-to-end FILE or --triton REPOSITORY; add what lacks"
        )
    for name, flag in given_options().items():
        if name in OF_CHECKPOINTS and (name != "name" or served.server is None):
            raise click.UsageError(
                f"{flag} came for a model that is exported already; a CHECKPOINT and the BUNDLE "
                "to write were needed for it; leave it out"
            )


def _name_of(checkpoint: Path) -> str:
    """What the bundle of a checkpoint is called if nobody says otherwise."""
    _need_training_package()
    from trtcolor_train.checkpoint import load_checkpoint

    return load_checkpoint(checkpoint, optimizer=False).config.name


def _write_bundle(
    checkpoint: Path,
    bundle: Path,
    *,
    decoder: Any,
    temperature: float | None,
    smoothing: float | None,
    rebalancing: float | None,
    saturation: float | None,
    **options: Any,
) -> None:
    _need_training_package()
    from trtcolor_train.decoder import Decoder
    from trtcolor_train.export import export as write_bundle

    if decoder in ("mode", "mean") and temperature is not None:
        raise ConfigError(
            f"a temperature came for the decoder {decoder!r}; annealed-mean was needed for it; "
            "leave one of the two out"
        )
    given = {
        "kind": decoder,
        "temperature": temperature,
        "smoothing": smoothing,
        "rebalancing": rebalancing,
        "saturation": saturation,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    path, _ = write_bundle(
        checkpoint,
        bundle,
        decoder=Decoder(**chosen) if chosen else None,
        say=lambda line: click.echo(line, err=True),
        **options,
    )
    click.echo(f"{path}: {sum(f.stat().st_size for f in path.iterdir()) / 1e6:.1f} MB")


def _need_training_package() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise TrtcolorError(
            f"training and export need torch ({error}); the extra 'train' was needed; run: "
            'pip install -c constraints.txt ".[train,cpu]"'
        ) from None

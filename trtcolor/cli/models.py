"""The commands ``models list``, ``models add``, ``models remove`` and ``models adopt``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trtcolor.cli.options import PATH

name_option = click.option("--name", help="The model's name; default: the one it comes with.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="List all that is known of them as JSON."
)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List, add, remove and adopt models; without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_models, as_json=as_json)
    elif as_json:
        raise click.UsageError("--json came before a command; write it behind list")


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the models that --model NAME finds, with their figures."""
    from trtcolor.catalogue import catalogue

    found = catalogue()
    if as_json:
        click.echo(json.dumps([model.to_dict() for model in found], indent=1))
        return
    for model in found:
        for line in model.lines():
            click.echo(line)


@models.command()
@click.argument("source", type=PATH)
@name_option
@click.option("--overwrite", is_flag=True, help="Replace a model of that name, or hide a bundled.")
def add(source: Path, name: str | None, overwrite: bool) -> None:
    """Install SOURCE, a bundle.

    SOURCE is the bundle's folder or a .zip, .tar or .tar.gz of it; every file is checked by its
    SHA-256.
    """
    from trtcolor.install import install_bundle

    done = install_bundle(source, name=name, overwrite=overwrite)
    click.echo(f"{done.path.name}: installed in {done.path.parent}")
    if done.hides:
        click.echo("note: a bundled model has this name and is hidden", err=True)
    if not done.loaded:
        click.echo("note: ONNX Runtime is not installed, no graph was opened", err=True)


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete the installed model NAME; bundled ones stay."""
    from trtcolor.install import remove_bundle

    bundled = remove_bundle(name)
    click.echo(f"{name}: removed{'; the bundled model of this name is back' if bundled else ''}")


@models.command()
@click.argument("network", type=PATH)
@click.option(
    "--spec", required=True, help="What NETWORK takes and gives: a TOML file, or a shipped name."
)
@name_option
@click.option("-o", "--output", type=PATH, help="Write the bundle here and do not install it.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that exists.")
def adopt(network: Path, spec: str, name: str | None, output: Path | None, overwrite: bool) -> None:
    """Make a model of NETWORK, any colouriser's .onnx file, and install it.

    Shipped specs: ddcolor, ddcolor-256, deoldify, eccv16, eccv16-256, siggraph17, siggraph17-256.
    """
    _need_onnx()
    from trtcolor.adopt.adopt import adopt as make_bundle

    done = make_bundle(network, spec, name=name, output=output, overwrite=overwrite)
    click.echo(
        f"{done.path}: chroma at 1/{done.spec.size.chroma_scale} of the resolution, within "
        f"{done.difference:.2g} of the network run by hand"
    )
    if done.batch is not None:
        click.echo(f"note: its graph takes {done.batch} picture at a time", err=True)
    if done.hides:
        click.echo("note: a bundled model has this name and is hidden", err=True)


def _need_onnx() -> None:
    """Turn a missing package into one sentence."""
    from trtcolor.errors import ExportError

    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ExportError(
            f"{error}; onnx was needed to read and write graphs; run: pip install "
            '"trtcolor[cpu,export]"'
        ) from None

"""The command ``models``."""

from __future__ import annotations

import click


@click.command()
def models() -> None:
    """List the installed models."""
    from trtcolor.bundle import installed_bundles, read_spec
    from trtcolor.errors import BundleError

    for folder in installed_bundles():
        try:
            spec = read_spec(folder)
        except BundleError as error:  # the others are to be listed all the same
            click.echo(f"{folder.name}  cannot be used: {error}")
            continue
        click.echo(f"{folder.name}  {spec.family}, {spec.precision}, {spec.licence}")
        for name, value in spec.metrics.items():
            click.echo(
                f"    {name}: {value:.3f}" if isinstance(value, float) else f"    {name}: {value}"
            )

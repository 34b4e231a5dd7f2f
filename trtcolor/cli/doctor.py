"""The command ``doctor``."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Say what is installed, which backends work and why the others do not.

    Each backend colours a small frame with the default model. Fails if none can.
    """
    from trtcolor.doctor import examine

    report = examine()
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.text())
    if not report.working:
        context.exit(1)

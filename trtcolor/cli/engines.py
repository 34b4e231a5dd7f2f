"""The commands ``engines list``, ``engines inspect``, ``engines verify`` and ``engines prune``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from trtcolor.engines.entry import Damaged, Entry

json_option = click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def engines(context: click.Context, as_json: bool) -> None:
    """List, inspect, verify and prune built engines; without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_engines, as_json=as_json)
    elif as_json:
        raise click.UsageError("--json came before a command; write it behind list")


@engines.command("list")
@json_option
def list_engines(as_json: bool) -> None:
    """List the engines of your cache; none of their files is read."""
    from trtcolor.engines.report import table
    from trtcolor.engines.store import Store

    store = Store()
    found = store.entries()
    if as_json:
        click.echo(json.dumps([_to_dict(entry) for entry in found], indent=1))
        return
    if not found:
        _say_empty(store.folder)
        return
    for line in table(found):
        click.echo(line)


@engines.command()
@click.argument("engine", metavar="NAME|PATH")
@json_option
def inspect(engine: str, as_json: bool) -> None:
    """Show what is known of an engine.

    NAME is its folder's name or key, or the start of one; PATH an engine's folder anywhere.
    """
    from trtcolor.engines.entry import open_entry
    from trtcolor.engines.report import lines
    from trtcolor.engines.store import Store

    entry = open_entry(Store().locate(engine))
    if as_json:
        click.echo(json.dumps(_to_dict(entry), indent=1))
        return
    for line in lines(entry):
        click.echo(line)


@engines.command()
@click.argument("names", metavar="[NAME|PATH]...", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Hash every file of the engines named, or of all; exit with 1 if one is damaged.

    An engine that nothing has run yet is run, where this machine can, and its colours are compared
    with those of float32; exit with 1 too if that fails.
    """
    from trtcolor.engines.entry import Entry, opened
    from trtcolor.engines.load import run_unverified
    from trtcolor.engines.report import plain, state
    from trtcolor.engines.store import Store
    from trtcolor.errors import EngineError, TrtcolorError

    store = Store()
    found = [opened(store.locate(name)) for name in names] if names else store.entries()
    if not found:
        _say_empty(store.folder)
    bad = 0
    for entry in found:
        name, problems = plain(entry.path.name), entry.problems()
        bad += bool(problems)
        for problem in problems:
            click.echo(plain(f"{name}: damaged: {problem}"))
        if not problems and isinstance(entry, Entry):
            try:
                entry = run_unverified(entry)
            except TrtcolorError as error:
                bad += 1
                click.echo(plain(f"{name}: every file is as it was built; not verified: {error}"))
                continue
            click.echo(f"{name}: every file is as it was built; {state(entry)}")
    if bad:
        raise EngineError(
            f"{bad} of {len(found)} engines are damaged or could not be verified; whole ones with "
            "float32's colours were needed; run 'trtcolor engines prune --stale', then build again"
        )


@engines.command()
@click.option(
    "--older-than", metavar="DAYS", type=click.FloatRange(0, 36500), help="Built longer ago."
)
@click.option(
    "--stale",
    is_flag=True,
    help="Of no use any more: damaged, or the model or the builder is gone or another.",
)
@click.option("--all", "everything", is_flag=True, help="All, and the caches of the builders.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def prune(older_than: float | None, stale: bool, everything: bool, dry_run: bool) -> None:
    """Delete engines; what is being built stays. Leftovers of killed builds always go."""
    from datetime import timedelta

    from trtcolor.engines import pruning
    from trtcolor.engines.report import megabytes
    from trtcolor.engines.store import Store

    if older_than is None and not stale and not everything:
        raise click.UsageError(
            "nothing said what is to go; --older-than, --stale or --all was needed; give one"
        )
    done = pruning.prune(
        Store(),
        older_than=None if older_than is None else timedelta(days=older_than),
        stale=stale,
        everything=everything,
        dry_run=dry_run,
    )
    verb = "would go" if dry_run else "deleted"
    for one in done:
        click.echo(f"{one.path.name}: {'kept' if one.busy else verb}: {one.reason}")
    freed = sum(one.bytes for one in done if not one.busy)
    click.echo(f"{megabytes(freed)} {'would be' if dry_run else 'are'} free again")


def _say_empty(folder: Path) -> None:
    click.echo(f"no engines in {folder}; 'trtcolor build-engine' makes one")


def _to_dict(entry: Entry | Damaged) -> dict[str, Any]:
    from trtcolor.engines.entry import Damaged

    if isinstance(entry, Damaged):
        return {"folder": str(entry.path), "bytes": entry.size, "problem": entry.problem}
    sidecar = json.loads(entry.sidecar.to_json())
    return {"folder": str(entry.path), "bytes": entry.size, "problem": None, "engine": sidecar}

"""The command ``bench``."""

from __future__ import annotations

from pathlib import Path

import click

from trtcolor.cli.options import (
    PATH,
    Render,
    backend_option,
    model_option,
    overwrite_option,
    threads_option,
)
from trtcolor.cli.results import check_results, write_results


@click.command()
@click.option("--sizes", default="224,512", show_default=True, help="N (square) or WxH, by comma.")
@model_option
@backend_option
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--warmup", type=click.IntRange(min=0), default=2, show_default=True)
@threads_option
@click.option("--render", type=Render(), default="full", show_default=True, help="As for colorize.")
@click.option("--json", "json_file", type=PATH, help="Write the raw values.")
@overwrite_option
def bench(
    sizes: str,
    model: str,
    backend: str | None,
    runs: int,
    warmup: int,
    threads: int | None,
    render: int,
    json_file: Path | None,
    overwrite: bool,
) -> None:
    """Time a model at several picture sizes: prepare, network and merge apart."""
    from trtcolor.bench import bench as run_bench
    from trtcolor.bench import parse_sizes

    wanted = parse_sizes(sizes)
    check_results(json_file, overwrite)
    report = run_bench(
        model,
        wanted,
        runs=runs,
        warmup=warmup,
        backend=backend,
        threads=threads,
        render=render,
        say=_tell,
    )
    click.echo(report.table())
    write_results(json_file, report.to_json(), overwrite)


def _tell(line: str) -> None:
    click.echo(line, err=True)

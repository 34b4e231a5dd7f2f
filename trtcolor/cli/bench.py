"""The command ``bench``, and ``bench compare`` below it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trtcolor.backends.available import CUDA, PRECISIONS, RUNNING, TENSORRT
from trtcolor.cli.options import PATH, Render, overwrite_option, threads_option
from trtcolor.cli.results import check_results, write_bytes, write_results

if TYPE_CHECKING:
    from trtcolor.bench.report import BenchReport

DEFAULT_RUNS = 10


@click.group(invoke_without_command=True)
@click.option(
    "--sizes",
    default="224,512,1024,2048",
    show_default=True,
    help="N (square) or WxH, by comma.",
)
@click.option(
    "--model",
    default="iizuka2016",
    show_default=True,
    help="A bundle's folder or installed name; iizuka2016 is made with random weights if missing.",
)
@click.option(
    "--backend",
    "backends",
    type=click.Choice((*RUNNING, *CUDA, *TENSORRT)),
    multiple=True,
    help="Only this one; may be repeated.",
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(PRECISIONS),
    multiple=True,
    help="Only this one; may be repeated. Others than fp32 are engines (build-engine).",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    help=f"Values taken of each; default {DEFAULT_RUNS}, and 100 with --table3.",
)
@click.option(
    "--warmup",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Runs before these, the first one (which loads the network) included.",
)
@click.option("--batch", type=click.IntRange(1, 1024), default=1, help="Pictures at once.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=9.0,
    show_default=True,
    metavar="MINUTES",
    help="Runs are cut to keep to it.",
)
@threads_option
@click.option("--render", type=Render(), default="full", show_default=True, help="As for colorize.")
@click.option(
    "--compare",
    "compared",
    type=click.Choice(["torch"]),
    help="PyTorch too, same weights: eager, folded with channels last, compiled; on a GPU if any.",
)
@click.option("--floor", is_flag=True, help="Also the machine's int8 product and memory copy.")
@click.option("--table3", "as_table3", is_flag=True, help="The paper's Table 3 in its form.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the tables as Markdown.")
@click.option("--csv", "as_csv", is_flag=True, help="Print every statistic as CSV.")
@click.option("--json", "json_file", type=PATH, help="Write everything, raw values included.")
@click.option("--plot", "plot_file", type=PATH, help="Draw time against pixels as PNG.")
@overwrite_option
@click.pass_context
def bench(
    context: click.Context,
    sizes: str,
    model: str,
    backends: tuple[str, ...],
    precisions: tuple[str, ...],
    runs: int | None,
    warmup: int,
    batch: int,
    budget: float,
    threads: int | None,
    render: int,
    compared: str | None,
    floor: bool,
    as_table3: bool,
    as_markdown: bool,
    as_csv: bool,
    json_file: Path | None,
    plot_file: Path | None,
    overwrite: bool,
) -> None:
    """Time a model on every backend that works here, beside the paper's Table 3.

    Each engine has a process of its own and they take turns. 'bench compare OLD.json NEW.json'
    tells what changed between two of its files.
    """
    if context.invoked_subcommand is not None:
        return
    if as_csv and (as_table3 or as_markdown):
        raise click.UsageError("--csv came with another form; one form was needed; leave one out")
    from trtcolor.bench import table3
    from trtcolor.bench.candidates import wanted
    from trtcolor.bench.plot import plot, require_matplotlib
    from trtcolor.bench.run import bench as run_bench
    from trtcolor.bench.settings import Settings
    from trtcolor.bench.sizes import parse_sizes

    wanted_sizes = parse_sizes(sizes)
    check_results(json_file, overwrite)
    check_results(plot_file, overwrite)
    if plot_file is not None:
        require_matplotlib()
    candidates = wanted(backends, precisions, torch=compared is not None)
    if as_table3 and not precisions:
        candidates = tuple(c for c in candidates if c.precision != "int8")  # the paper's is exact
    settings = Settings(
        runs=runs or (table3.RUNS if as_table3 else DEFAULT_RUNS),
        warmup=warmup,
        batch=batch,
        threads=threads,
        render=render,
        budget=budget * 60,
        floor=floor,
    )
    report = run_bench(model, wanted_sizes, candidates, settings, say=_tell)
    write_results(json_file, report.to_json(), overwrite)
    if plot_file is not None:
        write_bytes(plot_file, plot(report), overwrite)
    click.echo(_shown(report, as_table3=as_table3, as_markdown=as_markdown, as_csv=as_csv))
    if not any(row.steps for row in report.rows):
        _tell("error: no backend worked; what each needs stands in its row")
        context.exit(1)


@bench.command()
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1000, min_open=True),
    default=5.0,
    show_default=True,
    metavar="PERCENT",
    help="A change up to this is never called one.",
)
@click.pass_context
def compare(context: click.Context, old: Path, new: Path, tolerance: float) -> None:
    """Say what changed from OLD to NEW, two files of --json, beyond the noise.

    Exits with status 3 where something became slower or stopped working.
    """
    from trtcolor.bench.compare import compare as compare_reports

    found = compare_reports(_read(old), _read(new), tolerance=tolerance / 100)
    click.echo(found.text())
    if found.regressions:
        names = ", ".join(change.name for change in found.regressions)
        _tell(f"regression: {names}")
        context.exit(3)


def _read(path: Path) -> BenchReport:
    from trtcolor.bench.report import BenchReport
    from trtcolor.errors import DataError

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); a file from 'trtcolor bench --json FILE' was "
            "needed; give one"
        ) from None
    return BenchReport.from_json(text, source=str(path))


def _shown(report: BenchReport, *, as_table3: bool, as_markdown: bool, as_csv: bool) -> str:
    from trtcolor.bench import table, table3

    if as_csv:
        return table.as_csv(report)
    if as_table3:
        return table3.table3(report, as_markdown=as_markdown)
    return table.markdown(report) if as_markdown else table.text(report)


def _tell(line: str) -> None:
    click.echo(line, err=True)

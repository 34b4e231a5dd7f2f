"""The README's table of 004, Table 3, and its plot, from one file of `trtcolor bench --json`.

    trtcolor bench --floor --budget 7 --json benchmarks/results/bench-iizuka2016.json
    python benchmarks/table3.py benchmarks/results/bench-iizuka2016.json [--form table3|all]

The table is printed as Markdown; the plot is written beside the file, as .png.
"""

from __future__ import annotations

from pathlib import Path

import click

from trtcolor.bench.plot import plot
from trtcolor.bench.report import BenchReport
from trtcolor.bench.table import markdown
from trtcolor.bench.table3 import table3


@click.command()
@click.argument("json_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--form", type=click.Choice(["table3", "all"]), default="all", show_default=True)
def main(json_file: Path, form: str) -> None:
    """Print the table of JSON_FILE and draw its plot."""
    report = BenchReport.from_json(json_file.read_text(encoding="utf-8"), source=str(json_file))
    click.echo(table3(report, as_markdown=True) if form == "table3" else markdown(report))
    json_file.with_suffix(".png").write_bytes(plot(report))


if __name__ == "__main__":
    main()

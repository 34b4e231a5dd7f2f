"""iizuka2016 with random weights as a bundle in FOLDER, to build engines of for `trtcolor bench`.

    python benchmarks/untrained.py FOLDER
    trtcolor build-engine FOLDER --backend onnxruntime --precision int8 --accept-error

`trtcolor bench` makes the same bundle, bit for bit, where no iizuka2016 is installed, and so finds
the engines. The error of random weights says nothing, hence --accept-error.
"""

from __future__ import annotations

from pathlib import Path

import click

from trtcolor.bench.untrained import write_untrained


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Write the bundle into FOLDER, which is made."""
    folder.mkdir(parents=True)
    click.echo(f"the bundle is {write_untrained(folder)}")


if __name__ == "__main__":
    main()

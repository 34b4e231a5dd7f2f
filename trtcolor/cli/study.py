"""The command ``study``, and ``serve`` and ``report`` below it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from trtcolor.cli.options import PATH, overwrite_option, render_option, saturation_option
from trtcolor.cli.results import check_results, write_results


class Study(click.Group):
    """A group whose first word may be an argument of its command ``run``."""

    default = "run"

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in context.help_option_names:
            args = [self.default, *args]
        return super().parse_args(context, args)

    def collect_usage_pieces(self, context: click.Context) -> list[str]:
        return ["BUNDLE... DATA -o FOLDER | COMMAND [ARGS]..."]


class Serving(NamedTuple):
    """Where and for whom a study is served."""

    host: str
    port: int
    public_names: tuple[str, ...]
    users: tuple[str, ...]


def serving_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The fields of `Serving`, which the command is given as ``serving``."""

    @wraps(command)
    def gathered(**given: Any) -> Any:
        serving = Serving(**{name: given.pop(name) for name in Serving._fields})
        return command(serving=serving, **given)

    options = (
        click.option(
            "--host",
            default="127.0.0.1",
            show_default=True,
            help="Address to listen at. Others than this machine's own, as 0.0.0.0, let other "
            "machines in, by a link with a token.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=8321,
            show_default=True,
            help="To listen at; 0: any free one.",
        ),
        click.option(
            "--public-name",
            "public_names",
            multiple=True,
            metavar="NAME|URL",
            help="A further host name of the server, or the address of a proxy before it, as "
            "https://study.example.org; may be repeated. Links have the first, and a token.",
        ),
        click.option(
            "--user",
            "users",
            multiple=True,
            metavar="NAME",
            help="Make a link for this user; may be repeated. Nobody else can join then.",
        ),
    )
    for option in reversed(options):
        gathered = option(gathered)
    return gathered


@click.group(cls=Study, invoke_without_command=True)
@click.pass_context
def study(context: click.Context) -> None:
    """Ask people which pictures look natural, as paper 004 did (section 4.3).

    'trtcolor study BUNDLE... DATA -o FOLDER' draws pictures from DATA, colours each with every
    bundle, and serves a page that shows these and the originals one at a time in random order at
    224x224. Answers are stored in FOLDER/answers.csv, and 'serve' goes on with a study at any time.
    The options are those of 'run', a word that may be left out.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@study.command()
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE...")
@click.argument("data")
@click.option(
    "-o", "--output", type=PATH, required=True, metavar="FOLDER", help="Of the study, a new one."
)
@click.option(
    "--pictures",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="How many of each type every user is shown.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of all draws; default: a random one.")
@click.option("--only-class", metavar="NAME", help="Only pictures of this class.")
@saturation_option
@render_option
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    help="Pictures that are prepared at a time; default: one a core.",
)
@serving_options
@click.option("--no-serve", is_flag=True, help="Prepare the study only.")
def run(
    bundles: tuple[str, ...],
    data: str,
    output: Path,
    threads: int | None,
    serving: Serving,
    no_serve: bool,
    **options: Any,
) -> None:
    """Prepare a study of BUNDLES on DATA and serve it; the word 'run' may be left out.

    DATA is a folder of colour pictures or shards, as for evaluate.
    """
    from trtcolor.errors import StudyError
    from trtcolor.study.folder import SPEC_FILE
    from trtcolor.study.preparing import Settings, prepare_study
    from trtcolor.study.serve import require_server
    from trtcolor.study.users import checked_name

    if (output / SPEC_FILE).is_file():
        raise StudyError(
            f"{output} is a study already, and answers are never overwritten; another folder was "
            f"needed; choose one, or go on with: trtcolor study serve {output}"
        )
    if output.exists() or output.is_symlink():
        raise StudyError(f"{output} is there already; a new folder was needed; choose another")
    if not no_serve:
        require_server()
        for name in serving.users:
            checked_name(name)
    with _progress() as progress:
        made = prepare_study(
            bundles, data, output, Settings(**options), threads=threads, progress=progress
        )
    asked, counts = options["pictures"], made.counts
    if len(made.scenes) < asked:
        _tell(f"note: {data} has {len(made.scenes)} colour pictures of the {asked} asked for")
    if counts["enlarged"]:
        _tell(f"note: {counts['enlarged']} pictures are smaller than 256x256 and were enlarged")
    names = ", ".join(approach.name for approach in made.approaches)
    click.echo(
        f"{output}: {len(made.scenes)} pictures in {len(made.approaches)} versions ({names}), "
        f"{made.answers_of_a_user:,} answers a user, seed {made.seed}"
    )
    if not no_serve:
        _serve(output, serving)


@study.command()
@click.argument("folder", type=PATH)
@serving_options
def serve(folder: Path, serving: Serving) -> None:
    """Serve the study in FOLDER again; everybody goes on where they were."""
    _serve(folder, serving)


@study.command()
@click.argument("folder", type=PATH)
@click.option(
    "--at-least",
    type=click.IntRange(min=1),
    metavar="N",
    help="Users with fewer answers of any approach are left out; default: 30, or all there are.",
)
@click.option("--json", "json_file", type=PATH, help="Write all figures, user by user.")
@overwrite_option
def report(folder: Path, at_least: int | None, json_file: Path | None, overwrite: bool) -> None:
    """Print the naturalness table of the study in FOLDER beside the paper's.

    Of each user the share of pictures called natural, then the median over users with an interval.
    It may be called while the study is served.
    """
    from trtcolor.study.report import report_study

    check_results(json_file, overwrite)
    found = report_study(folder, at_least=at_least)
    click.echo(found.text())
    write_results(json_file, json.dumps(found.to_dict(), allow_nan=False) + "\n", overwrite)


def _serve(folder: Path, serving: Serving) -> None:
    from trtcolor.study.serve import serve as serve_study

    def say(line: str) -> None:
        click.echo(line)
        sys.stdout.flush()  # whoever reads it through a pipe waits for the link

    joined, answers = serve_study(folder, **serving._asdict(), say=say)
    click.echo(
        f"{joined} users have joined, {answers:,} answers are in {folder / 'answers.csv'}; "
        f"figures: trtcolor study report {folder}"
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda done, wanted: None
        return
    with click.progressbar(length=1, label="colouring", file=sys.stderr) as bar:

        def progress(done: int, wanted: int) -> None:
            bar.length = wanted
            bar.update(done - bar.pos)

        yield progress


def _tell(line: str) -> None:
    click.echo(line, err=True)

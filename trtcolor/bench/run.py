"""`bench`: plan, estimate, start the workers, give turns, write down."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.cost import Cost, network_cost
from trtcolor.bench.floor import KINDS
from trtcolor.bench.plan import LEAST_RUNS, duration_text, estimate, runs_within
from trtcolor.bench.process import Worker
from trtcolor.bench.race import Race
from trtcolor.bench.report import BenchReport, BenchRow
from trtcolor.bench.settings import Settings
from trtcolor.bench.sizes import size_text
from trtcolor.bench.surroundings import available_memory
from trtcolor.bench.untrained import NAME, UNTRAINED, write_untrained
from trtcolor.bundle import Bundle, find_bundle, open_bundle
from trtcolor.errors import TrtcolorError, UnknownModelError
from trtcolor.geometry import Size
from trtcolor.measure import Clock


def bench(
    model: str | os.PathLike[str],
    sizes: Sequence[Size],
    candidates: Sequence[Candidate],
    settings: Settings,
    *,
    say: Callable[[str], None],
    clock: Clock = time.perf_counter,
) -> BenchReport:
    """Time candidates at every size, each in a process of its own, taking turns.

    One that cannot be opened or fails stays as a row that says why; the others go on.

    Args:
        model: as for `trtcolor.bundle.find_bundle`; ``iizuka2016``, where it is not installed, is
            made with random weights.
        sizes: (height, width) in pixels.
        candidates: what to time.
        settings: how.
        say: is given the estimate first, then a line for each size and each failure.
        clock: seconds from any origin.

    Raises:
        ValueError: no sizes or candidates, or a size that needs more memory than there is.
        TrtcolorError: the model cannot be opened or made.
    """
    if not sizes or not candidates:
        raise ValueError(
            f"{len(sizes)} sizes and {len(candidates)} candidates came; at least one each was "
            "needed"
        )
    began = clock()
    with opened_model(model) as bundle:
        costs = [_cost(bundle, size, settings, say) for size in sizes]
        _check_memory(sizes, costs)
        with Worker({"kind": "floor", "threads": settings.threads}) as floor:
            race = Race(bundle, candidates, settings, floor, say, clock)
            kinds = KINDS if settings.floor else KINDS[:1]
            rates = {kind: race.floor_rate(kind) for kind in kinds}
            courses = [race.course(cost, rates["sgemm"].rate) for cost in costs]
            runs = runs_within(courses, settings.runs, settings.budget)
            expected = estimate(courses, runs) if all(costs) else None
            _announce(sizes, candidates, runs, expected, settings, say)
            rows: list[BenchRow] = []
            for i, (size, cost) in enumerate(zip(sizes, costs, strict=True)):
                share = estimate(courses[i : i + 1], runs[i : i + 1])
                rest = estimate(courses[i:], runs[i:])
                left = settings.budget - (clock() - began)
                deadline = clock() + max(0.0, left * share / rest if rest > 0 else left)
                rows += race.rows(size, cost, settings.runs, deadline)
        return BenchReport(
            model=bundle.spec.name,
            family=bundle.spec.family,
            model_sha256=_digest(bundle),
            remark=UNTRAINED if bundle.spec.version == UNTRAINED else "",
            picture=race.picture,
            settings=asdict(settings),
            machine=race.machine,
            floor=rates,
            estimate=expected,
            seconds=clock() - began,
            rows=tuple(rows),
        )


@contextmanager
def opened_model(model: str | os.PathLike[str]) -> Iterator[Bundle]:
    """An installed bundle; of iizuka2016, where it is not installed, one with random weights.

    Raises:
        TrtcolorError: as from `open_bundle` and `write_untrained`.
    """
    try:
        folder = find_bundle(model)
    except UnknownModelError:
        if os.fspath(model) != NAME:
            raise
        with tempfile.TemporaryDirectory(prefix="trtcolor-bench-") as temporary:
            yield open_bundle(write_untrained(Path(temporary)))
    else:
        yield open_bundle(folder)


def _cost(
    bundle: Bundle, size: Size, settings: Settings, say: Callable[[str], None]
) -> Cost | None:
    try:
        return network_cost(bundle, size, settings.render, settings.batch)
    except TrtcolorError as error:
        say(f"no estimate, no FLOPs: {error}")
        return None


def _check_memory(sizes: Sequence[Size], costs: Sequence[Cost | None]) -> None:
    free = available_memory()
    for size, cost in zip(sizes, costs, strict=True):
        if cost is not None and free is not None and cost.memory > free:
            raise ValueError(
                f"size {size_text(size)} would need about {cost.memory / 1e9:.1f} GB of memory and "
                f"{free / 1e9:.1f} GB are free; a size that fits was needed; leave it out, or let "
                "the network see less with --render"
            )


def _announce(
    sizes: Sequence[Size],
    candidates: Sequence[Candidate],
    runs: Sequence[int],
    expected: float | None,
    settings: Settings,
    say: Callable[[str], None],
) -> None:
    what = f"{len(sizes)} sizes x {len(candidates)} candidates"
    if expected is None:
        say(f"timing {what} within {duration_text(settings.budget)}")
        return
    say(f"timing {what}: about {duration_text(expected)}")
    for size, count in zip(sizes, runs, strict=True):
        if count < settings.runs:
            say(
                f"{size_text(size)}: about {count} of {settings.runs} runs, to keep to "
                f"{duration_text(settings.budget)}"
            )
    if expected > settings.budget * 1.05:
        say(
            f"that is more than the budget of {duration_text(settings.budget)}, even with the "
            f"least {min(settings.runs, LEAST_RUNS)} runs"
        )


def _digest(bundle: Bundle) -> str:
    text = json.dumps(dict(bundle.spec.files), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

"""Kill `trtcolor video` at random moments, many times, and compare with an unbroken run.

    python tests/kill_film.py FILM --kills 50 --model default

Each round colours the film once, with as many kills as come before it is through, until there were
--kills of them; then the frames of every round's film are compared with those of an unbroken one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from films import hashes, times
from killed import killed, unbroken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--a-round", type=int, default=5, help="kills of one film at most")
    parser.add_argument("--seed", type=int, default=0)
    options, others = parser.parse_known_args()
    done, different, rounds = 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = folder / "whole.mkv"
        seconds = unbroken(options.film, *others, output=whole)
        wanted = (hashes(whole), times(whole))
        print(f"unbroken: {len(wanted[0])} frames in {seconds:.1f} s")
        while done < options.kills:
            output = folder / f"{rounds}.mkv"
            worked = killed(
                options.film,
                *others,
                output=output,
                kills=min(options.a_round, options.kills - done),
                seconds=seconds,
                seed=options.seed + rounds,
            )
            same = (hashes(output), times(output)) == wanted
            different += not same
            rounds, done = rounds + 1, done + len(worked)
            after = ", ".join(f"{second:.2f}" for second in worked)
            print(f"round {rounds}: killed after {after or 'nothing'} s: "
                  f"{'the same film' if same else 'ANOTHER FILM'}")  # fmt: skip
            output.unlink()
    print(f"{done} kills in {rounds} rounds, {different} films differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())

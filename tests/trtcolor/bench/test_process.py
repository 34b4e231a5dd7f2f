"""A worker is a real process: it answers, it is stopped between turns, and its end is explained."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trtcolor.bench import process
from trtcolor.bench.process import Worker
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


def job(bundle: Path, **entries: Any) -> dict[str, Any]:
    candidate = {"backend": "onnxruntime", "precision": "fp32", "form": ""}
    common = {"kind": "engine", "candidate": candidate, "model": str(bundle), "size": [20, 30]}
    return common | {"batch": 1, "threads": 1, "render": "full"} | entries


def state(process_id: int) -> str:
    """One letter: R running, S sleeping, T stopped (man 5 proc)."""
    text = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
    return text.rpartition(")")[2].split()[0]


def test_an_engine_tells_how_it_opened_and_gives_as_many_values_as_asked(
    make_bundle: MakeBundle,
) -> None:
    with Worker(job(make_bundle(global_size=32))) as worker:
        assert worker.opened["graph"] == "local"
        assert worker.opened["network"] == [24, 32]
        assert worker.opened["device"] == "cpu"
        assert worker.opened["load_seconds"] > 0
        assert worker.opened["first_seconds"] > 0
        answer = worker.ask({"runs": 3, "warmup": 2})
        assert {step: len(times) for step, times in answer["steps"].items()} == {
            "prepare": 3,
            "predict": 3,
            "merge": 3,
            "total": 3,
        }
        assert answer["peak_memory"] > 10 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_between_its_turns_a_worker_is_stopped(make_bundle: MakeBundle) -> None:
    with Worker(job(make_bundle())) as worker:
        for _ in range(2):
            worker.ask({"runs": 1, "warmup": 0})
            deadline = time.monotonic() + 10
            while state(worker.process_id) != "T" and time.monotonic() < deadline:
                time.sleep(0.01)  # a signal takes a moment
            assert state(worker.process_id) == "T"


def test_what_an_engine_refuses_comes_back_as_a_sentence(make_bundle: MakeBundle) -> None:
    unknown = {"backend": "abacus", "precision": "fp32", "form": ""}
    with pytest.raises(BackendError, match="backend is 'abacus'"):
        Worker(job(make_bundle(), candidate=unknown))


def test_a_worker_that_is_killed_is_said_to_have_ended(make_bundle: MakeBundle) -> None:
    with Worker(job(make_bundle())) as worker:
        os.kill(worker.process_id, signal.SIGKILL)
        with pytest.raises(BackendError, match="signal 9, as the system does when memory runs out"):
            worker.ask({"runs": 1, "warmup": 0})


def test_what_a_dying_process_said_last_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; print('first', file=sys.stderr); sys.exit('no such instruction')"
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", program))
    with pytest.raises(BackendError, match=r"status 1 \(no such instruction\)"):
        Worker({"kind": "engine"})


def test_no_process_is_left_behind(make_bundle: MakeBundle) -> None:
    with Worker(job(make_bundle())) as worker:
        pass
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker.process_id, 0)


def test_the_machine_s_own_tasks_are_timed_in_a_process_too() -> None:
    with Worker({"kind": "floor", "threads": 1}) as worker:
        answer = worker.ask({"kind": "sgemm", "runs": 2})
        assert answer["work"] == 2 * 1536**3
        assert len(answer["seconds"]) == 2
        assert answer["name"] == worker.opened["sgemm"]

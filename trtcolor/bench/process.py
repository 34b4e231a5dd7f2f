"""The parent's side of a worker process (worker.py): start it, give it turns, end it.

Between its turns a worker is stopped by a signal, so that threads which spin while they wait, as
some engines' do, take nothing from the one whose turn it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

from trtcolor.closing import Closing
from trtcolor.errors import BackendError

COMMAND = (sys.executable, "-P", "-m", "trtcolor.bench.worker")
PATIENCE = 10.0
"""Seconds that a worker has to end by itself."""

Message = dict[str, Any]


class Worker(Closing):
    """A process with one engine in it.

    Args:
        job: what it is to open; see `trtcolor.bench.worker`.

    Attributes:
        opened: the answer to `job`.

    Raises:
        BackendError: the engine cannot be opened or the process ended.
    """

    def __init__(self, job: Message) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        threads = job.get("threads")
        count = {} if threads is None else dict.fromkeys(THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | count,
            encoding="utf-8",
        )
        try:
            self.opened = self.ask(job)
        except BaseException:
            self.close()
            raise

    def ask(self, request: Message) -> Message:
        """Wake the process, let it answer one request, and stop it again.

        Raises:
            BackendError: its answer is an error, or it ended without one.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.send_signal(signal.SIGCONT)
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise BackendError(self._how_it_ended())
        process.send_signal(signal.SIGSTOP)
        answer: Message = json.loads(line)
        if "error" in answer:
            raise BackendError(answer["error"])
        return answer

    @property
    def process_id(self) -> int:
        """By which the system and its tools know the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process; a second call does nothing."""
        process = self._process
        if process.poll() is None:
            process.kill()  # works on a stopped process too; there is nothing to be saved
            process.wait(PATIENCE)
        for stream in (process.stdin, process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _how_it_ended(self) -> str:
        status = self._process.wait(PATIENCE)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        hint = ""
        if status == -signal.SIGKILL:
            hint = ", as the system does when memory runs out"
        how = f"signal {-status}{hint}" if status < 0 else f"status {status}"
        return f"the process of the engine ended with {how} ({last})"


THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries read when they start; ONNX Runtime and OpenVINO are told by their options."""

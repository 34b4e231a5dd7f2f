"""What a training leaves to look at: ``log.jsonl`` and TensorBoard events in the run folder."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import TrainingError
from trtcolor_train.validation import Validation

LOG_FILE = "log.jsonl"


class Log:
    """``log.jsonl`` and TensorBoard events, cut back to the checkpoint on resume.

    Every method raises TrainingError where the disk is full or the folder not writable.
    """

    def __init__(self, run: Path, first: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.path = run / LOG_FILE
        self._hook = threading.excepthook
        with _writing(self.path):
            kept = [line for line in _lines(self.path) if json.loads(line)["step"] <= first]
            temporary = self.path.with_suffix(".tmp")
            temporary.write_text("".join(kept), encoding="utf-8")
            os.replace(temporary, self.path)
            self.stream = self.path.open("a", encoding="utf-8")
            # Also at the first step: an earlier training may have died before its first checkpoint.
            self.events = SummaryWriter(str(run), purge_step=first + 1)

    def __enter__(self) -> Log:
        # TensorBoard writes in a thread and raises what happened there at the next call from here.
        threading.excepthook = lambda failed: (
            None if isinstance(failed.exc_value, OSError) else self._hook(failed)
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(OSError) if kind else _writing(self.path):  # the first failure is the one
            try:
                self.stream.close()
            finally:
                self.events.close()
                threading.excepthook = self._hook

    def flush(self) -> None:
        """The log reaches the disk before the checkpoint that it leads up to."""
        with _writing(self.path):
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.events.flush()

    def step(
        self, step: int, loss: float, color: float, classification: float | None, rate: float
    ) -> None:
        entry = {"step": step, "loss": loss, "color": color}
        if classification is not None:
            entry["classification"] = classification
        self._write(entry)
        if step % 10 == 0:
            with _writing(self.path):
                for name, value in entry.items():
                    if name != "step":
                        self.events.add_scalar(f"train/{name}", value, step)
                self.events.add_scalar("train/pictures_per_second", rate, step)

    def validation(self, step: int, measured: Validation, sheet: NDArray[np.uint8]) -> None:
        self._write({"step": step, "validation": asdict(measured)})
        with _writing(self.path):
            for name, value in asdict(measured).items():
                if value is not None:
                    self.events.add_scalar(f"validation/{name}", value, step)
            self.events.add_image(
                "validation/grey-predicted-original", sheet, step, dataformats="HWC"
            )

    def _write(self, entry: dict[str, Any]) -> None:
        with _writing(self.path):
            self.stream.write(json.dumps(entry) + "\n")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"the log {path} or the events beside it could not be written ({error}); free space "
            "in a writable folder was needed; make room and go on with --resume"
        ) from None


def _lines(path: Path) -> Iterator[str]:
    """Whole lines of a log that may have been cut in the middle of one."""
    if path.is_file():
        with path.open(encoding="utf-8") as stream:
            yield from (line for line in stream if line.endswith("\n"))

"""The file of gpu.py in the making, and the time that is left for it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gpu_cells import Cell, Entrant, exact_result, judge, take_cell
from gpu_device import Device
from gpu_frames import EXACT, FrameCell
from gpu_goals import goals
from gpu_protocol import Engine, Maker

from trtcolor.bundle import Bundle


@dataclass(frozen=True)
class Part:
    """What is timed: the network alone or the whole way of a frame.

    Attributes:
        rows: where its rows are kept.
        cell: its pictures of a size.
        exact: the engine that the results of the others are compared with.
        given: what is copied to the device.
    """

    rows: str
    cell: type[Cell]
    exact: str
    given: str


NETWORK = Part("rows", Cell, "torch fp32", "lightness and a*b*")
FRAMES = Part("frames", FrameCell, EXACT, "frames")


class Bench:
    """Measures within a budget of seconds; the file is written as often as there is news."""

    def __init__(self, bundle: Bundle, device: Device, budget: float, path: Path) -> None:
        self.bundle, self.device, self.path = bundle, device, path
        self.end = time.perf_counter() + budget
        self.engines: dict[str, Engine | str] = {}
        digest = hashlib.sha256(json.dumps(dict(bundle.spec.files), sort_keys=True).encode())
        self.result: dict[str, Any] = {
            "model": bundle.spec.name,
            "model_version": bundle.spec.version,
            "model_sha256": digest.hexdigest(),
            "graph": "local, its global vector given",
            "device": device.name,
            "budget": budget,
            "machine": device.about(),
            "floor": {},
            "copies": [],
            "rows": [],
            "frames": [],
            "left_out": [],
            "goals": [],
        }

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.end - time.perf_counter()

    def write(self) -> None:
        """Put the file in place as it stands, whole."""
        self.result["seconds_left"] = self.left
        self.result["goals"] = goals(self.result["rows"], self.result["floor"])
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.result, indent=1) + "\n", encoding="utf-8")
        os.replace(part, self.path)

    def measure(
        self, part: Part, made: list[Maker], side: int, batch: int, seconds: float
    ) -> list[dict[str, Any]]:
        """Time engines at one size and batch, for at most about so many seconds.

        Returns:
            Their rows, in the order of the engines.
        """
        until = time.perf_counter() + min(seconds, self.left)
        rows: list[dict[str, Any]] = [
            {"engine": name, "precision": precision, "size": side, "batch": batch}
            for name, precision, _ in made
        ]
        self.result[part.rows] += rows
        try:
            cell = part.cell(self.bundle, self.device, side, batch)
        except Exception as error:
            for row in rows:
                row["error"] = " ".join(str(error).split())
            return rows
        self.result["picture"] = cell.picture
        entrants = [self._entrant(maker, row) for maker, row in zip(made, rows, strict=True)]
        take_cell(cell, entrants, until, self._exact(part, cell))
        for row in rows:
            judge(row, cell, self.result["floor"])
        copied = {"of": part.given, "size": side, "batch": batch}
        if not any(copied.items() <= entry.items() for entry in self.result["copies"]):
            self.result["copies"].append({**copied, **cell.copies()})
        return rows

    def _entrant(self, maker: Maker, row: dict[str, Any]) -> Entrant:
        name, _, make = maker
        if name not in self.engines:
            try:
                self.engines[name] = make()
            except Exception as error:
                self.engines[name] = " ".join(str(error).split())[:300]
        engine = self.engines[name]
        if isinstance(engine, str):
            row["error"] = engine
            return Entrant(None, row)
        return Entrant(engine, row)

    def _exact(self, part: Part, cell: Cell) -> torch.Tensor | None:
        """The result in fp32; none where its engine does not run."""
        engine = self.engines.get(part.exact)
        if engine is None or isinstance(engine, str):
            return None
        try:
            return exact_result(cell, engine)
        except Exception:  # its own row will say why
            return None

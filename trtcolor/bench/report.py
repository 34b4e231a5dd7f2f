"""What a benchmark found: rows with their raw values, JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trtcolor.bench.candidates import Candidate
from trtcolor.errors import DataError
from trtcolor.geometry import Size
from trtcolor.measure import Measurement

FORMAT_VERSION = 2
"""The first format, of trtcolor 0.1's first days, had no version."""


@dataclass(frozen=True)
class BenchRow:
    """One candidate at one size.

    Attributes:
        candidate: backend, precision and form.
        size: (height, width) of a frame in pixels.
        batch: frames coloured at once; all times are of the whole batch.
        steps: a `Measurement` by name: ``prepare``, ``predict`` (the network alone), ``merge`` and
            ``total`` (from frame to frame); empty after a failure.
        turns: how many of the values, in their order, came from each turn.
        floor: the machine's float32 matrix product between the turns; None after a failure.
        floor_work: FLOPs of one such product.
        device: ``"cpu"`` or what the backend says.
        network: (height, width) that the network saw, padding included.
        shared: the low-level features were computed once, the paper's dagger.
        load_seconds: to open the bundle (its files are verified) and the backend.
        first_seconds: of the first run, in which backends load their graphs.
        peak_memory: largest resident size of the row's process in bytes, Python included.
        gpu_memory: bytes that it held on a GPU.
        flops: of the network for the whole batch; None where they could not be counted.
        error: why there are no values, or None.
    """

    candidate: Candidate
    size: Size
    batch: int = 1
    steps: Mapping[str, Measurement] = field(default_factory=dict)
    turns: tuple[int, ...] = ()
    floor: Measurement | None = None
    floor_work: float = 0.0
    device: str | None = None
    network: Size | None = None
    shared: bool = False
    load_seconds: float | None = None
    first_seconds: float | None = None
    peak_memory: int | None = None
    gpu_memory: int | None = None
    flops: int | None = None
    error: str | None = None

    @property
    def rate(self) -> float | None:
        """FLOP/s of the network, at the median."""
        if self.flops is None or not self.steps:
            return None
        median = self.steps["predict"].median
        return self.flops / median if median > 0 else None

    @property
    def floor_rate(self) -> float | None:
        """FLOP/s of the matrix product, at the median."""
        if self.floor is None or self.floor.median <= 0:
            return None
        return self.floor_work / self.floor.median

    @property
    def on_gpu(self) -> bool:
        """Whether its time belongs into the paper's GPU column."""
        return self.device is not None and self.device != "cpu"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, statistics included."""
        entries = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return entries | {
            "candidate": asdict(self.candidate),
            "size": list(self.size),
            "network": None if self.network is None else list(self.network),
            "steps": [step.to_dict() for step in self.steps.values()],
            "turns": list(self.turns),
            "floor": None if self.floor is None else self.floor.to_dict(),
        }

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> BenchRow:
        """What `to_dict` gave."""
        steps = [Measurement.from_dict(step) for step in entries["steps"]]
        floor, network = entries["floor"], entries["network"]
        return cls(
            **dict(entries)
            | {
                "candidate": Candidate(**entries["candidate"]),
                "size": tuple(entries["size"]),
                "network": None if network is None else tuple(network),
                "steps": {step.name: step for step in steps},
                "turns": tuple(entries["turns"]),
                "floor": None if floor is None else Measurement.from_dict(floor),
            }
        )


@dataclass(frozen=True)
class FloorRate:
    """What the machine can do: `work` (operations, or bytes moved) in each of the times."""

    kind: str
    work: float
    measurement: Measurement

    @property
    def rate(self) -> float:
        """Work a second, at the median."""
        return self.work / self.measurement.median if self.measurement.median > 0 else 0.0


@dataclass(frozen=True)
class BenchReport:
    """All rows, and what is needed to read the figures a year later.

    Attributes:
        model, family: their names.
        model_sha256: of the bundle's list of files with their digests.
        remark: said of every row, as "untrained weights: timing only"; empty if nothing is.
        picture: what the frames were made from.
        settings: runs asked for, warmup, batch, threads, render, budget in seconds.
        machine: as from `trtcolor.bench.surroundings.surroundings`.
        floor: by kind; ``sgemm`` always, ``int8`` and ``copy`` where asked for.
        estimate, seconds: how long it was to take, and took.
        rows: by size, then candidate.
    """

    model: str
    family: str
    model_sha256: str
    remark: str
    picture: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    floor: Mapping[str, FloorRate]
    estimate: float | None
    seconds: float
    rows: tuple[BenchRow, ...]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """In the order of the rows, each once."""
        return tuple(dict.fromkeys(row.size for row in self.rows))

    def to_json(self) -> str:
        """Everything, the raw values included."""
        floor = [
            {"kind": f.kind, "work": f.work, "measurement": f.measurement.to_dict()}
            for f in self.floor.values()
        ]
        entries = {name: getattr(self, name) for name in self.__dataclass_fields__}
        entries |= {"floor": floor, "rows": [row.to_dict() for row in self.rows]}
        return json.dumps({"format_version": FORMAT_VERSION, **entries}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str) -> BenchReport:
        """Read what `to_json` wrote.

        Args:
            text: the file's content.
            source: what to call it in an error.

        Raises:
            DataError: no JSON, or of another version or shape.
        """
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{source} is not JSON ({error}); a file from 'trtcolor bench --json FILE' was "
                "needed; give one"
            ) from None
        version = entries.pop("format_version", None) if isinstance(entries, dict) else None
        if version != FORMAT_VERSION:
            raise DataError(
                f"{source} has format version {version!r}; this trtcolor reads version "
                f"{FORMAT_VERSION}; run 'trtcolor bench --json FILE' again with this one"
            )
        try:
            floor = {
                f["kind"]: FloorRate(
                    f["kind"], float(f["work"]), Measurement.from_dict(f["measurement"])
                )
                for f in entries["floor"]
            }
            rows = tuple(BenchRow.from_dict(row) for row in entries["rows"])
            return cls(**entries | {"floor": floor, "rows": rows})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{source} does not fit the format ({error}); a whole file from 'trtcolor bench "
                "--json FILE' was needed; make it again"
            ) from None

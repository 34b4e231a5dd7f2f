"""The options by which a network is opened and run, for commands that colour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtcolor.cli.options import tell_backend

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer


@dataclass(frozen=True, kw_only=True)
class Runner:
    """These options by their names."""

    model: str
    backend: str | None
    precision: Any
    engine: Path | None
    trust: bool
    render: Any
    threads: int | None
    memory: int | None

    def options(self) -> dict[str, Any]:
        """Those of a `Colorizer`, the model and its threads apart; also for another process."""
        return {
            "backend": self.backend,
            "precision": self.precision,
            "engine": None if self.engine is None else self.engine.absolute(),
            "trust": self.trust,
            "render": self.render,
            "memory": self.memory,
        }

    @property
    def words(self) -> str:
        """What decides how the network computes, beside the backend."""
        return f"precision {self.precision}, engine {self.engine}"

    @contextmanager
    def colorizer(self, threads: int | None) -> Iterator[Colorizer]:
        """An open one, told to the user."""
        from trtcolor.colorizer import Colorizer

        with Colorizer(self.model, **self.options(), threads=threads) as colorizer:
            tell_backend(colorizer)
            yield colorizer

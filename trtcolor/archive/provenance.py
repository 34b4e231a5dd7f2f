"""`Provenance`: which version, settings and model outputs come from, as every report says it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

from trtcolor.archive.record import Record
from trtcolor.archive.settings import PictureSettings
from trtcolor.colorizer import Colorizer


@dataclass(frozen=True)
class Provenance:
    """All that decides what the output of a picture is. It pickles, unlike a Colorizer.

    Attributes:
        settings: how pictures are coloured and written, as JSON can hold it.
        model: name of the model.
        model_sha256: the same for models that give the same colours: of its spec, which has every
            file's.
    """

    settings: Mapping[str, Any]
    model: str
    model_sha256: str

    @classmethod
    def of(cls, colorizer: Colorizer, settings: PictureSettings) -> Provenance:
        """That of what a Colorizer makes with these settings."""
        spec = colorizer.spec
        digest = hashlib.sha256(spec.to_json().encode()).hexdigest()
        return cls(settings.described(colorizer), spec.name, digest)

    @cached_property
    def key(self) -> str:
        """The same for settings that give the same outputs, and for no others."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def head(self, **more: str) -> dict[str, Any]:
        """The first line of a report: which version coloured, how, and with which model."""
        return {
            "trtcolor": version("trtcolor"),
            "settings": self.key,
            "of_settings": dict(self.settings),
            "model": self.model,
            "model_sha256": self.model_sha256,
            **more,
        }

    def record(self, source: str, output: str | None, reason: str = "") -> Record:
        """Of a picture that failed, or of which nothing else is known yet."""
        return Record(
            input=source,
            output=output,
            outcome="failed",
            reason=reason,
            settings=self.key,
            model=self.model,
            model_sha256=self.model_sha256,
        )

    def made(self, record: Record) -> bool:
        """Whether a picture was made with these settings and this model."""
        return (record.settings, record.model_sha256) == (self.key, self.model_sha256)

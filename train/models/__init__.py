"""The networks, one file a paper, and the one table of them.

To add a family, write its file and add its line to `FAMILIES` (see CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from trtcolor.errors import ConfigError
from trtcolor_train.models import hwang, iizuka, olah
from trtcolor_train.models.network import ColorNetwork, Dimensions


@dataclass(frozen=True)
class Family:
    """A named network: its class and the dimensions that its paper gives."""

    network: Callable[[Any], ColorNetwork]
    dimensions: Dimensions

    def resolve(self, overrides: Mapping[str, Any] | None = None) -> Dimensions:
        """The paper's dimensions with some replaced.

        Args:
            overrides: entries that differ, as plain data (TOML or JSON: lists where the dataclass
                has tuples).

        Raises:
            ConfigError: an override that the dimensions do not have, or an impossible one.
        """
        known = {entry.name for entry in fields(self.dimensions)}
        unknown = sorted(set(overrides or {}) - known)
        if unknown:
            raise ConfigError(
                f"unknown dimensions {', '.join(unknown)}; some of {', '.join(sorted(known))} were "
                "needed; mend the configuration"
            )
        plain = {name: _tuples(value) for name, value in (overrides or {}).items()}
        try:
            return replace(self.dimensions, **plain)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise ConfigError(
                f"the dimensions {plain} cannot be read ({error}); values of the same form as the "
                "family's own were needed; mend the configuration"
            ) from None

    def build(self, overrides: Mapping[str, Any] | None = None) -> ColorNetwork:
        """Build the network with freshly initialised weights.

        Raises:
            ConfigError: as from `resolve`.
        """
        dimensions = self.resolve(overrides)
        try:
            return self.network(dimensions)
        except (RuntimeError, TypeError, ValueError, ZeroDivisionError) as error:
            raise ConfigError(
                f"no network can be built of {dimensions} ({error}); dimensions of the same form "
                "as the family's own, that fit into memory, were needed; mend the configuration"
            ) from None


FAMILIES: dict[str, Family] = {
    "iizuka2016": Family(iizuka.JointNetwork, iizuka.IIZUKA2016),
    "iizuka2016-baseline": Family(iizuka.JointNetwork, iizuka.IIZUKA2016_BASELINE),
    "lee2016": Family(iizuka.JointNetwork, iizuka.LEE2016),
    "hwang2016-regression": Family(hwang.RegressionNetwork, hwang.HWANG2016_REGRESSION),
    "hwang2016-classification": Family(hwang.ClassificationNetwork, hwang.HWANG2016_CLASSIFICATION),
    "olah2022-regression": Family(olah.RegressionNetwork, olah.OLAH2022_REGRESSION),
    "olah2022-cnn": Family(olah.CnnNetwork, olah.OLAH2022_CNN),
    "olah2022-unet": Family(olah.UnetNetwork, olah.OLAH2022_UNET),
}


def family(name: str) -> Family:
    """The family of that name.

    Raises:
        ConfigError: no such family.
    """
    if name not in FAMILIES:
        raise ConfigError(
            f"unknown network family {name!r}; one of {', '.join(FAMILIES)} was needed; mend the "
            "configuration"
        )
    return FAMILIES[name]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, (list, tuple)) else value

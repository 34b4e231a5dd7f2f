"""The networks, one file a paper and one of our own, and the one table of them.

To add a family, write its file and add its line to `FAMILIES` (see CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from reprlib import repr as shortened
from typing import Any, Literal, get_args, get_origin, get_type_hints

from trtcolor.errors import ConfigError
from trtcolor_train.models import base, hwang, iizuka, olah
from trtcolor_train.models.network import ColorNetwork, Dimensions

# The dimensions of a checkpoint may be anybody's; no network of the papers comes near these.
LONGEST_LIST = 64
LARGEST_INTEGER = 2**31 - 1


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
            ConfigError: an override that the dimensions do not have, of another type, or
                impossible.
        """
        hints = get_type_hints(type(self.dimensions))
        unknown = sorted(set(overrides or {}) - set(hints))
        if unknown:
            raise ConfigError(
                f"unknown dimensions {', '.join(unknown)}; some of {', '.join(sorted(hints))} were "
                "needed; mend the configuration"
            )
        plain = {
            name: _typed(hints[name], value, name) for name, value in (overrides or {}).items()
        }
        try:
            return replace(self.dimensions, **plain)
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
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
        except (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                f"no network can be built of {dimensions} ({reason}); dimensions of the same form "
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
    "trtcolor-base": Family(base.BaseNetwork, base.TRTCOLOR_BASE),
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


def _typed(hint: Any, value: Any, name: str) -> Any:
    """Plain data as an annotation of the dimensions has it, lists as tuples.

    Args:
        hint: an integer, bool, text, `Literal` or tuple of these, of any depth.
        value: what came.
        name: of the entry, for the error.

    Raises:
        ConfigError: a value of another type, too large or too long.
    """
    if get_origin(hint) is tuple:
        return _typed_tuple(get_args(hint), value, name)
    if get_origin(hint) is Literal:
        fits, needed = value in get_args(hint), f"one of {', '.join(get_args(hint))}"
    elif hint is int:  # which True would be as well
        fits = type(value) is int and 0 <= value <= LARGEST_INTEGER
        needed = f"an integer from 0 to {LARGEST_INTEGER}"
    else:
        fits, needed = isinstance(value, hint), "true or false" if hint is bool else "a text"
    if not fits:
        raise _unfit(name, value, needed)
    return value


def _typed_tuple(kinds: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _unfit(name, value, "a list")
    if len(value) > LONGEST_LIST:
        raise _unfit(name, value, f"a list of at most {LONGEST_LIST} entries")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise _unfit(name, value, f"a list of {len(kinds)} entries")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_typed(kind, part, f"{name}[{i}]") for i, (kind, part) in pairs)


def _unfit(name: str, value: Any, needed: str) -> ConfigError:
    return ConfigError(
        f"the dimension {name} is {shortened(value)}; {needed} was needed; mend the configuration"
    )

"""What counts as a regression: a rule for every figure, from TOML. The defaults are `thresholds.toml`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from hil.documents import toml_of
from hil.errors import UsageError, unknown_name
from hil.report.figures import LAYERS, known_keys

DEFAULTS: Final = Path(__file__).with_name("thresholds.toml")


class Better(StrEnum):
    """Which way a figure's progress lies."""

    HIGHER = "higher"
    LOWER = "lower"
    SAME = "same"
    """Any change is for the worse."""
    NONE = "none"


@dataclass(frozen=True)
class Rule:
    """When one figure has become worse."""

    better: Better = Better.NONE
    relative: float = 0.0
    absolute: float = 0.0
    required: bool = False
    wall_clock: bool = False

    def allowance(self, baseline: float) -> float:
        """How much worse than `baseline` is still fine."""
        return max(self.absolute, self.relative * abs(baseline))


SETTINGS: Final = tuple(setting.name for setting in fields(Rule))
Tables = Mapping[str, Mapping[str, Any]]
"""Settings by the figure, or the part of the summary, that they are for; "" stands for all."""


@dataclass(frozen=True)
class Thresholds:
    """Rules by figure. A later layer of tables wins over an earlier one."""

    layers: tuple[Tables, ...] = field(default=())

    def rule(self, key: str) -> Rule:
        """The rule of the figure `key`: within a layer the more special table wins."""
        names = key.split(".")
        rule = Rule()
        for tables in self.layers:
            for depth in range(len(names) + 1):
                rule = replace(rule, **tables.get(".".join(names[:depth]), {}))
        return rule


def load(given: Path | None = None) -> Thresholds:
    """The defaults, and over them the user's own file."""
    layers = [_read(DEFAULTS)]
    if given is not None:
        layers.append(_read(given))
    return Thresholds(tuple(layers))


def _read(path: Path) -> Tables:
    try:
        document = toml_of(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the thresholds {path}: {error.strerror}",
            f"name a TOML file; for its form see {DEFAULTS}",
        ) from None
    except ValueError as error:
        raise UsageError(f"{path} is no TOML: {error}", f"for its form see {DEFAULTS}") from None
    return {name: _checked(path, name, settings) for name, settings in _tables(document)}


def _tables(table: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """This table's own settings, then those of the tables within, by dotted name."""
    own = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if own:
        yield name, own
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _tables(value, f"{name}.{key}" if name else key)


def _checked(path: Path, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    keys = known_keys()
    if name and not any(f"{key}.".startswith(f"{name}.") for key in keys) and not name.startswith(LAYERS):
        raise unknown_name(f"figure in {path.name}", name, keys)
    return {setting: _value(f"{name}.{setting}".lstrip("."), value) for setting, value in settings.items()}


def _value(place: str, value: Any) -> Any:
    """`value` in the setting's own type."""
    setting = place.rpartition(".")[2]
    if setting not in SETTINGS:
        raise unknown_name("threshold setting", place, SETTINGS)
    if setting == "better":
        names = [str(name) for name in Better]
        if value not in names:
            raise unknown_name(f"{place} =", str(value), names)
        return Better(value)
    if setting in ("required", "wall_clock"):
        if not isinstance(value, bool):
            raise UsageError(f"{place} is {value!r}", "write true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise UsageError(f"{place} is {value!r}", "write a number, 0 or more")
    return float(value)

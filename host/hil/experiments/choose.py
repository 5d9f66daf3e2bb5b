"""What the user wants of an experiment: quick or whole, other data, other values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hil.boards import registry as boards
from hil.data import registry as datasets
from hil.errors import UsageError, unknown_name
from hil.experiments.experiment import DATASET, Chosen, Experiment
from hil.link.parse import parse_radio
from hil.schemes import registry as schemes


@dataclass(frozen=True)
class Wish:
    """Checked when it is applied."""

    datasets: tuple[str, ...] = ()
    """Empty: the experiment's own."""
    quick: bool = False
    board: str | None = None
    changes: tuple[str, ...] = ()
    """`NAME=VALUE[,VALUE…]`."""


def wishes(experiments: Sequence[Experiment], wish: Wish) -> list[Wish]:
    """What each of `experiments` can take of `wish`, where there are several.

    A single one has to take all of it. Raises UsageError on a change that none of them can take.
    """
    if len(experiments) == 1:
        return [wish]
    known = [{"dataset", *each.fixed, *(variable.name for variable in each.varies)} for each in experiments]
    for change in wish.changes:
        if not any(_name(change) in names for names in known):
            raise unknown_name("variable", _name(change), set().union(*known))
    return [
        replace(
            wish,
            board=wish.board if "board" in names else None,
            changes=tuple(change for change in wish.changes if _name(change) in names),
        )
        for names in known
    ]


def _name(change: str) -> str:
    return change.partition("=")[0]


def choose(experiment: Experiment, wish: Wish, at_hand: Sequence[str] = ()) -> Chosen:
    """The values that cells are made of; `at_hand` are data sets for an experiment that takes them all.

    Raises UsageError on an unknown name, or values that cannot be.
    """
    fixed = {"dataset": DATASET, **experiment.fixed, **(experiment.quick if wish.quick else {})}
    varies = {
        variable.name: variable.quick if wish.quick and variable.quick is not None else variable.values
        for variable in experiment.varies
    }
    if wish.board is not None:
        if "board" not in fixed:
            raise UsageError(
                f"{experiment.name} runs on no board",
                f"it measures {experiment.measure.name}: leave --board out",
            )
        _check_board(wish.board)
        fixed["board"] = wish.board
    names = tuple(datasets.get(name).name for name in wish.datasets)
    if not names and experiment.everywhere and not wish.quick:
        names = tuple(at_hand)
    if names:
        fixed["dataset"] = names[0]
    if len(names) > 1:
        fixed.pop("dataset")
        varies = {"dataset": names, **varies}
    for change in wish.changes:
        _apply(change, varies, fixed)
    return Chosen({name: values for name, values in varies.items() if name not in fixed}, fixed)


def _apply(change: str, varies: dict[str, tuple[Any, ...]], fixed: dict[str, Any]) -> None:
    name, equals, text = change.partition("=")
    known = {**fixed, **varies}
    if name not in known:
        raise unknown_name("variable", name, known)
    if not equals or not text:
        raise UsageError(f"{change!r} gives {name} no value", f"write {name}=VALUE or {name}=VALUE,VALUE")
    like = varies[name][0] if varies.get(name) else fixed.get(name)
    values = tuple(_value(name, word, like) for word in _words(text, like))
    fixed.pop(name, None)
    varies[name] = values


def _words(text: str, like: Any) -> Sequence[str]:
    """Commas separate values; but a radio's settings have commas of their own, and `;` separates those."""
    separator = ";" if ";" in text or (isinstance(like, str) and ":" in text) else ","
    return [word.strip() for word in text.split(separator) if word.strip()]


def _value(name: str, word: str, like: Any) -> Any:
    """`word` as a value like those the variable has."""
    if isinstance(like, str):
        _CHECKS.get(name, str)(word)
        return word
    try:
        value = json.loads(word)
    except ValueError:
        value = word
    wanted = _KINDS.get(type(like))
    if wanted is not None and not (
        isinstance(value, wanted[0]) and isinstance(value, bool) == (like is True or like is False)
    ):
        raise UsageError(f"{name} cannot be {word!r}", f"it takes {wanted[1]}")
    return float(value) if isinstance(like, float) else value


def _check_board(name: str) -> None:
    if name not in boards.names():
        raise unknown_name("board", name, boards.names())


_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "scheme": schemes.get,
    "dataset": datasets.get,
    "board": _check_board,
    "radio": parse_radio,
}
"""A typing error in a name costs a second, and not a cell each time that it is met."""

_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "whole numbers"),
    float: ((int, float), "numbers"),
}

"""A parameterised question to the system, and the oracle that knows its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hil.neighbourhood.parameter import Parameter, Parameters, Value


class Where(StrEnum):
    """What an instance needs to be asked."""

    HOST = "host"
    """Nothing but this machine; C is compiled for it."""
    TWIN = "twin"
    """Bare code on the emulated core."""
    BOARD = "board"
    """A session with the firmware, on any board."""


@dataclass(frozen=True)
class Context:
    """What an instance is asked on."""

    board: str = "twin"


@dataclass(frozen=True)
class Verdict:
    """Whether system and oracle agree."""

    passed: bool
    detail: str = ""
    """Where they part."""


PASSED = Verdict(True)

Ask = Callable[[Sequence[Parameters], Context], Sequence[Verdict]]
"""One verdict for each instance. What it raises is a failure, too."""


def always(parameters: Parameters) -> bool:
    """Every combination of values is a question."""
    return True


@dataclass(frozen=True)
class Template:
    """A question over its parameters: a neighbourhood."""

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    ask: Ask
    oracle: str
    """What the answers are held against."""
    rooms: tuple[str, ...]
    """Packages of hil that are asked; `mcu` is the firmware's. An answer is kept as long as they stay."""
    where: Where = Where.HOST
    fits: Callable[[Parameters], bool] = always
    """Whether a combination of values is a question at all."""
    batch: int = 50
    """Instances asked together."""
    full: int = 500
    """Instances of a full run."""
    sample: int = 10
    """Instances of the default tests."""
    sources: tuple[str, ...] = ()
    """Files besides its own module on which the answers rest, below the repository."""

    @property
    def simplest(self) -> dict[str, Value]:
        """All parameters where they do not matter."""
        return {parameter.name: parameter.simplest for parameter in self.parameters}

    def judge(self, instances: Sequence[Parameters], context: Context) -> list[Verdict]:
        """A verdict for each; whatever an instance raises is its failure, and nobody else's."""
        try:
            return list(self.ask(instances, context))
        except Exception as error:
            if len(instances) > 1:
                return [verdict for one in instances for verdict in self.judge([one], context)]
            return [Verdict(False, f"{type(error).__name__}: {error}")]


def wraps_module(asked: Callable[..., object]) -> Callable[[Ask], Ask]:
    """Makes a function one of the module that `asked` is of: that decides how long its answers are kept."""

    def mark(function: Ask) -> Ask:
        function.__module__ = asked.__module__
        return function

    return mark


def each(ask: Callable[[Parameters], str]) -> Ask:
    """From a function of one instance that returns where it fails, or an empty text, to an `Ask`."""

    @wraps_module(ask)
    def all_of(instances: Sequence[Parameters], context: Context) -> list[Verdict]:
        details = [ask(one) for one in instances]
        return [Verdict(not detail, detail) for detail in details]

    return all_of

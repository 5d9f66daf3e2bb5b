"""From a failing instance to the simplest one that still fails: what differs there is what matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hil.neighbourhood.parameter import Parameter, Parameters, Value
from hil.neighbourhood.template import Context, Template, Verdict

_ASKED_MAX: Final = 400


@dataclass(frozen=True)
class Minimal:
    """A failing instance of which nothing can be made simpler alone."""

    parameters: Mapping[str, Value]
    essential: Mapping[str, Value]
    """Those that are not at rest."""
    detail: str
    repeatable: bool = True
    """Whether the instance failed again when it was asked a second time."""
    asked: int = 0
    """Instances it took to find out."""


def minimise(template: Template, failing: Parameters, context: Context) -> Minimal:
    """The minimum that is reached from `failing` by simplifying one parameter after the other."""
    return _Search(template, context).run(dict(failing))


def essential(template: Template, parameters: Parameters) -> dict[str, Value]:
    """The parameters that are not at rest."""
    rest = template.simplest
    return {name: value for name, value in parameters.items() if value != rest[name]}


@dataclass
class _Search:
    template: Template
    context: Context
    asked: int = 0
    known: dict[tuple[tuple[str, Value], ...], Verdict] = field(default_factory=dict)

    def run(self, current: dict[str, Value]) -> Minimal:
        if self._failing([current]) != [current]:
            detail = "it did not fail when it was asked again"
            return Minimal(current, essential(self.template, current), detail, False, self.asked)
        while self.asked < _ASKED_MAX and (simpler := self._simpler(current)) is not None:
            current = simpler
        detail = self.known[_key(current)].detail
        return Minimal(current, essential(self.template, current), detail, True, self.asked)

    def _simpler(self, current: dict[str, Value]) -> dict[str, Value] | None:
        return self._at_rest(current) or self._nearer(current)

    def _at_rest(self, current: dict[str, Value]) -> dict[str, Value] | None:
        """With everything at rest that alone may be; with one of them, where not all at once."""
        moves = [
            {parameter.name: parameter.simplest}
            for parameter in self.template.parameters
            if current[parameter.name] != parameter.simplest
        ]
        failing = self._failing([current | move for move in moves])
        if not failing:
            return None
        changed = {name: value for each in failing for name, value in each.items() if value != current[name]}
        together = self._failing([current | changed])
        return together[0] if together else failing[0]

    def _nearer(self, current: dict[str, Value]) -> dict[str, Value] | None:
        for parameter in self.template.parameters:
            failing = self._failing([current | move for move in _moves(parameter, current)])
            if failing:
                return failing[0]
        return None

    def _failing(self, instances: Sequence[dict[str, Value]]) -> list[dict[str, Value]]:
        """Those that are questions and fail, in order."""
        questions = [one for one in instances if self.template.fits(one)]
        unknown = [one for one in questions if _key(one) not in self.known]
        self.asked += len(unknown)
        if unknown:
            verdicts = self.template.judge(unknown, self.context)
            self.known |= {_key(one): verdict for one, verdict in zip(unknown, verdicts, strict=True)}
        return [one for one in questions if not self.known[_key(one)].passed]


def _moves(parameter: Parameter, current: Parameters) -> list[dict[str, Value]]:
    return [{parameter.name: value} for value in parameter.simpler(current[parameter.name])]


def _key(parameters: Parameters) -> tuple[tuple[str, Value], ...]:
    return tuple(parameters.items())

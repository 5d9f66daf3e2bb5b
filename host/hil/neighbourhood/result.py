"""What a run of neighbourhoods came to, one after the other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hil.experiments.store import StoreError
from hil.neighbourhood.parameter import Value
from hil.neighbourhood.score import Score, score
from hil.neighbourhood.template import Template

SCHEMA: Final = 1
FILE: Final = "neighbourhood.json"


@dataclass(frozen=True)
class Failure:
    """An instance that failed."""

    index: int
    parameters: Mapping[str, Value]
    detail: str


@dataclass(frozen=True)
class Anomaly:
    """What some failing instances have in common: the simplest instance below one of them that fails."""

    essential: Mapping[str, Value]
    """Its parameters that are not at rest."""
    parameters: Mapping[str, Value]
    detail: str
    instances: tuple[int, ...]
    """The failing instances that have all of `essential`."""
    repeatable: bool = True


@dataclass(frozen=True)
class Unasked:
    """A batch that could not be asked."""

    first: int
    count: int
    reason: str


@dataclass(frozen=True)
class Neighbourhood:
    """One template's instances, as far as they were asked."""

    template: Template
    wanted: int
    asked: int
    failures: tuple[Failure, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    seconds: float = 0.0
    """Wall-clock time of all batches, those from the cache included."""

    @property
    def passed(self) -> int:
        return self.asked - len(self.failures)

    @property
    def score(self) -> Score:
        return score(self.passed, self.asked)

    @property
    def partial(self) -> bool:
        """Some are neither asked nor known to be beyond asking."""
        return self.asked + sum(batch.count for batch in self.unasked) < self.wanted

    @property
    def unshrunk(self) -> int:
        """Failures that belong to no anomaly."""
        known = {index for anomaly in self.anomalies for index in anomaly.instances}
        return sum(failure.index not in known for failure in self.failures)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        template = self.template
        return {
            "name": template.name,
            "question": template.question,
            "oracle": template.oracle,
            "where": str(template.where),
            "parameters": {parameter.name: parameter.text for parameter in template.parameters},
            "wanted": self.wanted,
            "asked": self.asked,
            "passed": self.passed,
            "score": str(self.score),
            "partial": self.partial,
            "seconds": self.seconds,
            "anomalies": [asdict(anomaly) for anomaly in self.anomalies],
            "failures": [asdict(failure) for failure in self.failures],
            "unshrunk": self.unshrunk,
            "unasked": [asdict(batch) for batch in self.unasked],
        }


@dataclass(frozen=True)
class Result:
    """All neighbourhoods of one command."""

    neighbourhoods: tuple[Neighbourhood, ...]
    seed: int
    board: str
    command: str
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(each.asked for each in self.neighbourhoods)

    @property
    def passed(self) -> int:
        return sum(each.passed for each in self.neighbourhoods)

    @property
    def anomalies(self) -> int:
        return sum(len(each.anomalies) for each in self.neighbourhoods)

    @property
    def partial(self) -> bool:
        return any(each.partial for each in self.neighbourhoods)

    @property
    def clean(self) -> bool:
        """Whether every instance that was wanted was asked and passed."""
        return all(each.score is Score.ALL and each.asked == each.wanted for each in self.neighbourhoods)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "seed": self.seed,
            "board": self.board,
            "asked": self.asked,
            "passed": self.passed,
            "anomalies": self.anomalies,
            "partial": self.partial,
            "provenance": dict(self.provenance),
            "neighbourhoods": [each.to_json() for each in self.neighbourhoods],
        }


def save(result: Result, folder: Path) -> Path:
    """Writes `neighbourhood.json`, whole or not at all. Raises StoreError."""
    own = folder / f"{FILE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own.write_text(json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        own.replace(folder / FILE)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder}: {error.strerror}", "make room there, or name another folder with --out"
        ) from None
    return folder / FILE

"""What an experiment came to: cells, a table's columns, charts, and our figures beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.experiments.experiment import Chart, Column

SCHEMA = 1
FILE = "experiment.json"


@dataclass(frozen=True)
class CellError:
    """Why a cell has no figures."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class CellResult:
    """One cell: what it was, and what it found or why it found nothing."""

    settings: Mapping[str, Any]
    key: str = ""
    """Of the cache; empty where the cell's inputs were missing."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    """What measuring took."""
    cached: bool = False
    error: CellError | None = None

    def value(self, name: str) -> Any:
        """A figure or, where none has that name, a setting; None where the cell has neither."""
        return self.figures[name] if name in self.figures else self.settings.get(name)


@dataclass(frozen=True)
class Beside:
    """One figure of the paper, and ours."""

    figure: str
    """What it is of."""
    paper: str
    ours: str
    word: str
    """Better, as, worse, or what differs in the setting: plainly."""


@dataclass(frozen=True)
class Result:
    """All that is kept of an experiment, and all that a report needs."""

    name: str
    question: str
    paper: str
    measure: str
    quick: bool
    command: str
    """Does all of it again."""
    variables: Mapping[str, tuple[Any, ...]]
    fixed: Mapping[str, Any]
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...]
    cells: tuple[CellResult, ...]
    beside: tuple[Beside, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False
    """It was interrupted: cells are missing."""

    @property
    def measured(self) -> tuple[CellResult, ...]:
        return tuple(cell for cell in self.cells if cell.error is None)

    @property
    def failed(self) -> tuple[CellResult, ...]:
        return tuple(cell for cell in self.cells if cell.error is not None)

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """What `to_json` gave. Raises UsageError when it is something else."""
        from hil.experiments.experiment import Chart, Column

        try:
            fields = dict(values)
            if fields.pop("schema") != SCHEMA:
                raise UsageError("the experiment was written by another version of hil", "run it again")
            fields["columns"] = tuple(Column(**column) for column in fields["columns"])
            fields["charts"] = tuple(Chart(**chart) for chart in fields["charts"])
            fields["cells"] = tuple(_cell(cell) for cell in fields["cells"])
            fields["beside"] = tuple(Beside(**beside) for beside in fields["beside"])
            fields["variables"] = {name: tuple(each) for name, each in fields["variables"].items()}
            return cls(**fields)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"this is no experiment's result: {error!r}", f"name a folder with {FILE}"
            ) from None


def _cell(values: Mapping[str, Any]) -> CellResult:
    error = values["error"]
    return CellResult(**{**values, "error": None if error is None else CellError(**error)})

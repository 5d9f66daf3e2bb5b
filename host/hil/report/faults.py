"""The kinds of faults, and what a campaign of them brought, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from hil.errors import UsageError
from hil.faults.kind import Kind, Setting
from hil.faults.outcome import NEVER, Outcome
from hil.report.frame import new_table

if TYPE_CHECKING:
    from hil.faults.campaign import Total

BEGIN: Final = "<!-- hil faults writes from here -->"
END: Final = "<!-- to here -->"
_DEFINED: Final = tuple(outcome for outcome in Outcome if outcome not in NEVER)
_HEAD: Final = (
    "fault",
    "at",
    "injected",
    *map(str, _DEFINED),
    *(str(end) for end in Outcome if end in NEVER),
)


def faults_table(kinds: Iterable[Kind]) -> Table:
    """One row for each kind, and below it one for each of its settings."""
    table = new_table()
    table.add_column("fault", style="bold", no_wrap=True)
    table.add_column("where", no_wrap=True)
    table.add_column("what happens, and its settings beside at= and rate=")
    for kind in kinds:
        on = f" (only on {', '.join(sorted(kind.boards))})" if kind.boards else ""
        table.add_row(Text(kind.name), Text(kind.layer), Text(kind.summary + on))
        for setting in kind.settings:
            table.add_row("", "", Text(_setting(setting), style="dim"))
    return table


def _setting(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    return f"{setting.name}={setting.default}{unit}: {setting.summary}"


def totals_table(totals: Sequence[Total]) -> Table:
    """One row for each kind and one for all."""
    table = new_table()
    for name in _HEAD:
        table.add_column(name, justify="left" if name in _HEAD[:2] else "right", no_wrap=True)
    for row in _rows(totals):
        table.add_row(*row)
    return table


def totals_markdown(totals: Sequence[Total]) -> str:
    """The same for a page."""
    lines = [_line(_HEAD), _line(("---", "---", *("---:",) * (len(_HEAD) - 2)))]
    return "\n".join([*lines, *map(_line, _rows(totals))]) + "\n"


def totals_values(totals: Sequence[Total]) -> dict[str, Any]:
    """The same for a program."""
    return {
        "injected": sum(total.injected for total in totals),
        "sound": all(total.sound for total in totals),
        "kinds": {
            total.kind.name: {
                "layer": str(total.kind.layer),
                "injected": total.injected,
                "outcomes": dict(total.outcomes),
                "strange": list(total.strange),
                "reasons": dict(total.reasons.most_common()),
            }
            for total in totals
        },
    }


def on_page(page: str, totals: Sequence[Total]) -> str:
    """`page` with the table between its marks. Raises UsageError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError("the page has no place for the table", f"mark it by {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{totals_markdown(totals)}\n{END}{after}"


def _rows(totals: Sequence[Total]) -> list[tuple[str, ...]]:
    rows = [_row(total.kind.name, str(total.kind.layer), total.injected, total.outcomes) for total in totals]
    whole: Counter[str] = Counter()
    for total in totals:
        whole.update(total.outcomes)
    return [*rows, _row("all", "", sum(total.injected for total in totals), whole)]


def _row(name: str, layer: str, injected: int, outcomes: Counter[str]) -> tuple[str, ...]:
    ends = (*_DEFINED, *(end for end in Outcome if end in NEVER))
    return (name, layer, f"{injected:,}", *(f"{outcomes[end]:,}" for end in ends))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

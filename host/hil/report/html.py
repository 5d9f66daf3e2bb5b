"""Templates to one page that needs nothing else: style and script inside, nothing else may run or load."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil.measure.source import Source
from hil.report import format as fmt
from hil.report import glyphs as g

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"

ORIGINS: Final[Mapping[str, str]] = {
    Source.MEASURED_DWT: "cycles counted by the DWT of a physical core",
    Source.INSTRUMENT: "a power analyser or another external instrument",
    Source.TWIN_CYCLES: "the twin’s Cortex-M7 timing model",
    Source.TWIN_INSTRUCTIONS: "instructions the twin executed, times a constant number of cycles",
    Source.RENODE_INSTRUCTIONS: "instructions Renode executed, one cycle each",
    Source.MEASURED_HOST: "wall-clock time of a process on the host",
    Source.MODELLED: "computed from a documented model: a radio’s bandwidth, a data sheet’s current",
    "counted": "counted, and the same whatever the clock: answers, bytes, frames",
    "elf": "read from the firmware’s ELF and its painted stack",
}
"""What every label of origin means."""


def page(template: str, **values: Any) -> str:
    """The page of `templates/<template>`. Whatever `values` hold is text and escaped, save what is Markup."""
    script, style = _read("page.js"), _read("page.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    made = _environment().get_template(template)
    return made.render(style=style, script=script, policy=policy, origins=ORIGINS, **values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"figure": fmt.figure, "percent": fmt.percent, "size": fmt.size, "spaced": spaced}
    return made


def spaced(value: float | None) -> str:
    """A whole number in groups of three, with narrow spaces that do not break."""
    return g.DASH if value is None else f"{value:,.0f}".replace(",", "\u202f")


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")

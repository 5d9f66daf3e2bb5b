"""Characters and colours. Every colour has a glyph beside it, so that nothing rests on hue alone.

Each glyph is one column wide and has one ASCII stand-in, which `use_stand_ins` makes a stream
write where its encoding lacks the glyph: views need not know what terminal they are on.
"""

from __future__ import annotations

import codecs
import io
from typing import Final, TextIO

# Okabe and Ito's palette: distinct with every common colour vision, on dark and on light ground.
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
ORANGE: Final = "#e69f00"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
BLUE: Final = "#0072b2"
YELLOW: Final = "#f0e442"
SILVER: Final = "#999999"
GREY: Final = "bright_black"

PART_COLOURS: Final = {
    "local": GREEN,
    "link": ORANGE,
    "remote": SKY,
    "fuse": PURPLE,
    "cpu": GREEN,
    "radio": ORANGE,
    "idle": SKY,
    "peripherals": PURPLE,
}

FULL: Final = "━"
EMPTY: Final = "─"
PARTS: Final = "█▓▒░"
SPARKS: Final = "▁▂▃▄▅▆▇█"
SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
DONE: Final = "✓"
WRONG: Final = "✗"
WAITING: Final = "○"
ARROW: Final = "→"
DOT: Final = "·"
DASH: Final = "–"
WARNING: Final = "▲"
ELLIPSIS: Final = "…"

STAND_INS: Final = {
    **dict(zip("━─█▓▒░", "#.#=+-", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇", "_..-==*", strict=True)),
    **dict(zip(SPINNER, "|/-\\|/-\\|/", strict=True)),
    **dict(zip("✓✗○→·–▲…×≥", "+xo>.-!~x>", strict=True)),
}

_HANDLER: Final = "hil.stand_ins"


def stand_in(text: str) -> str:
    """`text` in ASCII, as long as before."""
    return "".join(c if c.isascii() else STAND_INS.get(c, "?") for c in text)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return stand_in(error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replace)


def use_stand_ins(stream: TextIO) -> None:
    """Makes `stream` write stand-ins for what it cannot encode, where it would raise otherwise."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_HANDLER)

"""A matplotlib figure as SVG for a page: the page's own colours and letters, and no identifier twice.

What is drawn in INK, QUIET, RULE, GROUND or MAIN becomes a CSS variable, so that one drawing serves light and
dark ground. Text stays text: it is found by a search, read out, and set in the page's face.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK: Final = "#010101"
QUIET: Final = "#020202"
RULE: Final = "#030303"
GROUND: Final = "#040404"
MAIN: Final = "#050505"
"""The first colour of anything drawn: blue on light ground, sky blue on dark."""

_VARIABLES: Final = {INK: "--ink", QUIET: "--quiet", RULE: "--rule", GROUND: "--ground", MAIN: "--fill"}
_SVG: Final = "http://www.w3.org/2000/svg"
_LINK: Final = "http://www.w3.org/1999/xlink"
_REFERENCE: Final = re.compile(r"^#(\S+)$|url\(#([^)]+)\)")
_OWN_COLOURS: Final = (
    "svg{--ink:#16191d;--quiet:#565e68;--rule:#dfe2e6;--ground:#fff;--fill:#0072b2;stroke-linejoin:round}"
    "@media (prefers-color-scheme:dark){"
    "svg{--ink:#e8eaed;--quiet:#a6aeb8;--rule:#333a44;--ground:#15181d;--fill:#56b4e9}}"
)
_STYLE: Final[Any] = {
    # Identifiers inside an SVG are drawn from the clock unless they are salted.
    "svg.hashsalt": "hil",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "figure.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
}


def plot(draw: Callable[[Figure], None], width: float, height: float, name: str, label: str) -> str:
    """What `draw` draws on `width` × `height` inches, as an SVG element for an HTML page.

    `name` makes its identifiers differ from those of the page's other figures; `label` is read out.
    The same figures give the same text.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    stream = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
    return _ours(stream.getvalue(), name, label)


def standalone(svg: str) -> str:
    """The same as a file of its own, which brings its colours along."""
    root = ET.fromstring(svg)
    style = ET.Element(f"{{{_SVG}}}style")
    style.text = _OWN_COLOURS
    root.insert(0, style)
    return _text(root) + "\n"


def scoped(svg: str, name: str, label: str) -> str:
    """An SVG file of ours with a style sheet of its own, for a page: its rules hold inside it alone."""
    root = ET.fromstring(svg)
    for style in root.iter(f"{{{_SVG}}}style"):
        style.text = f"#{name}{{{style.text}}}"
    _place(root, name, label)
    return _text(root)


def _ours(svg: str, name: str, label: str) -> str:
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    targets = {element.get("id") for element in root.iter()} & _referenced(root)
    for element in root.iter():
        _rename(element, name, targets)
        if style := element.get("style"):
            element.set("style", _coloured(style))
    _place(root, name, label)
    return _text(root)


def _place(root: ET.Element, name: str, label: str) -> None:
    root.set("id", name)
    root.set("role", "img")
    root.set("aria-label", label)


def _referenced(root: ET.Element) -> set[str | None]:
    """Every identifier that some attribute refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    return {name for value in values for pair in _REFERENCE.findall(value) for name in pair if name}


def _rename(element: ET.Element, name: str, targets: set[str | None]) -> None:
    """Identifiers that are referred to get the figure's name in front, all others go."""
    if (own := element.get("id")) is not None:
        if own in targets:
            element.set("id", f"{name}-{own}")
        else:
            del element.attrib["id"]
    for key, value in list(element.attrib.items()):
        if key == f"{{{_LINK}}}href" and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))


def _coloured(style: str) -> str:
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    return style


def _text(root: ET.Element) -> str:
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    return ET.tostring(root, encoding="unicode")

"""Where the templates are: in the tests, since they use what tests use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final

from hil import paths
from hil.errors import UsageError, unknown_name
from hil.neighbourhood.template import Template, Where

MODULE: Final = "hil_tests.neighbourhood.templates"
ALL: Final = "all"


@cache
def templates() -> tuple[Template, ...]:
    """All of them. Raises UsageError where hil's source, or what its tests need, is not there."""
    if not (paths.REPOSITORY / "hil_tests" / "neighbourhood").is_dir():
        raise UsageError(
            "the templates of neighbourhoods are not here", "they are part of hil's source: run it from there"
        )
    if str(paths.REPOSITORY) not in sys.path:
        sys.path.append(str(paths.REPOSITORY))
    try:
        found: tuple[Template, ...] = importlib.import_module(MODULE).TEMPLATES
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hil"):
            raise
        raise UsageError(
            f"the templates of neighbourhoods need {error.name}", "install hil with its extra 'dev'"
        ) from None
    return found


def get(name: str) -> Template:
    """The template `name`. Raises UsageError."""
    by_name = {template.name: template for template in templates()}
    if name not in by_name:
        raise unknown_name("template", name, [*by_name, ALL, "list"])
    return by_name[name]


def chosen(names: Sequence[str], board: str) -> list[Template]:
    """Those named, each once, or all that can be asked on `board`. Raises UsageError."""
    wanted = list(dict.fromkeys(names)) or [ALL]
    if ALL in wanted:
        return [template for template in templates() if _asks(template, board)]
    found = [get(name) for name in wanted]
    for template in found:
        if not _asks(template, board):
            raise UsageError(
                f"template {template.name!r} asks nothing of board {board!r}",
                f"it needs {template.where}; on {board}: "
                + ", ".join(other.name for other in templates() if _asks(other, board)),
            )
    return found


def _asks(template: Template, board: str) -> bool:
    """On another board than the twin only what that board answers is of interest."""
    return board == "twin" or template.where is Where.BOARD

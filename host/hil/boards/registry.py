"""The boards hil knows, by name. A board's code is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hil.boards.protocol import Board
from hil.errors import unknown_name


def _twin() -> Board:
    from hil.boards.twin import TwinBoard

    return TwinBoard()


_BOARDS: Final[dict[str, Callable[[], Board]]] = {"twin": _twin}


def names() -> tuple[str, ...]:
    """Every board's name; the default comes first."""
    return tuple(_BOARDS)


def get(name: str) -> Board:
    """The board called `name`. Raises UsageError, listing the valid names, for any other."""
    try:
        make = _BOARDS[name]
    except KeyError:
        raise unknown_name("board", name, _BOARDS) from None
    return make()

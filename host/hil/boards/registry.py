"""The boards hil knows, by name. A board's code is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hil.boards.options import PHYSICAL, RENODE, BoardOptions
from hil.boards.protocol import Board
from hil.errors import unknown_name


def _twin(options: BoardOptions) -> Board:
    from hil.boards.twin import TwinBoard

    return TwinBoard()


def _renode(options: BoardOptions) -> Board:
    from hil.boards.renode import RenodeBoard

    return RenodeBoard(options)


def _physical(name: str) -> Callable[[BoardOptions], Board]:
    def make(options: BoardOptions) -> Board:
        from hil.boards.probe import ProbeBoard

        return ProbeBoard(name, options)

    return make


_BOARDS: Final[dict[str, Callable[[BoardOptions], Board]]] = {
    "twin": _twin,
    RENODE: _renode,
    **{name: _physical(name) for name in PHYSICAL},
}


def names() -> tuple[str, ...]:
    """Every board's name; the default comes first."""
    return tuple(_BOARDS)


def get(name: str, options: BoardOptions | None = None) -> Board:
    """The board called `name`. Raises UsageError for any other name, listing the valid ones, and for
    options that this board has no use for."""
    options = options or BoardOptions()
    try:
        make = _BOARDS[name]
    except KeyError:
        raise unknown_name("board", name, _BOARDS) from None
    options.check(name)
    return make(options)

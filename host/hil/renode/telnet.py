"""The Monitor's byte stream: telnet negotiation out, text in, replies cut at prompts.

What comes, as seen on Renode 1.16.1: negotiation (`ff fd 00 …`) at the start, the command echoed,
line ends of any order of \\r and \\n, and a prompt with the machine's name in the end. There is no
length and no status.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum, auto

IAC, SB, SE = 0xFF, 0xFA, 0xF0
_WITH_OPTION = range(0xFB, 0xFF)
"""WILL, WONT, DO and DONT are followed by an option."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\x00\x07\x08]")
_PARTIAL_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?$")


class _State(Enum):
    DATA = auto()
    COMMAND = auto()
    OPTION = auto()
    SUBNEGOTIATION = auto()
    SUBNEGOTIATION_COMMAND = auto()


class TelnetDecoder:
    """Takes bytes as they come, however they are cut, and gives the text in them."""

    def __init__(self) -> None:
        self._state = _State.DATA
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """The text that became complete with `data`."""
        plain = bytearray()
        for byte in data:
            self._state = self._next(byte, plain)
        return self._utf8.decode(bytes(plain))

    def _next(self, byte: int, plain: bytearray) -> _State:
        match self._state:
            case _State.DATA if byte == IAC:
                return _State.COMMAND
            case _State.DATA:
                plain.append(byte)
                return _State.DATA
            case _State.COMMAND if byte in _WITH_OPTION:
                return _State.OPTION
            case _State.COMMAND if byte == SB:
                return _State.SUBNEGOTIATION
            case _State.COMMAND:
                if byte == IAC:  # doubled: the byte itself
                    plain.append(IAC)
                return _State.DATA
            case _State.SUBNEGOTIATION:
                return _State.SUBNEGOTIATION_COMMAND if byte == IAC else _State.SUBNEGOTIATION
            case _State.SUBNEGOTIATION_COMMAND if byte != SE:
                return _State.SUBNEGOTIATION
            case _:
                return _State.DATA


def clean(text: str) -> str:
    """Text without terminal control, every line end a \\n and no blank lines."""
    text = _ESCAPE.sub("", text)
    return re.sub(r"[\r\n]+", "\n", text)


@dataclass(frozen=True)
class Reply:
    """What the Monitor said to one command."""

    output: str
    prompt: str
    """The machine that is selected, or `monitor`."""


def cut_reply(raw: str, command: str, prompts: frozenset[str], *, quiet: bool = False) -> Reply | None:
    """The reply in `raw`, or None while it is not complete.

    It is complete with a prompt behind the command's echo. The echo may be wrapped, so blanks do not
    count. `quiet` says that nothing has come for a while: a missing echo is then accepted.
    """
    if _PARTIAL_ESCAPE.search(raw):
        return None
    text = clean(raw)
    prompt = next((name for name in prompts if text.endswith(f"({name}) ")), None)
    if prompt is None:
        return None
    body = text[: -len(prompt) - 3]
    end = _end_of_echo(body, command)
    if end is None:
        return Reply(body.strip(), prompt) if quiet else None
    return Reply(body[end:].strip(), prompt)


def _end_of_echo(text: str, command: str) -> int | None:
    places = [place for place, character in enumerate(text) if not character.isspace()]
    packed = "".join(text[place] for place in places)
    wanted = "".join(command.split())
    if not wanted:
        return 0
    begin = packed.find(wanted)
    return None if begin < 0 else places[begin + len(wanted) - 1] + 1


def integer(output: str) -> int | None:
    """A number as the Monitor prints it, hexadecimal mostly (`0x0000000001EE6280`); None for others."""
    found = re.fullmatch(r"\s*(0[xX][0-9A-Fa-f]+|-?\d+)\s*", output)
    return None if found is None else int(found.group(1), 0)

"""Errors as a user meets them: what is wrong, what to do, and an exit code."""

from __future__ import annotations

import difflib
import json
import sys
import traceback
from dataclasses import dataclass
from typing import Final

from hil.errors import HilError
from hil.redaction import redacted

INTERRUPTED: Final = 130
DEFECT: Final = 3


@dataclass(frozen=True)
class Failures:
    """Prints errors to standard error and, for a program that asked for JSON, to standard output."""

    json: bool
    verbose: bool

    def interrupted(self, code: int = INTERRUPTED) -> int:
        """Ctrl-C: no news to whoever pressed it, but a program that reads JSON is owed a document."""
        if self.json:
            self._write_json("interrupted", "the run was interrupted", "")
        return code

    def expected(self, error: HilError) -> int:
        """An error that names its own remedy."""
        self._trace(error)
        self._say(error.code, error.message, error.hint)
        return error.exit_code

    def usage(self, error: Exception) -> int:
        """An error of the option parser: click's, or typer's own copy of click, by its interface."""
        message = error.format_message()  # type: ignore[attr-defined]
        context = getattr(error, "ctx", None)
        path = getattr(context, "command_path", "hil")
        message, _, near = message.partition(" Did you mean ")
        hint = f"did you mean {near}" if near else _nearest_option(error, context) or f"see: {path} --help"
        option = getattr(error, "option_name", None)
        if type(error).__name__ == "NoSuchOption" and option:
            message = f"unknown option {option!r}"
        self._say("usage", _as_ours(message), hint)
        return 2

    def defect(self, error: Exception) -> int:
        """An error nobody foresaw: hil's own."""
        self._trace(error)
        hint = "this is a defect in hil" + ("" if self.verbose else "; add -v for its traceback")
        self._say("internal", f"{type(error).__name__}: {error}", hint)
        return DEFECT

    def _trace(self, error: Exception) -> None:
        if self.verbose:
            sys.stderr.write(redacted("".join(traceback.format_exception(error))))

    def _say(self, code: str, message: str, hint: str) -> None:
        message, hint = redacted(message), redacted(hint)
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True)
        console.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
        if hint:
            console.print(Text.assemble(("hint: ", "bold"), hint), soft_wrap=True)
        if self.json:
            self._write_json(code, message, hint)

    @staticmethod
    def _write_json(code: str, message: str, hint: str) -> None:
        report = {"error": {"code": code, "message": message, "hint": hint}}
        sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _as_ours(message: str) -> str:
    """click's sentences in the manner of our own: no capital, no full stop."""
    return (message[:1].lower() + message[1:]).rstrip(".")


def _nearest_option(error: Exception, context: object) -> str:
    given = getattr(error, "option_name", None)
    command = getattr(context, "command", None)
    if type(error).__name__ != "NoSuchOption" or not given or command is None:
        return ""
    known = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.4)
    return f"did you mean {near[0]}?" if near else ""

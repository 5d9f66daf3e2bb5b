"""`hil`: runs a verb, and turns whatever comes out of it into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from hil import interrupts
from hil.cli.app import invoke
from hil.cli.failures import Failures
from hil.durable import FULL
from hil.errors import DiskError, HilError
from hil.report.glyphs import use_stand_ins


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `hil` with `arguments` (None: those of the process) and returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        use_stand_ins(stream)
    interrupts.install()
    failures = Failures(json="--json" in given, verbose="-v" in given or "--verbose" in given)
    try:
        return invoke(given)
    except (KeyboardInterrupt, typer.Abort):
        return failures.interrupted()
    except HilError as error:
        return failures.expected(error)
    except BrokenPipeError:
        # The reader of our output left, as `hil … | head` does; Python would complain at exit again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        # An import that is interrupted half-way fails in its own words.
        if (number := interrupts.received()) is not None:
            return failures.interrupted(128 + number)
        if isinstance(error, OSError) and error.errno in FULL:
            return failures.expected(_full(error))
        return failures.usage(error) if hasattr(error, "format_message") else failures.defect(error)


def _full(error: OSError) -> DiskError:
    where = f" at {error.filename}" if error.filename else ""
    return DiskError(f"the disk is full{where}", "free some space, or name another folder in HIL_CACHE")

"""The command line: one file per verb, each parses, delegates and returns an exit code.

Exit codes: 0 done, 1 done but not valid (for `doctor`: something is missing, for `compare`: something
regressed), 2 the user can put it right, 3 a defect in hil, 130 interrupted, 143 terminated.
"""

from hil.cli.entry import main

__all__ = ["main"]

"""Runs a program and takes it along into death.

Started as a script of its own, in a session of its own. Its standard input is a pipe from hil: when
hil closes it, or is killed, the pipe ends and the whole process group does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 3.0
"""Between the request to end and the end by force."""


def main(command: list[str]) -> int:
    """Runs `command` to its end, or to the end of standard input. Returns its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler, not SIG_IGN: the program must not inherit deafness.
        signal.signal(number, lambda *_: None)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`hil doctor`: what is there, what is missing, what to type."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from hil.cli import options


def doctor(as_json: options.Json = False, verbose: options.Verbose = False) -> int:
    """Check that everything hil needs is there."""
    from hil.doctor import examine, healthy

    checks = examine()
    if as_json:
        report = {"healthy": healthy(checks), "checks": [asdict(check) for check in checks]}
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        from rich.console import Console

        from hil.report.checks import checks_table

        Console().print(checks_table(checks))
    return 0 if healthy(checks) else 1

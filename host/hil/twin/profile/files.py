"""A profile on disk: `profile.json` for programs, `profile.folded` for other flame graph tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hil.twin.profile.records import Class
from hil.twin.profile.result import CPI, Profile
from hil.twin.timing.parameters import TICKS

SCHEMA = 1


def write_files(profile: Profile, folder: Path, **about: str) -> None:
    """Writes both into `folder`; `about` says what was profiled. Raises OSError."""
    (folder / "profile.json").write_text(json.dumps(as_values(profile, **about), indent=1) + "\n")
    (folder / "profile.folded").write_text(folded(profile))


def as_values(profile: Profile, **about: str) -> dict[str, Any]:
    """Everything in it, for JSON. Ticks are integers and add up exactly."""
    return {
        "schema": SCHEMA,
        **about,
        "ticks_per_cycle": TICKS,
        "totals": {
            "cycles": profile.awake_ticks / TICKS,
            "awake_ticks": profile.awake_ticks,
            "sleep_ticks": profile.sleep_ticks,
            "instructions": profile.instructions,
            "cpi_stack_ticks": _named(profile.cpi),
        },
        "functions": [
            {
                "name": function.name,
                "address": function.address,
                "calls": function.calls,
                "instructions": function.instructions,
                "self_ticks": function.self_ticks,
                "inclusive_ticks": function.inclusive_ticks,
                "cpi_stack_ticks": _named(function.cpi),
            }
            for function in profile.functions
        ],
        "stacks": [
            {
                "frames": list(stack.frames),
                "calls": stack.calls,
                "instructions": stack.instructions,
                "self_ticks": stack.self_ticks,
                "cpi_stack_ticks": _named(stack.cpi),
            }
            for stack in profile.stacks
        ],
    }


def folded(profile: Profile) -> str:
    """One line a stack: frames joined by semicolons, and its own cycles; sleep is a root of its own."""
    lines = [(";".join(stack.frames), round(stack.self_ticks / TICKS)) for stack in profile.stacks]
    lines.append(("sleep", round(profile.sleep_ticks / TICKS)))
    return "".join(f"{frames} {cycles}\n" for frames, cycles in lines if cycles)


def _named(cpi: CPI) -> dict[str, int]:
    return {cls.name.lower(): cpi[cls] for cls in Class}

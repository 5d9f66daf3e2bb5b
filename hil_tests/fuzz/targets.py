"""All targets by name."""

from __future__ import annotations

from hil_tests.fuzz.c_targets import C_TARGETS
from hil_tests.fuzz.target import Target

TARGETS: dict[str, Target] = {target.name: target for target in C_TARGETS}

"""All targets by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from hil_tests.fuzz.c_targets import C_TARGETS
from hil_tests.fuzz.target import PythonTarget, Target


def _python(name: str, summary: str, longest: int = 4096) -> PythonTarget:
    def seeds() -> Iterator[bytes]:
        found: Iterator[bytes] = importlib.import_module(f"hil_tests.fuzz.python.{name}").seeds()
        return found

    return PythonTarget(name, summary, seeds, longest)


PYTHON_TARGETS = (
    _python("wire", "the host's frames and messages, against the firmware's decoder"),
    _python("payload", "payloads as the server decodes them"),
    _python("encoders", "the firmware's encoders against the host's, and back"),
    _python("server", "the server's sessions, and its client"),
    _python("bundle", "bundles: safetensors, manifest, tables", 16384),
    _python("files", "settings, summaries, run folders, tokens, addresses", 16384),
)
TARGETS: dict[str, Target] = {target.name: target for target in (*C_TARGETS, *PYTHON_TARGETS)}

"""The only folders hil writes to: the cache, and the run folder the user names."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent.parent
MCU = REPOSITORY / "mcu"


def cache_dir() -> Path:
    """`$HIL_CACHE`, else `$XDG_CACHE_HOME/hil`, else `~/.cache/hil`; made when missing."""
    if named := os.environ.get("HIL_CACHE"):
        folder = Path(named)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hil"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Builds the block hooks with the host's C compiler into the cache, keyed by source and compiler.

Building on first use rather than at installation keeps `pip install` free of a compiler, and lets
an editable checkout follow changes of the source. Without a compiler the twin runs its Python hook.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from hil.durable import adopt
from hil.paths import cache_dir

FOLDER = Path(__file__).parent
SOURCES = tuple(FOLDER / name for name in ("block_hook.c", "timing.c", "traps.c", "profile.c"))
HEADERS = tuple(FOLDER / name for name in ("core.h", "traps.h", "timing.h", "caches.h", "profile.h"))
FLAGS = ("-O2", "-shared", "-fPIC", "-std=c11", "-Wall")


@cache
def load() -> tuple[ctypes.CDLL | None, str]:
    """The library, or None; and why it is missing ("" when it is not)."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None, "no C compiler (cc, gcc or clang) on PATH"
    try:
        return ctypes.CDLL(str(_built(compiler.split()))), ""
    except subprocess.CalledProcessError as error:
        return None, f"{compiler} refused the block hooks: {error.stderr.strip()[:400]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"the block hooks could not be built or loaded: {error}"


def _built(compiler: list[str]) -> Path:
    texts = [path.read_bytes() for path in (*SOURCES, *HEADERS)]
    identity = [*texts, " ".join([*compiler, *FLAGS]).encode(), platform.machine().encode()]
    digest = hashlib.sha256(b"\0".join(identity)).hexdigest()[:16]
    folder = cache_dir() / "native"
    library = folder / f"block_hook-{digest}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    # Compile aside and rename: several processes may build at the same time (pytest-xdist).
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / library.name
        command = [*compiler, *FLAGS, *map(str, SOURCES), "-o", str(fresh)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        adopt(fresh, library)
    return library

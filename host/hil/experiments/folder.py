"""An experiment's folder: the same for the same experiment, so that a re-run replaces what it repeats."""

from __future__ import annotations

import json
from pathlib import Path

from hil.documents import json_of
from hil.durable import write_whole
from hil.errors import UsageError
from hil.experiments.result import FILE, Result
from hil.experiments.store import StoreError


def path(result: Result, out: Path) -> Path:
    """`<out>/<name>-<data sets>`, with `-quick` for a quick one."""
    datasets = result.variables.get("dataset") or (result.fixed["dataset"],)
    return out / "-".join([result.name, *map(str, datasets), *(["quick"] if result.quick else [])])


def save(result: Result, out: Path) -> Path:
    """Writes `experiment.json` into the folder, whole or not at all. Raises StoreError."""
    folder = path(result, out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n"
        write_whole(folder / FILE, content.encode())
    except OSError as error:
        raise StoreError(
            f"cannot write {folder}: {error.strerror}", "make room there, or name another folder with --out"
        ) from None
    return folder


def load(where: Path) -> Result:
    """The result in the folder, or the file, `where`. Raises UsageError when it is none."""
    file = where / FILE if where.is_dir() else where
    try:
        return Result.from_json(json_of(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", f"name a folder with {FILE}") from None
    except ValueError as error:
        raise UsageError(f"{file} is no JSON: {error}", "run the experiment again") from None

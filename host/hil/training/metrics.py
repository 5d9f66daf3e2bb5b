"""The figures of every epoch, one JSON object per line, in a file beside the bundle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hil.durable import write_whole
from hil.errors import TrainingError


def path_beside(bundle: Path) -> Path:
    """digits.safetensors → digits.metrics.jsonl"""
    return bundle.with_suffix(".metrics.jsonl")


def write(epochs: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Puts the whole file at `path` at once."""
    write_whole(path, "".join(json.dumps(epoch) + "\n" for epoch in epochs).encode())


def read(path: Path) -> list[dict[str, Any]]:
    """One entry per epoch, in order. Raises TrainingError when there is no such file, or another one."""
    try:
        lines = path.read_text().splitlines()
        epochs = [json.loads(line) for line in lines]
        if not all(isinstance(epoch, dict) and "phase" in epoch and "epoch" in epoch for epoch in epochs):
            raise ValueError("a line is no epoch's")
    except FileNotFoundError:
        raise TrainingError(f"there are no figures at {path}", "train again with --again") from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} holds no figures of a training: {error}") from None
    return epochs

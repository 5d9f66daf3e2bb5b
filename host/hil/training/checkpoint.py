"""A training half-way, as one file: tensors as safetensors, everything else as JSON in its header.

The file is written whole or not at all, and carries a digest of its tensors: a bit that flipped
on the disk would otherwise become part of a network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from hil.durable import write_whole

SCHEMA = 1
_KEY = "hil.checkpoint"


class UnusableCheckpoint(Exception):
    """The file is damaged, or another training's; its text says which."""


@dataclass(frozen=True)
class Checkpoint:
    """The end of an epoch: `done` epochs of `phase` are complete."""

    phase: str
    done: int
    tensors: Mapping[str, Tensor]
    """Weights, optimisers' moments, states of the random generators."""
    scalars: Mapping[str, Any] = field(default_factory=dict)
    """What the optimisers hold beside tensors."""
    history: tuple[dict[str, Any], ...] = ()
    """The figures of every epoch so far."""


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names and bytes, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def save(checkpoint: Checkpoint, path: Path, identity: Mapping[str, Any]) -> None:
    """Writes `checkpoint` of the training that `identity` names; on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A map with its channels innermost is stored as any other, and its strides beside it: sums of
    # another order would have other last bits.
    strides = {name: value.stride() for name, value in checkpoint.tensors.items()}
    plain = {name: value.contiguous() for name, value in checkpoint.tensors.items()}
    head = {
        "schema": SCHEMA,
        "identity": identity,
        "phase": checkpoint.phase,
        "done": checkpoint.done,
        "scalars": checkpoint.scalars,
        "history": checkpoint.history,
        "strides": strides,
        "digest": _digest(plain),
    }
    write_whole(path, safetensors.torch.save(plain, {_KEY: json.dumps(head)}))


def load(path: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint at `path`, None where there is no file.

    Raises UnusableCheckpoint when it is damaged, or that of a training other than `identity`.
    """
    if not path.exists():
        return None
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            head = json.loads((file.metadata() or {})[_KEY])
            if head["schema"] != SCHEMA or head["identity"] != dict(identity):
                raise UnusableCheckpoint("it is another training's")
            plain = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _digest(plain) != head["digest"]:
            raise UnusableCheckpoint("it is damaged: its digest does not fit")
        tensors = {name: _laid_out(value, head["strides"][name]) for name, value in plain.items()}
        return Checkpoint(head["phase"], head["done"], tensors, head["scalars"], tuple(head["history"]))
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableCheckpoint(f"it is damaged: {type(error).__name__}") from None


def _laid_out(value: Tensor, strides: list[int]) -> Tensor:
    """`value` with the memory layout that it was saved from."""
    return torch.empty_strided(value.shape, strides, dtype=value.dtype).copy_(value)

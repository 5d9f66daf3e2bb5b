"""Everything that decides how a training goes on, as named tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

Parts = Mapping[str, nn.Module | torch.optim.Optimizer]
"""What a phase changes or later phases need, by name: modules and optimisers."""

_RANDOM = "random"


def collect(parts: Parts) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and plain values of `parts`, and the states of torch's random generators."""
    tensors = {f"{_RANDOM}/cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors[f"{_RANDOM}/cuda"] = torch.cuda.get_rng_state()
    scalars: dict[str, Any] = {}
    for part, owner in parts.items():
        if isinstance(owner, nn.Module):
            found: dict[str, Any] = dict(owner.state_dict())
        else:
            states = owner.state_dict()["state"]
            found = {f"{index}/{key}": value for index, held in states.items() for key, value in held.items()}
        for name, value in found.items():
            if isinstance(value, Tensor):
                # A copy: two names may share one storage, which safetensors refuses.
                tensors[f"{part}/{name}"] = value.detach().to("cpu", copy=True)
            else:
                scalars[f"{part}/{name}"] = value
    return tensors, scalars


def restore(parts: Parts, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> None:
    """Puts back what `collect` gave, `parts` being built as they were then.

    Raises KeyError, ValueError or RuntimeError when they are not.
    """
    held: dict[str, dict[str, Any]] = {}
    for name, value in {**tensors, **scalars}.items():
        part, _, rest = name.partition("/")
        held.setdefault(part, {})[rest] = value
    for part, owner in parts.items():
        if isinstance(owner, nn.Module):
            owner.load_state_dict(held[part])
        else:
            owner.load_state_dict({**owner.state_dict(), "state": _by_parameter(held.get(part, {}))})
    torch.set_rng_state(tensors[f"{_RANDOM}/cpu"])
    if f"{_RANDOM}/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors[f"{_RANDOM}/cuda"])


def _by_parameter(flat: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """ "3/momentum_buffer" → {3: {"momentum_buffer": …}}."""
    nested: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, key = name.partition("/")
        nested.setdefault(int(index), {})[key] = value
    return nested

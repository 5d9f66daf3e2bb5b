"""Where a training runs and in which arithmetic, as its recipe asks."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

from hil.errors import TrainingError
from hil.training.recipe import Recipe

Module = TypeVar("Module", bound=nn.Module)


def device_of(recipe: Recipe) -> torch.device:
    """What trains. Raises TrainingError when the recipe insists on CUDA and there is none."""
    there = torch.cuda.is_available()
    if recipe.device == "cuda" and not there:
        raise TrainingError(
            "the recipe asks for CUDA, which torch does not find here", "take --device cpu, or auto"
        )
    if recipe.device == "cpu" or not there:
        return torch.device("cpu")
    # Without a workspace of fixed size cuBLAS picks its algorithms by what memory is free.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device("cuda", torch.cuda.current_device())


def arithmetic(recipe: Recipe, where: torch.device) -> AbstractContextManager[object]:
    """In which forward passes run; backward passes follow them."""
    if recipe.precision == "float32":
        return nullcontext()
    # The judge's weights change between two passes of one step: a cached cast would be stale.
    return torch.autocast(where.type, torch.bfloat16, cache_enabled=False)


def settle(module: Module, recipe: Recipe, where: torch.device) -> Module:
    """`module` moved to `where`, its weights laid out as the recipe says."""
    module.to(where)
    if recipe.channels_last:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def laid_out(images: Tensor, recipe: Recipe) -> Tensor:
    """A batch of maps (N, C, H, W) in the recipe's memory layout."""
    return images.contiguous(memory_format=torch.channels_last) if recipe.channels_last else images


def identity(where: torch.device) -> dict[str, str]:
    """What besides recipe and seed decides the last bits."""
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu"
    return {"torch": torch.__version__, "device": name}

"""What a step of AgileNN's training costs by the way it attributes, beside steps that attribute nothing.

Synthetic images of the data set's shape, the scheme's own recipe, CPU seconds of one thread. What is
compared takes turns in one process, so that ratios come from one run, and the fastest round counts: whoever
else uses the machine only adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.data.dataset import Dataset
from hil.errors import UsageError
from hil.schemes import registry
from hil.training.agilenn import cut_network, device_half
from hil.training.attribution import Attributor
from hil.training.batches import input_format
from hil.training.classifier_recipes import EdgeOnlyRecipe
from hil.training.edge_only import stored_format, whole
from hil.training.optimiser import Decoupled
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge, Reference
from hil.training.skewing import Skewing

CPU: Final = torch.device("cpu")
PERIOD: Final = 8
"""Steps of a round: a multiple of every `attribution_every`."""

Step = Callable[[int], None]
"""Makes the step of that number."""


@dataclass(frozen=True)
class StepTime:
    """Milliseconds of a step: the one asked for, and two that took turns with it."""

    own_ms: float
    cut_ms: float
    """The same cut network by cross-entropy alone."""
    standard_ms: float
    """The standard network, uncut, by cross-entropy alone."""
    batch: int


def step_time(
    dataset: Dataset, changes: Mapping[str, Any] | None, size: str, batch: int, rounds: int
) -> StepTime:
    """Of AgileNN's recipe of `size` (full, small) with `changes` to how it attributes, on `dataset`.

    `changes` None attributes nothing: then `own_ms` is `cut_ms`. `batch` 0 is the recipe's.
    """
    agile, standard = (registry.recipe(name, dataset, size) for name in ("agilenn", "edge_only"))
    if not isinstance(agile, AgileRecipe) or not isinstance(standard, EdgeOnlyRecipe):
        raise UsageError("step times are those of agilenn beside edge_only")
    batch = batch or agile.batch
    base = replace(agile, batch=batch, attribution_every=1, attribution_batch=0)
    with one_thread():
        steps = {
            "cut": cut_step(dataset, base, attributes=False),
            "standard": standard_step(dataset, replace(standard, batch=batch)),
        }
        if changes is not None:
            steps["own"] = cut_step(dataset, replace(base, **changes), attributes=True)
        found = _in_turns(steps, rounds)
    return StepTime(found.get("own", found["cut"]), found["cut"], found["standard"], batch)


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch has one; the caller's come back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _in_turns(steps: Mapping[str, Step], rounds: int) -> dict[str, float]:
    """Milliseconds of each in its fastest round, after a step to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step(0)
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.process_time()
            for number in range(PERIOD):
                step(number)
            seconds[name].append((time.process_time() - began) / PERIOD)
    return {name: 1000 * min(taken) for name, taken in seconds.items()}


def cut_step(dataset: Dataset, recipe: AgileRecipe, attributes: bool) -> Step:
    """A training of the cut network."""
    torch.manual_seed(0)
    form, classes = input_format(dataset), dataset.classes
    reference = Reference(
        form.channels, recipe.channels, recipe.reference_stages, recipe.reference_head, classes
    )
    judge = Judge(reference.eval(), recipe.channels, recipe.channels).requires_grad_(False)
    shape = torch.Size((recipe.channels, form.height // 3, form.width // 3))
    network = cut_network(device_half(recipe, form.channels, classes), classes, recipe, CPU).train()
    skewing = Skewing(Attributor(judge, recipe, shape, classes), recipe)
    optimiser = Decoupled(network.parameters(), recipe)
    images = torch.randn(recipe.batch, form.channels, form.height, form.width)
    labels = torch.randint(0, classes, (recipe.batch,))

    def step(number: int) -> None:
        out = network(images)
        task: Tensor = cross_entropy(out.fused, labels)
        loss = skewing.loss(task, out, labels, 0.1, number) if attributes else task
        optimiser.step(loss, 0.01)

    return step


def standard_step(dataset: Dataset, recipe: EdgeOnlyRecipe) -> Step:
    """A training of the network without a cut."""
    torch.manual_seed(0)
    form = stored_format(dataset)
    network = whole(recipe, input_format(dataset), dataset.classes).train()
    convert_conv2d_weight_memory_format(network, torch.channels_last)
    optimiser = Decoupled(network.parameters(), recipe)
    pixels = torch.rand(recipe.batch, form.channels, form.height, form.width)
    labels = torch.randint(0, dataset.classes, (recipe.batch,))

    def step(_: int) -> None:
        loss = cross_entropy(network(pixels), labels, label_smoothing=recipe.label_smoothing)
        optimiser.step(loss, 0.01)

    return step

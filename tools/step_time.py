"""What a step of AgileNN's training costs against a plain one: the same network, cross-entropy only.

    python tools/step_time.py cifar10 --batch 32 --rounds 3

Synthetic images of the data set's shape, the scheme's own recipe, CPU seconds on one thread. Variants
take turns, so that whoever else uses the machine slows all of them alike; the median round counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hil import data
from hil.data.dataset import Dataset
from hil.schemes.agilenn import AgileNN
from hil.training.agilenn import cut_network, device_half
from hil.training.attribution import Attributor
from hil.training.optimiser import Decoupled
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge, Reference
from hil.training.skewing import Skewing

CPU = torch.device("cpu")
PERIOD = 8
"""Steps of a round: a multiple of every `attribution_every`."""
VARIANTS: dict[str, dict[str, object] | None] = {
    "plain": None,
    "every step, whole batch": {},
    "every 2nd": {"attribution_every": 2},
    "every 4th": {"attribution_every": 4},
    "every 8th": {"attribution_every": 8},
    "a quarter of the batch": {"attribution_batch": 4},
    "every 2nd, a quarter": {"attribution_every": 2, "attribution_batch": 4},
    "every 4th, a quarter": {"attribution_every": 4, "attribution_batch": 4},
    "reuse, judge every 4th": {"attribution_reuse": True, "attribution_every": 4},
}
"""`attribution_batch` stands for one n-th of the batch here."""


def stepper(dataset: Dataset, recipe: AgileRecipe, plain: bool) -> Callable[[int], None]:
    """A training that makes one step when called with its number."""
    torch.manual_seed(0)
    height, width, inputs = dataset.shape
    reference = Reference(
        inputs, recipe.channels, recipe.reference_stages, recipe.reference_head, dataset.classes
    ).eval()
    judge = Judge(reference, recipe.channels, recipe.channels).requires_grad_(False)
    side = dataset.upscale
    shape = torch.Size((recipe.channels, height * side // 3, width * side // 3))
    network = cut_network(device_half(recipe, inputs, dataset.classes), dataset.classes, recipe, CPU).train()
    skewing = Skewing(Attributor(judge, recipe, shape, dataset.classes), recipe)
    optimiser = Decoupled(network.parameters(), recipe)
    images = torch.randn(recipe.batch, inputs, height * side, width * side)
    labels = torch.randint(0, dataset.classes, (recipe.batch,))

    def step(number: int) -> None:
        out = network(images)
        task: Tensor = cross_entropy(out.fused, labels)
        loss = task if plain else skewing.loss(task, out, labels, 0.1, number)
        optimiser.step(loss, 0.01)

    return step


def main() -> None:
    """Prints one row per variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", choices=data.names())
    parser.add_argument("--batch", type=int, help="the recipe's when not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recipe", choices=("full", "small"), default="full")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    dataset, scheme = data.get(asked.dataset), AgileNN()
    chosen = scheme.small_recipe(dataset) if asked.recipe == "small" else scheme.recipe(dataset)
    base = replace(chosen, batch=asked.batch or chosen.batch, attribution_every=1, attribution_batch=0)
    steps, seconds = {}, {name: [] for name in VARIANTS}
    for name, change in VARIANTS.items():
        recipe = replace(base, **(change or {}))
        if recipe.attribution_batch:
            recipe = replace(recipe, attribution_batch=base.batch // recipe.attribution_batch)
        steps[name] = stepper(dataset, recipe, plain=change is None)
        steps[name](0)
    for _ in range(asked.rounds):
        for name, step in steps.items():
            began = time.process_time()
            for number in range(PERIOD):
                step(number)
            seconds[name].append((time.process_time() - began) / PERIOD)
    plain = median(seconds["plain"])
    for name, taken in seconds.items():
        print(f"{name:26} {median(taken) * 1e3:8.1f} ms  {median(taken) / plain:5.2f} x plain")


if __name__ == "__main__":
    main()

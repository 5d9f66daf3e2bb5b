"""What the command line and the tests call: train a bundle, or find the one that is there.

Imports no torch, so that a run whose bundle is cached starts at once.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

from hil import bundle, data
from hil.bundle import Manifest
from hil.paths import cache_dir
from hil.schemes import registry
from hil.training import metrics
from hil.training.progress import Report, silent
from hil.training.recipe import Recipe, fingerprint, override

CODE_VERSION = 2
"""Raised whenever the same recipe and seed would give another bundle."""


def cached_bundle_path(scheme: str, dataset: str, seed: int = 0, recipe: Recipe | None = None) -> Path:
    """Where the bundle of this training lies, or would lie, in the cache.

    `recipe` None is the scheme's own for `dataset`. Raises UsageError on an unknown name.
    """
    recipe = recipe or registry.get(scheme).recipe(data.get(dataset))
    key = fingerprint(CODE_VERSION, scheme, dataset, recipe, seed)
    return cache_dir() / "bundles" / f"{scheme}-{dataset}-s{seed}-{key}.safetensors"


def checkpoint_path(scheme: str, dataset: str, seed: int, recipe: Recipe) -> Path:
    """Where a training that was cut short has left what it had."""
    key = fingerprint(CODE_VERSION, scheme, dataset, recipe, seed)
    return cache_dir() / "checkpoints" / f"{scheme}-{dataset}-s{seed}-{key}.safetensors"


def train_bundle(
    scheme: str,
    dataset: str,
    recipe_overrides: dict[str, Any] | None = None,
    seed: int = 0,
    data_dir: Path | None = None,
    path: Path | None = None,
    progress: Report = silent,
    fresh: bool = False,
    base: Recipe | None = None,
) -> Manifest:
    """Trains, writes the bundle to `path` (None: into the cache) and returns its manifest.

    The file appears whole or, after an interrupt or an error, not at all; then the next call takes
    up the last complete epoch, unless it is to be `fresh`. Figures of all epochs are put beside the
    bundle. `base` is the recipe that overrides change, the scheme's own when None. Raises
    UsageError (unknown name or setting), DataError and TrainingError.
    """
    chosen, images = registry.get(scheme), data.get(dataset)
    recipe = override(base or chosen.recipe(images), recipe_overrides or {})
    from hil.training.run import Run, Shelf  # imports torch

    identity = {"code": CODE_VERSION, "scheme": scheme, "dataset": dataset, "seed": seed}
    shelf = Shelf(checkpoint_path(scheme, dataset, seed, recipe), {**identity, "recipe": fingerprint(recipe)})
    run = Run(progress, shelf, fresh)
    trained = chosen.train(images, recipe, seed, data_dir, run)
    path = path or cached_bundle_path(scheme, dataset, seed, recipe)
    bundle.save(trained, path)
    if run.history:
        metrics.write(run.history, metrics.path_beside(path))
    run.finish()
    return trained.manifest


def ensure_bundle(
    scheme: str,
    dataset: str,
    recipe_overrides: dict[str, Any] | None = None,
    seed: int = 0,
    data_dir: Path | None = None,
    progress: Report = silent,
    base: Recipe | None = None,
    folder: Path | None = None,
) -> Path:
    """The cached bundle of this training, trained first when there is none.

    Of several processes that want the same one, the first trains and the others wait for it. `base` is
    the recipe that overrides change, the scheme's own when None; `folder` another one than the cache's.
    """
    recipe = override(base or registry.get(scheme).recipe(data.get(dataset)), recipe_overrides or {})
    path = cached_bundle_path(scheme, dataset, seed, recipe)
    path = path if folder is None else folder / path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process, however that ends
        if not path.exists():
            train_bundle(scheme, dataset, recipe_overrides, seed, data_dir, path, progress, base=base)
    return path

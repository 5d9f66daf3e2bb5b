"""Bundles for experiments: those that are there, and on a small data set those that are soon trained.

Nothing here starts a training of hours: where a data set is not among `TRAINED_AT_ONCE`, what is missing is
an error whose hint is the command that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hil import bundle, data
from hil.errors import BundleError
from hil.schemes import registry
from hil.schemes.scheme import HasSmallRecipe
from hil.schemes.stored_recipe import stored_recipe
from hil.training import api
from hil.training.progress import Report, silent
from hil.training.recipe import Recipe, as_json, override
from hil.zoo import shelf

TRAINED_AT_ONCE: Final = ("digits",)
"""Data sets on which a training takes about a minute of one core."""
QUICK: Final[Mapping[str, Mapping[str, Any]]] = {
    "agilenn": {"epochs": 8, "reference_epochs": 5, "warmup_epochs": 2},
    "deepcod": {"epochs": 8, "teacher_epochs": 6},
    "edge_only": {"epochs": 8},
}
"""Fewer epochs, for quick experiments on the digits: about two fifths of the time."""


def bundle_for(
    scheme: str,
    dataset: str,
    changes: Mapping[str, Any] | None = None,
    *,
    train: bool | None = None,
    seed: int = 0,
    data_dir: Path | None = None,
    progress: Report = silent,
) -> Path:
    """A bundle of `scheme`'s own recipe with `changes`: cached (full or small), shipped, or trained now.

    `train` None trains on the data sets of `TRAINED_AT_ONCE` alone. Of several processes that want the
    same training, one does it. Raises BundleError where nothing is there and nothing is to be trained,
    UsageError on an unknown name or setting, DataError and TrainingError.
    """
    changes = dict(changes or {})
    found = next(_there(scheme, dataset, changes, seed), None)
    if found is not None:
        return found
    if dataset in TRAINED_AT_ONCE if train is None else train:
        return api.ensure_bundle(scheme, dataset, changes, seed, data_dir, progress)
    raise BundleError(
        f"there is no bundle of {scheme} for {dataset}{_with(changes)}",
        f"make one with `{command(scheme, dataset, changes, seed)}`",
    )


def command(scheme: str, dataset: str, changes: Mapping[str, Any], seed: int = 0) -> str:
    """What trains such a bundle so that `bundle_for` finds it."""
    small = dataset not in TRAINED_AT_ONCE and isinstance(registry.get(scheme), HasSmallRecipe)
    words = ["hil train", f"--scheme {scheme}", f"--dataset {dataset}"]
    words += ["--recipe small"] * small
    words += [f"--seed {seed}"] * bool(seed)
    return " ".join(words + [f"--set {name}={_text(value)}" for name, value in changes.items()])


def _there(scheme: str, dataset: str, changes: dict[str, Any], seed: int) -> Iterator[Path]:
    """Bundles that such a training has made."""
    for recipe in _recipes(scheme, dataset, changes):
        path = api.cached_bundle_path(scheme, dataset, seed, recipe)
        if path.exists():
            yield path
    shipped = shelf.find(scheme, dataset) if seed == 0 else None
    if shipped is not None and _leaves_as_it_is(shipped, changes):
        yield shipped


def _recipes(scheme: str, dataset: str, changes: dict[str, Any]) -> Iterator[Recipe]:
    """Full first."""
    chosen, images = registry.get(scheme), data.get(dataset)
    yield override(chosen.recipe(images), changes)
    if isinstance(chosen, HasSmallRecipe):
        yield override(chosen.small_recipe(images), changes)


def _leaves_as_it_is(shipped: Path, changes: dict[str, Any]) -> bool:
    """Whether the shipped bundle was trained with `changes` anyway."""
    manifest = bundle.read_manifest(shipped)
    own = registry.get(manifest.scheme).recipe(data.get(manifest.dataset))
    kept = stored_recipe(manifest, type(own))
    return as_json(override(kept, changes)) == as_json(kept)


def _with(changes: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name}={_text(value)}" for name, value in changes.items())
    return f" with {settings}" if settings else ""


def _text(value: Any) -> str:
    """As `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)

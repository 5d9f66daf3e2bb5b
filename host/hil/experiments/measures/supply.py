"""Bundles of changed recipes: those that are there, and on a small data set those that are soon trained.

Nothing here starts a training of hours unless that is asked for: what is missing is an error whose hint is
the command that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hil import bundle, data
from hil.errors import BundleError
from hil.paths import cache_dir
from hil.schemes import registry
from hil.schemes.scheme import HasSmallRecipe
from hil.schemes.stored_recipe import stored_recipe
from hil.training import api
from hil.training.progress import Report, silent
from hil.training.recipe import Recipe, as_json, override
from hil.zoo import shelf

TRAINED_AT_ONCE: Final = ("digits",)
"""Data sets on which a training takes about a minute of one core."""
SHORT: Final[Mapping[str, Mapping[str, Any]]] = {
    "agilenn": {"epochs": 8, "reference_epochs": 5, "warmup_epochs": 2},
    "deepcod": {"epochs": 8, "teacher_epochs": 6},
    "edge_only": {"epochs": 8},
}
"""Fewer epochs on the digits, for quick experiments: two fifths of the time."""


@dataclass(frozen=True)
class Wanted:
    """A bundle of `scheme`'s own recipe for `dataset`, with `changes`."""

    scheme: str
    dataset: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    train: bool | None = None
    """None trains on the data sets of `TRAINED_AT_ONCE` alone."""

    @property
    def trains(self) -> bool:
        """Whether it is trained where it is not there."""
        return self.dataset in TRAINED_AT_ONCE if self.train is None else self.train

    def identity(self) -> str:
        """Names the bundle for a cell's key, the same before its training and after.

        Raises BundleError where there is none and none is to be trained, UsageError on an unknown name.
        """
        return self._own().stem if self.trains else bundle.digest(self._found()).hex()

    def path(self, data_dir: Path | None = None, progress: Report = silent) -> Path:
        """The bundle, trained now if need be; of several processes that want it, one does that.

        Raises as `identity` does, and DataError or TrainingError.
        """
        if not self.trains:
            return self._found()
        target = self._own()
        base, changes = self._base(), dict(self.changes)
        return api.ensure_bundle(
            self.scheme, self.dataset, changes, self.seed, data_dir, progress, base, target.parent
        )

    def command(self) -> str:
        """What trains such a bundle so that it is found."""
        words = ["hil train", f"--scheme {self.scheme}", f"--dataset {self.dataset}"]
        words += ["--recipe small"] * (self._base() != self._full())
        words += [f"--seed {self.seed}"] * bool(self.seed)
        return " ".join(words + [f"--set {name}={_text(value)}" for name, value in self.changes.items()])

    def _own(self) -> Path:
        """Where a training of ours puts it.

        Not where `hil run` looks: what is trained in mid-sweep must not become another cell's bundle.
        """
        recipe = override(self._base(), dict(self.changes))
        return cache_dir() / "experiments" / self._cached(recipe).name

    def _found(self) -> Path:
        found = next(self._there(), None)
        if found is None:
            raise BundleError(
                f"there is no bundle of {self.scheme} for {self.dataset}{_with(self.changes)}",
                f"make one with `{self.command()}`",
            )
        return found

    def _there(self) -> Iterator[Path]:
        """Such bundles: trained by the full recipe, by the small one, shipped, trained by us."""
        recipes = [override(base, dict(self.changes)) for base in (self._full(), self._base())]
        yield from (path for path in map(self._cached, recipes) if path.exists())
        shipped = shelf.find(self.scheme, self.dataset) if self.seed == 0 else None
        if shipped is not None and self._leaves_as_it_is(shipped):
            yield shipped
        if self._own().exists():
            yield self._own()

    def _full(self) -> Recipe:
        return registry.get(self.scheme).recipe(data.get(self.dataset))

    def _base(self) -> Recipe:
        """What is trained here: the small recipe, where there is one."""
        chosen, images = registry.get(self.scheme), data.get(self.dataset)
        return chosen.small_recipe(images) if isinstance(chosen, HasSmallRecipe) else chosen.recipe(images)

    def _cached(self, recipe: Recipe) -> Path:
        return api.cached_bundle_path(self.scheme, self.dataset, self.seed, recipe)

    def _leaves_as_it_is(self, shipped: Path) -> bool:
        """Whether the shipped bundle was trained with the changes anyway."""
        kept = stored_recipe(bundle.read_manifest(shipped), type(self._full()))
        return as_json(override(kept, dict(self.changes))) == as_json(kept)


def _with(changes: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name}={_text(value)}" for name, value in changes.items())
    return f" with {settings}" if settings else ""


def _text(value: Any) -> str:
    """As `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)

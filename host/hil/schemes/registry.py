"""The schemes hil knows, by name."""

from __future__ import annotations

from hil.data.dataset import Dataset
from hil.errors import UsageError, unknown_name
from hil.schemes.agilenn import AgileNN
from hil.schemes.deepcod import DeepCod
from hil.schemes.edge_only import EdgeOnly
from hil.schemes.mcunet import McuNet
from hil.schemes.scheme import HasSmallRecipe, Scheme
from hil.schemes.spinn import Spinn
from hil.training.recipe import Recipe

SIZES = ("full", "small")

_ALL: tuple[Scheme, ...] = (AgileNN(), DeepCod(), EdgeOnly(), McuNet(), Spinn())
_SCHEMES = {scheme.name: scheme for scheme in _ALL}


def names() -> tuple[str, ...]:
    """Every scheme's name; the default comes first."""
    return tuple(_SCHEMES)


def get(name: str) -> Scheme:
    """The scheme called `name`. Raises UsageError, listing the valid names, for any other."""
    try:
        return _SCHEMES[name]
    except KeyError:
        raise unknown_name("scheme", name, _SCHEMES) from None


def recipe(scheme: str, dataset: Dataset, size: str = "full") -> Recipe:
    """What `scheme` is trained with on `dataset`; `size` is full or small.

    Raises UsageError on an unknown name, or when the scheme has no small recipe.
    """
    chosen = get(scheme)
    if size == "full":
        return chosen.recipe(dataset)
    if size != "small":
        raise unknown_name("recipe", size, SIZES)
    if not isinstance(chosen, HasSmallRecipe):
        raise UsageError(f"{scheme} has no small recipe", "leave --recipe out, and lower --epochs")
    return chosen.small_recipe(dataset)

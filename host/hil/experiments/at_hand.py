"""Which data sets an experiment can take without a download or a training."""

from __future__ import annotations

from hil.data import folders, registry
from hil.errors import DataError
from hil.experiments.measure import Context
from hil.schemes import registry as schemes
from hil.zoo.trained import trained


def datasets_at_hand(context: Context) -> tuple[str, ...]:
    """Those whose samples lie here and of which every scheme has a bundle; the default comes first."""
    with_bundles = (name for name in registry.names() if all(trained(each, name) for each in schemes.names()))
    return tuple(name for name in with_bundles if _is_here(name, context))


def _is_here(name: str, context: Context) -> bool:
    source = registry.get(name).source
    if source is None:
        return True
    try:
        folders.find(source, context.data_dir)
    except DataError:
        return False
    return True

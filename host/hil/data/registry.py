"""The data sets hil knows, by name."""

from __future__ import annotations

from hil.data.cifar10 import Cifar10
from hil.data.cifar100 import Cifar100
from hil.data.dataset import Dataset
from hil.data.digits import Digits
from hil.data.svhn import Svhn
from hil.data.tiny_imagenet import TinyImageNet
from hil.data.words import SPEECH, WORDS
from hil.errors import unknown_name

_ALL: tuple[Dataset, ...] = (Digits(), Cifar10(), Cifar100(), Svhn(), TinyImageNet(), WORDS, SPEECH)
_DATASETS = {dataset.name: dataset for dataset in _ALL}


def names() -> tuple[str, ...]:
    """Every data set's name; the default comes first."""
    return tuple(_DATASETS)


def get(name: str) -> Dataset:
    """The data set called `name`. Raises UsageError, listing the valid names, for any other."""
    try:
        return _DATASETS[name]
    except KeyError:
        raise unknown_name("data set", name, _DATASETS) from None

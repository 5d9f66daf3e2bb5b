"""CIFAR-10: 50,000 + 10,000 colour images of 32 × 32 (A. Krizhevsky, 2009), in its publisher's format."""

from __future__ import annotations

from pathlib import Path

from hil.data.cifar import Batches
from hil.data.dataset import Split, SplitName
from hil.data.source import Download, Source

SOURCE = Source(
    "cifar-10-batches-py",
    (
        Download(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            "tar.gz",
        ),
    ),
    megabytes=170,
)
_BATCHES = Batches(
    SOURCE,
    {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)},
    {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    b"labels",
)


class Cifar10:
    """See the module. Mean and std as in AgileNN's training (facts: R)."""

    name = "cifar10"
    label_names = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    classes = 10
    shape = (32, 32, 3)
    upscale = 3
    mean = (0.4914, 0.4822, 0.4465)
    std = (0.2023, 0.1994, 0.2010)
    source = SOURCE

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The publisher's split, in its order. Raises DataError on a missing or damaged file."""
        return _BATCHES.load(split, data_dir)

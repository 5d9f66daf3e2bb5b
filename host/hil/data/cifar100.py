"""CIFAR-100: CIFAR-10's size, a hundred fine classes (A. Krizhevsky, 2009), in its publisher's format."""

from __future__ import annotations

from pathlib import Path

from hil.data.cifar import Batches
from hil.data.dataset import Split, SplitName
from hil.data.source import Download, Source

SOURCE = Source(
    "cifar-100-python",
    (
        Download(
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            "eb9058c3a382ffc7106e4002c42a8d85",
            "tar.gz",
        ),
    ),
    megabytes=169,
)
_BATCHES = Batches(
    SOURCE,
    {"train": ("train",), "test": ("test",)},
    {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    b"fine_labels",
)

_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


class Cifar100:
    """See the module. Mean and std as in AgileNN's training (facts: R)."""

    name = "cifar100"
    label_names = tuple(_NAMES.split())
    classes = 100
    shape = (32, 32, 3)
    upscale = 3
    mean = (0.507, 0.487, 0.441)
    std = (0.267, 0.256, 0.276)
    source = SOURCE

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The publisher's split, in its order. Raises DataError on a missing or damaged file."""
        return _BATCHES.load(split, data_dir)

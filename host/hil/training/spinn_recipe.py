"""What can be chosen about SPINN: its network, the weights of its exits, and what the scheduler aims at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.errors import UsageError
from hil.training.recipe import Recipe

OffloadCodec = Literal["lz4", "none", "lzw"]
PlannedRadio = Literal["wifi-6m", "ble-270k"]


@dataclass(frozen=True)
class SpinnRecipe(Recipe):
    """The backbone is MobileNetV2 for maps of 32 × 32 (Sandler et al., CVPR 2018)."""

    stem: int = 32
    stages: tuple[tuple[int, int, int, int], ...] = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 1),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    """(expansion, channels, repeats, stride), an exit behind each."""
    exit_width: int = 64
    """Channels that an exit pools."""
    head: int = 1280
    """Those that the network's own end pools."""
    first_exit_weight: float = 0.3
    """Of the first exit's loss beside the last one's 1; those between lie on a line."""
    split: int = 0
    """Cut behind that stage, counted from 1; 0 leaves it to the scheduler."""
    deepest_split: int = 5
    """The last stage that may be on the device: by MCU memory, not by the paper."""
    levels: int = 256
    """Of the linear quantiser between the halves."""
    codec: OffloadCodec = "lz4"
    validation: float = 0.1
    """Share of the training split that only the scheduler sees."""
    accuracy_loss: float = 0.01
    """What the scheduler may give away of the accuracy of the network's own end."""
    planned_radio: PlannedRadio = "wifi-6m"
    """The link for which the scheduler plans."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.stages) < 2:
            raise UsageError(f"{len(self.stages)} stage cannot be cut", "two or more")
        if self.split >= len(self.stages):
            raise UsageError(
                f"a split behind stage {self.split} of {len(self.stages)}", "the server needs a stage, too"
            )
        if self.deepest_split < 1:
            raise UsageError(f"the recipe's deepest_split is {self.deepest_split}", "at least 1")
        if not 2 <= self.levels <= 256:
            raise UsageError(f"{self.levels} levels", "2 to 256")
        if not 0 < self.validation < 1:
            raise UsageError(f"the recipe's validation is {self.validation}", "between 0 and 1")

    @property
    def splits(self) -> range:
        """Those that the scheduler may choose from."""
        if self.split:
            return range(self.split, self.split + 1)
        return range(1, min(self.deepest_split, len(self.stages) - 1) + 1)

"""Recipes of schemes whose network is trained whole: as a classifier, by cross-entropy alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.errors import UsageError
from hil.training.recipe import MOBILENET_V2, Recipe, Stages

LosslessCodec = Literal["lzw", "none"]


@dataclass(frozen=True)
class ClassifierRecipe(Recipe):
    """Options of `hil.training.classify`."""

    label_smoothing: float = 0.1
    """Share of every label that is spread over all classes (Szegedy et al., CVPR 2016)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.label_smoothing < 1:
            raise UsageError(f"the recipe's label_smoothing is {self.label_smoothing}", "below 1")


@dataclass(frozen=True)
class EdgeOnlyRecipe(ClassifierRecipe):
    """The server's network is AgileNN's remote predictor behind a stem as wide as its feature map."""

    codec: LosslessCodec = "lzw"
    """How the pixels are packed."""
    stem: int = 24
    server_stem: int = 16
    server_stages: Stages = MOBILENET_V2
    server_head: int = 1280


@dataclass(frozen=True)
class McuNetRecipe(ClassifierRecipe):
    """The defaults are mcunet-in1, MCUNet's published network for images of 96 × 96."""

    stem: int = 16
    blocks: tuple[tuple[int, int, int, int], ...] = (
        (1, 8, 3, 1),
        (4, 16, 3, 2),
        (3, 16, 3, 1),
        (3, 24, 7, 2),
        (5, 24, 3, 1),
        (5, 40, 3, 2),
        (4, 40, 7, 1),
        (4, 48, 5, 1),
        (3, 48, 3, 1),
        (4, 48, 3, 1),
        (5, 96, 7, 2),
        (4, 96, 5, 1),
        (4, 96, 5, 1),
        (6, 160, 3, 1),
    )
    """(expansion, channels, kernel, stride) of each inverted residual."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if even := [kernel for _, _, kernel, _ in self.blocks if kernel % 2 == 0]:
            raise UsageError(f"a block of the recipe has a kernel of {even[0]}", "3, 5, 7: odd ones")

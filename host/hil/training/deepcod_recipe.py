"""What can be chosen about DeepCOD (Yao et al., SenSys 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.errors import UsageError
from hil.training.classifier_recipes import ClassifierRecipe
from hil.training.recipe import MOBILENET_V2, Stages

PayloadCodec = Literal["range", "huffman", "lzw", "lz4", "none"]


@dataclass(frozen=True)
class DeepCodRecipe(ClassifierRecipe):
    """The standard network is edge-only's, so that the comparison is one of offloading alone."""

    teacher_epochs: int = 200
    """Of the uncompressed network; then come `epochs` of encoder, quantiser, decoder and its rest."""
    encoder: tuple[tuple[int, int, int, int], ...] = ((3, 16, 1, 3), (3, 12, 1, 2))
    """(kernel, channels, repeats, stride) of the device's convolutions; the last channels are sent."""
    centroids: int = 8
    hardness: float = 4.0
    """Multiplies squared distances in the quantiser's softmax; backward only."""
    codec: PayloadCodec = "range"
    """How indices are packed; tables are made from the training split."""
    spectral: bool = True
    """Spectral normalisation of the encoder's convolutions while they are trained."""
    distillation: float = 0.5
    """Share of the teacher's soft labels in the loss on the logits; the rest is the labels'."""
    temperature: float = 4.0
    """Of the soft labels (Hinton et al., 2015)."""
    reconstruction: float = 1.0
    """Weight of the map's reconstruction error, as a share of the map's variance."""
    rate: float = 0.05
    """Weight of a symbol's entropy in bits."""
    decoder_width: int = 64
    stem: int = 24
    """Channels of the map at which the standard network is cut."""
    server_stem: int = 16
    server_stages: Stages = MOBILENET_V2
    server_head: int = 1280

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.centroids <= 32:
            raise UsageError(f"{self.centroids} centroids", "2 to 32")
        if not 0 <= self.distillation <= 1:
            raise UsageError(f"the recipe's distillation is {self.distillation}", "between 0 and 1")
        if self.temperature <= 0 or self.teacher_epochs < 1 or self.decoder_width < 1:
            raise UsageError("temperature, teacher_epochs and decoder_width must be positive")
        if not self.encoder:
            raise UsageError("the recipe's encoder has no layer", "edge_only sends the input as it is")
        for kernel, _, repeats, stride in self.encoder:
            if kernel % 2 == 0 and (kernel != stride or repeats > 1):
                raise UsageError(
                    f"a convolution of the encoder has a kernel of {kernel}",
                    "odd ones, or one as wide as its stride",
                )
            if stride > kernel:
                raise UsageError(
                    f"a stride of {stride} in the encoder leaves pixels unseen", "a kernel at least as wide"
                )

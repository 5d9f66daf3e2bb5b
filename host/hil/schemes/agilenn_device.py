"""AgileNN's device half: feature extractor and local predictor (facts, "Network", R)."""

from __future__ import annotations

from torch import Tensor, nn

from hil.schemes.layers import Classifier, separable


class DeviceHalf(nn.Module):
    """The first `local_channels` channels of the feature map are answered here, the rest are sent.

    The stem's window of 3 at stride 3 needs no padding: TensorFlow's "same" adds none either when
    the stride divides the input, as it does 24 (digits) and 96 (CIFAR).
    """

    def __init__(self, inputs: int, stem: int, channels: int, local_channels: int, classes: int) -> None:
        super().__init__()
        self.local_channels = local_channels
        self.stem = separable(inputs, stem, stride=3, padding=0)
        self.features = separable(stem, channels, stride=1, padding=1)
        self.predictor = Classifier(local_channels, classes)

    def extract(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → the feature map (N, channels, H/3, W/3), each value in [0, 6]."""
        features: Tensor = self.features(self.stem(x))
        return features

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W) → logits (N, classes) and the feature map."""
        features = self.extract(x)
        return self.predictor(features[:, : self.local_channels]), features

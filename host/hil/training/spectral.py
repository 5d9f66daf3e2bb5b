"""Spectral normalisation of an encoder while it is trained, and its end (Miyato et al., ICLR 2018).

A convolution whose weights have spectral norm 1 cannot blow one direction of its input up at the others'
expense, which keeps compressive measurements well conditioned.
"""

from __future__ import annotations

from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from hil.schemes.deepcod_device import Encoder


def normalise(encoder: Encoder) -> None:
    """From now on every convolution's weights are divided by their largest singular value."""
    for convolution in encoder.convolutions():
        spectral_norm(convolution)


def fold(encoder: Encoder) -> None:
    """Leaves the weights as they are now: plain tensors, as a bundle holds them."""
    for convolution in encoder.convolutions():
        if is_parametrized(convolution, "weight"):
            remove_parametrizations(convolution, "weight", leave_parametrized=True)

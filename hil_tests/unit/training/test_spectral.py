"""Spectral normalisation: norm 1 while an encoder is trained, plain weights of norm 1 afterwards."""

from __future__ import annotations

import pytest
import torch

from hil.schemes.deepcod_device import Encoder
from hil.training import spectral

ROWS = ((3, 8, 1, 3), (3, 4, 2, 2))


def trained_a_little() -> Encoder:
    torch.manual_seed(0)
    encoder = Encoder(3, ROWS)
    spectral.normalise(encoder)
    for _ in range(60):  # one power iteration each
        encoder(torch.randn(2, 3, 12, 12))
    return encoder.eval()


def norms(encoder: Encoder) -> list[float]:
    return [
        torch.linalg.matrix_norm(convolution.weight.flatten(1), 2).item()
        for convolution in encoder.convolutions()
    ]


def test_every_convolution_has_spectral_norm_1() -> None:
    assert norms(trained_a_little()) == pytest.approx([1, 1, 1], abs=0.02)


def test_what_remains_is_what_the_device_builds() -> None:
    encoder = trained_a_little()
    x = torch.randn(2, 3, 12, 12)
    before = encoder(x)[1]
    spectral.fold(encoder)
    assert torch.equal(encoder(x)[1], before)
    assert encoder.state_dict().keys() == Encoder(3, ROWS).state_dict().keys()


def test_an_encoder_that_was_not_normalised_stays_as_it_is() -> None:
    encoder = Encoder(3, ROWS)
    before = [weights.clone() for weights in encoder.state_dict().values()]
    spectral.fold(encoder)
    assert all(
        torch.equal(one, other) for one, other in zip(encoder.state_dict().values(), before, strict=True)
    )

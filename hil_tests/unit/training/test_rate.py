"""What a symbol costs, as training sees it: the range coder's price, with a slope that can be followed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hil.codec.coder import make_coder
from hil.codec.frequencies import TOTAL
from hil.training.codec_tables import codec_tables
from hil.training.quantiser import Quantiser, nearest
from hil.training.rate import bits_per_symbol, code_lengths
from hil_tests.unit.codec.payloads import form_of

SHAPES = st.tuples(*(st.integers(1, 4) for _ in range(4)))
SEEDS = st.integers(0, 2**16)


def _case(shape: tuple[int, ...], count: int, seed: int) -> tuple[Quantiser, Tensor]:
    torch.manual_seed(seed)
    quantiser = Quantiser(count, 2.0).double()
    quantiser.parameter.data.normal_(0, 2)
    return quantiser, (6 * torch.rand(shape, dtype=torch.float64)).requires_grad_()


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any))
def test_lengths_are_those_of_an_ideal_code_and_none_is_endless(counts: list[int]) -> None:
    (lengths,) = code_lengths(torch.tensor([counts], dtype=torch.float64))
    assert lengths.max() <= np.log2(TOTAL)
    assert (2.0**-lengths).sum() <= 1 + len(counts) / TOTAL
    assert lengths[int(np.argmax(counts))] == lengths.min()


@given(SHAPES, st.integers(2, 8), SEEDS)
@settings(max_examples=40)
def test_the_price_is_the_hard_symbols_and_the_slope_the_soft_assignments(
    shape: tuple[int, ...], count: int, seed: int
) -> None:
    quantiser, values = _case(shape, count, seed)
    ascending = quantiser.centroids().sort().values
    symbols = nearest(values.detach(), ascending.detach())
    hard = torch.nn.functional.one_hot(symbols, count).double()
    lengths = code_lengths(hard.sum((0, 2, 3)))[:, None, None]
    found = bits_per_symbol(values, quantiser)
    assert torch.allclose(found, (hard * lengths).sum(-1).mean())
    share = torch.softmax(-2.0 * (values.unsqueeze(-1) - ascending) ** 2, dim=-1)
    soft = (share * lengths).sum(-1).mean()
    inputs = (values, quantiser.parameter)
    for ours, expected in zip(
        torch.autograd.grad(3 * found, inputs), torch.autograd.grad(3 * soft, inputs), strict=True
    ):
        assert torch.allclose(ours, expected, atol=1e-8)


def test_every_channel_is_priced_by_its_own_code() -> None:
    quantiser, _ = _case((1, 1, 1, 1), 2, 0)
    low, high = quantiser.ascending()
    constant = torch.tensor([low, high]).view(1, 2, 1, 1).expand(3, 2, 4, 4)
    assert bits_per_symbol(constant.float(), quantiser.float()).item() == 0
    mixed = torch.tensor([[low, high], [high, low]]).view(2, 2, 1, 1).expand(2, 2, 4, 4)
    assert bits_per_symbol(mixed.float(), quantiser).item() == pytest.approx(1)


def test_the_price_is_what_the_range_coder_asks() -> None:
    quantiser, values = _case((20, 3, 16, 16), 8, 1)
    symbols = nearest(values.detach() ** 2 / 6, torch.tensor(quantiser.ascending()))
    sent = symbols.flatten(2).to(torch.uint8).numpy()
    form = form_of(3, 16, 16, 8, "range")
    tables = {name.removeprefix("codec."): table for name, table in codec_tables("range", sent, form).items()}
    coder = make_coder(form, tables)
    paid = 8 * sum(len(coder.encode(payload.reshape(-1))) for payload in sent) / sent.size
    assert bits_per_symbol(values.detach() ** 2 / 6, quantiser).item() == pytest.approx(paid, rel=0.03)


def test_descending_the_price_makes_symbols_cheaper() -> None:
    quantiser, values = _case((4, 3, 6, 6), 6, 2)
    before = bits_per_symbol(values, quantiser)
    for _ in range(30):
        (slope,) = torch.autograd.grad(bits_per_symbol(values, quantiser), values)
        values = (values - 40 * slope).detach().requires_grad_()
    assert bits_per_symbol(values, quantiser) < 0.7 * before
